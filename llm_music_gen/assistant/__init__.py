"""The assistant: works out what is wanted, assigns the studio's tools, and remembers what it did so that it can be taken back."""

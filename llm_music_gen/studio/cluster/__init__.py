"""Other machines: what runs on a worker (`there`), and what this side asks of it and does with what comes back."""

"""The assistant's tools: plain typed functions, whose schema and help come from their signatures and docstrings."""

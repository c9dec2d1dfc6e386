"""Tools as plain typed functions, plans as lists of calls, and the way from plain language to both."""

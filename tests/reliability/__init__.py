"""The list R1 to R23: what the studio survives. Reduced in the usual test run; `python -m tests.reliability` runs it in full."""

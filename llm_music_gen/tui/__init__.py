"""The terminal app: thin screens over the studio. Work goes on in the worker process; `bridge` is the only talk with it."""

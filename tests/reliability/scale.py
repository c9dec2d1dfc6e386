"""How much of each trial is run: little in the usual test run, all of it with LLM_MUSIC_GEN_RELIABILITY=full."""

from __future__ import annotations

import os

VARIABLE = "LLM_MUSIC_GEN_RELIABILITY"
FULL = os.environ.get(VARIABLE) == "full"


def scaled(full: int, reduced: int) -> int:
    """The number for this run."""
    return full if FULL else reduced

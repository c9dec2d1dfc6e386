"""Random streams by purpose and chapter: what is changed in one chapter leaves every other as it was."""

from __future__ import annotations

import numpy as np

#: In fixed places: a new one is added at the end.
STREAMS = ("chords", "pads", "bowls", "melody", "answers", "colours")


def stream(seed: int, purpose: str, chapter: int) -> np.random.Generator:
    """The generator of one purpose in one chapter."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(7, STREAMS.index(purpose), chapter)))

"""One number gives every random choice of a batch; each song and each stage draws from a stream of its own."""

from __future__ import annotations

import secrets

import numpy as np

#: Streams of one song, in fixed places: a new one is added at the end.
STREAMS = ("theme", "tune", "arrangement")


def new_seed() -> int:
    """A seed nobody chose."""
    return secrets.randbits(32)


def song_seed(seed: int, index: int) -> int:
    """The seed of song `index` (from 0) of a batch. The first has the batch's own; each song can be had again by its own seed."""
    if index == 0:
        return seed
    high, low = np.random.SeedSequence(seed, spawn_key=(index,)).generate_state(2)
    return (int(high) << 21 ^ int(low)) % 2**53


def stream(seed: int, name: str) -> np.random.SeedSequence:
    """The random stream of one stage of the song with this seed."""
    return np.random.SeedSequence(seed, spawn_key=(0, STREAMS.index(name)))


def stream_seed(seed: int, name: str) -> int:
    """A whole number from a stage's stream, for models that take one."""
    return int(stream(seed, name).generate_state(1)[0])

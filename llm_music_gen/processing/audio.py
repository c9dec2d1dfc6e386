"""Sound on its way through the tools: blocks that can be walked again and again, never a whole file in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Block = NDArray[np.float32]
"""Samples of shape (frames, channels), 1.0 is full scale."""

BLOCK_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class Audio:
    """A stream of sound. Tools take one and return another; nothing is computed before somebody walks the blocks."""

    sample_rate_hz: int
    channels: int
    frames: int
    """Exact, and known before the blocks are walked."""
    walk: Callable[[], Iterator[Block]]
    """Starts from the beginning at each call and gives the same samples at each."""

    @property
    def length_s(self) -> float:
        """The length in seconds."""
        return self.frames / self.sample_rate_hz

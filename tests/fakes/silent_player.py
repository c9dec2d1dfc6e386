"""A player whose time passes only when a test says so: the real deck and files, pulled by hand instead of by a device."""

from __future__ import annotations

import numpy as np

from llm_music_gen.playback.deck_player import DeckPlayer
from llm_music_gen.playback.source import Block
from llm_music_gen.units import SAMPLE_RATE_HZ

BLOCK_FRAMES = 4410


class SilentPlayer(DeckPlayer):
    """Keeps what would have been heard."""

    def __init__(self) -> None:
        super().__init__()
        self.device = ""

    def advance(self, length_s: float) -> Block:
        """Let time pass and return the samples of that time, shape (frames, 2)."""
        frames = round(length_s * SAMPLE_RATE_HZ)
        blocks = [self._deck.read(min(BLOCK_FRAMES, frames - start)) for start in range(0, frames, BLOCK_FRAMES)]
        return np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)

    def devices(self) -> tuple[str, ...]:
        return ("System default", "Headphones")

    def choose_device(self, name: str) -> None:
        self.device = name

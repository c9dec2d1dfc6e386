"""A NoteSynth that plays pure tones: small, exact and inspectable."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.units import SAMPLE_RATE_HZ, midi_to_hz


@dataclass
class SineSynth:
    """Plays a sine of amplitude velocity/127 for exactly the length asked for, with 5 ms fades; remembers what it was asked."""

    asked: list[tuple[int, int, int, int, int]] = field(default_factory=list)

    def note(self, bank: int, program: int, pitch: int, velocity: int, length_frames: int) -> NDArray[np.float32]:
        self.asked.append((bank, program, pitch, velocity, length_frames))
        at = np.arange(length_frames)
        fade = np.minimum(np.minimum(at, length_frames - 1 - at) / 220.0, 1.0)
        tone = velocity / 127.0 * fade * np.sin(2 * np.pi * midi_to_hz(pitch) * at / SAMPLE_RATE_HZ)
        return np.stack((tone, tone), axis=1).astype(np.float32)

    def close(self) -> None:
        """Nothing to free."""

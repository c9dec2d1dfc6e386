"""A drone that lives and stays exact: harmonics whose loudness drifts and whose phase never moves.

Changing only amplitudes cannot move the pitch, so the fundamental is exact for ever; interest comes from the upper harmonics
breathing each at its own pace, differently left and right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.sound.bed.chance import generator_at, slow_walk
from llm_music_gen.units import SAMPLE_RATE_HZ

#: How far a harmonic's level drifts, in dB at one standard deviation: the fundamental hardly, the upper ones freely.
_DRIFT_DB = (0.5, 1.5, 1.5, 1.5)
_UPPER_DRIFT_DB = 2.5
_STEP = 2_048
_STREAM = 7_000


@dataclass(frozen=True, slots=True)
class DroneLayer:
    """Harmonics of one frequency; the fundamental has amplitude about 1."""

    frequency_hz: float
    seed: int
    harmonics: int = 12
    slope_db_per_octave: float = -7.0
    """-7 is warm, -4.5 bright."""
    breath_s: float = 11.0
    """Pace of the drift of the fundamental; every harmonic above is slower by its own share."""

    def block(self, first_frame: int, frames: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> NDArray[np.float32]:
        """Samples [first_frame, first_frame + frames), shape (frames, 2)."""
        numbers = np.arange(1, self.harmonics + 1)
        numbers = numbers[numbers * self.frequency_hz < 0.45 * sample_rate_hz]
        frame = first_frame + np.arange(frames, dtype=np.int64)
        fundamental = self.frequency_hz * (frame.astype(np.float64) / sample_rate_hz)
        # Levels are drawn on a grid of absolute time and joined by lines, so blocks of any size agree.
        grid = np.arange(first_frame // _STEP, (first_frame + frames - 1) // _STEP + 2, dtype=np.int64) * _STEP
        out = np.zeros((frames, 2), dtype=np.float32)
        for number in numbers.tolist():
            phase = generator_at(self.seed, _STREAM, number).random()
            tone = np.sin((2 * np.pi * ((number * fundamental + phase) % 1.0)).astype(np.float32))
            for side in (0, 1):
                level = self._level(number, side, grid / sample_rate_hz)
                out[:, side] += tone * np.interp(frame, grid, level).astype(np.float32)
        return out

    def _level(self, number: int, side: int, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        drift_db = _DRIFT_DB[number - 1] if number <= len(_DRIFT_DB) else _UPPER_DRIFT_DB
        # The fundamental is the same on both sides: it is the centre that everything else leans on.
        stream = _STREAM + 2 * number + (side if number > 1 else 0)
        walk = np.clip(slow_walk(self.seed, stream, self.breath_s * (1 + 0.13 * number), times_s), -2.5, 2.5)
        level_db = self.slope_db_per_octave * np.log2(number) + drift_db * walk
        return np.asarray(10.0 ** (level_db / 20.0), dtype=np.float64)

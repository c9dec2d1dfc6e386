"""Sound levels over time, A-weighted: mean and percentiles for a stated calibration. Streaming, any rate and channels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Levels are means over so long, as a sound level meter set to "fast" shows them; each overlaps the next by half.
WINDOW_S = 0.125
#: What is softer is nothing: levels need a floor to be counted.
_FLOOR_DB = -20.0
#: L5 is the level that is exceeded 5 % of the time.
PERCENTILES = (5, 10, 50, 90, 95)
_REFERENCE_PA = 2e-5
_BATCH = 256


@dataclass(frozen=True, slots=True)
class SoundLevels:
    """A-weighted sound pressure levels in dB, for the calibration that was stated."""

    laeq_db: float
    percentiles_db: dict[int, float]
    """5 -> the level that is exceeded 5 % of the time, and so on for `PERCENTILES`."""

    @property
    def range_db(self) -> float:
        """How far loud and quiet moments lie apart: L10 - L90."""
        return self.percentiles_db[10] - self.percentiles_db[90]


class LevelMeter:
    """Feed sound pressure with `push`, then ask `result`. Of several channels the mean power counts."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._size = max(8, 2 * round(WINDOW_S * sample_rate_hz / 2))
        self._rate = sample_rate_hz
        self._waiting: NDArray[np.float32] | None = None
        self._powers: list[NDArray[np.float32]] = []

    def push(self, pressure_pa: NDArray[np.float32]) -> None:
        """The next block in pascal, shape (frames, channels)."""
        ready = pressure_pa if self._waiting is None else np.concatenate((self._waiting, pressure_pa))
        hop = self._size // 2
        count = max(0, (len(ready) - self._size) // hop + 1)
        for first in range(0, count, _BATCH):
            last = min(count, first + _BATCH)
            self._look(ready[first * hop : (last - 1) * hop + self._size])
        self._waiting = ready[count * hop :]

    def result(self) -> SoundLevels:
        """All of it. Sounds shorter than a window are one window with silence after it."""
        if not self._powers and self._waiting is not None and len(self._waiting):
            self._look(np.pad(self._waiting, ((0, self._size - len(self._waiting)), (0, 0))))
        powers = np.concatenate(self._powers) if self._powers else np.zeros(1)
        levels = np.maximum(10 * np.log10(np.maximum(powers, 1e-30) / _REFERENCE_PA**2), _FLOOR_DB)
        mean = float(np.mean(powers, dtype=np.float64))
        return SoundLevels(
            laeq_db=max(_FLOOR_DB, float(10 * np.log10(max(mean, 1e-30) / _REFERENCE_PA**2))),
            percentiles_db={percent: float(np.percentile(levels, 100 - percent)) for percent in PERCENTILES},
        )

    def _look(self, samples: NDArray[np.float32]) -> None:
        from scipy.fft import rfft

        window, weights = _tables(self._size, self._rate)
        cut = np.lib.stride_tricks.sliding_window_view(samples, self._size, axis=0)[:: self._size // 2]
        spectra = rfft(cut * window, axis=2)
        power: NDArray[Any] = (spectra.real**2 + spectra.imag**2) @ weights
        self._powers.append(power.mean(axis=1).astype(np.float32))


@lru_cache(maxsize=4)
def _tables(size: int, sample_rate_hz: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hann window, and what turns squared bins into A-weighted mean square."""
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)
    weights = a_weighting(np.arange(size // 2 + 1) * sample_rate_hz / size) * 2 / (size * float(np.square(window).sum()))
    weights[-1] /= 2
    return window, weights.astype(np.float32)


def a_weighting(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """A-weighting as a factor of power (IEC 61672-1, annex E)."""
    square = np.square(hz)
    gain = 12194.0**2 * square**2 / (
        (square + 20.6**2) * np.sqrt((square + 107.7**2) * (square + 737.9**2)) * (square + 12194.0**2)
    )  # fmt: skip
    return np.asarray(np.square(gain * 10 ** (2.0 / 20)), dtype=np.float64)

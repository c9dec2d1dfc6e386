"""Values that change along a track, such as a beat rate gliding from 10 to 2 Hz: points joined by straight lines.

The phase of an oscillator that follows a schedule is its integral in closed form, so it is exact at any hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError


@dataclass(frozen=True, slots=True)
class Schedule:
    """Points (time in seconds, value), rising in time; constant before the first and after the last."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        times = [time for time, _ in self.points]
        if not times or any(later <= earlier for earlier, later in pairwise(times)):
            raise SoundError("A schedule needs points whose times rise.")

    @staticmethod
    def constant(value: float) -> Schedule:
        """The same value for ever."""
        return Schedule(((0.0, value),))

    def value(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The value at each time."""
        times, values = self._arrays()
        return np.interp(times_s, times, values)

    def integral(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """The integral from time 0 to each time: cycles when the value is in Hz."""
        return self._from_first_point(times_s) - self._from_first_point(np.zeros(1))

    def _arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.array([time for time, _ in self.points]), np.array([value for _, value in self.points])

    def _from_first_point(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        times, values = self._arrays()
        steps = np.diff(times) * (values[1:] + values[:-1]) / 2
        before = np.concatenate(([0.0], np.cumsum(steps)))
        piece = np.clip(np.searchsorted(times, times_s, side="right") - 1, 0, len(times) - 1)
        left = times_s - times[piece]
        following = np.minimum(piece + 1, len(times) - 1)
        span = times[following] - times[piece]
        slope = np.where((span > 0) & (left >= 0), (values[following] - values[piece]) / np.where(span > 0, span, 1.0), 0.0)
        return np.asarray(before[piece] + values[piece] * left + slope * left * left / 2, dtype=np.float64)

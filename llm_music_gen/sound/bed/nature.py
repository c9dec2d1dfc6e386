"""Rain, surf and wind made from nothing: shaped noise, slow random curves and, for rain, independent drops. Nothing is looped."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.bed.chance import generator_at, slow_walk
from llm_music_gen.sound.bed.noise import NoiseLayer
from llm_music_gen.units import SAMPLE_RATE_HZ

Nature = Literal["rain", "surf", "wind"]
NATURES: tuple[Nature, ...] = ("rain", "surf", "wind")
#: Levels of slow curves are computed on this grid of absolute time (frames) and joined by lines.
_GRID = 1_024
_CELL_S = 2.0
_CELL = int(_CELL_S * SAMPLE_RATE_HZ)
_DROPS_PER_SECOND = 120.0
_LONGEST_DROP = 2_048


@dataclass(frozen=True, slots=True)
class NatureLayer:
    """One natural sound of RMS about 1 per channel."""

    kind: Nature
    seed: int

    def __post_init__(self) -> None:
        if self.kind not in NATURES:
            raise SoundError(f"There is no sound called {self.kind!r}.", hint=f"Choose one of {', '.join(NATURES)}.")

    def block(self, first_frame: int, frames: int) -> NDArray[np.float32]:
        """Samples [first_frame, first_frame + frames), shape (frames, 2)."""
        make = {"rain": self._rain, "surf": self._surf, "wind": self._wind}[self.kind]
        return make(first_frame, frames).astype(np.float32)

    def _noise(self, stream: int, low_pass_hz: float, high_pass_hz: float, correlation: float = 0.3) -> NoiseLayer:
        return NoiseLayer("pink", self.seed, 100 + stream, correlation, low_pass_hz, high_pass_hz)

    def _curve(self, stream: int, knot_s: float, grid_s: NDArray[np.float64]) -> NDArray[np.float64]:
        return slow_walk(self.seed, 200 + stream, knot_s, grid_s)

    def _rain(self, first_frame: int, frames: int) -> NDArray[np.float64]:
        grid = _grid(first_frame, frames)
        strength_db = 2.0 * np.clip(self._curve(0, 60.0, grid / SAMPLE_RATE_HZ), -2, 2)
        bed = self._noise(0, 9_000.0, 300.0, 0.25).block(first_frame, frames)
        sound = 0.85 * bed + 2.2 * self._drops(first_frame, frames)
        return sound * _spread(10.0 ** (strength_db / 20.0), grid, first_frame, frames)

    def _drops(self, first_frame: int, frames: int) -> NDArray[np.float64]:
        """Poisson events in cells of two seconds, each a pure function of its cell; tails reach into the next."""
        first_cell, last_cell = (first_frame - _LONGEST_DROP) // _CELL, (first_frame + frames - 1) // _CELL
        out = np.zeros(((last_cell - first_cell + 1) * _CELL + _LONGEST_DROP, 2))
        bank = _drop_bank()
        for cell in range(first_cell, last_cell + 1):
            draw = generator_at(self.seed, 300, cell)
            count = int(draw.poisson(_DROPS_PER_SECOND * _CELL_S))
            starts = draw.integers(0, _CELL, count) + (cell - first_cell) * _CELL
            kinds = draw.integers(0, len(bank), count)
            sizes = np.minimum(0.02 * (1.0 - draw.random(count)) ** (-1 / 2.2), 0.5)
            angles = draw.random(count) * (np.pi / 2)
            sides = np.stack((np.cos(angles), np.sin(angles)), axis=1) * sizes[:, None]
            for start, kind, side in zip(starts.tolist(), kinds.tolist(), sides, strict=True):
                out[start : start + _LONGEST_DROP] += bank[kind][:, None] * side
        offset = first_frame - first_cell * _CELL
        return np.asarray(out[offset : offset + frames], dtype=np.float64)

    def _surf(self, first_frame: int, frames: int) -> NDArray[np.float64]:
        near, near_foam = self._waves(0, 11.0, first_frame, frames)
        far, _ = self._waves(1, 8.3, first_frame, frames)
        low = self._noise(1, 350.0, 40.0, 0.6).block(first_frame, frames)
        middle = self._noise(2, 2_000.0, 350.0, 0.4).block(first_frame, frames)
        foam = self._noise(3, 8_000.0, 2_000.0, 0.15).block(first_frame, frames)
        distant = self._noise(4, 600.0, 60.0, 0.5).block(first_frame, frames)
        sound = low * (0.25 + 1.2 * near) + 1.1 * middle * near**1.5 + 0.7 * foam * near_foam + 0.5 * distant * (0.2 + far)
        return np.asarray(1.35 * sound, dtype=np.float64)

    def _waves(
        self, stream: int, period_s: float, first_frame: int, frames: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Swell and the foam that follows it, each shape (frames, 1), 0 to about 1."""
        grid = _grid(first_frame, frames)
        time_s = grid / SAMPLE_RATE_HZ
        swell, foam = np.zeros(len(grid)), np.zeros(len(grid))
        first, last = int(time_s[0] / period_s) - 3, int(time_s[-1] / period_s) + 2
        for number in range(first, last + 1):
            draw = generator_at(self.seed, 400 + stream, number)
            peak_s = (number + 0.18 * draw.standard_normal()) * period_s
            height = 10.0 ** (2.0 * np.clip(draw.standard_normal(), -2, 2) / 20.0)
            swell += height * _wave(time_s - peak_s, rise_s=3.4, fall_s=2.4)
            foam += height * _wave(time_s - peak_s - 0.9, rise_s=2.0, fall_s=3.4)
        both = [_spread(np.minimum(curve, 2.0), grid, first_frame, frames) for curve in (swell, foam)]
        return both[0], both[1]

    def _wind(self, first_frame: int, frames: int) -> NDArray[np.float64]:
        grid = _grid(first_frame, frames)
        time_s = grid / SAMPLE_RATE_HZ
        walk = 0.3 * self._curve(1, 3.0, time_s) + 0.5 * self._curve(2, 11.0, time_s) + 0.25 * self._curve(3, 41.0, time_s)
        gust = np.clip(0.5 + 0.35 * walk, 0.08, 1.2)
        body = self._noise(5, 500.0, 80.0, 0.5).block(first_frame, frames)
        middle = self._noise(6, 1_100.0, 500.0, 0.35).block(first_frame, frames)
        whistle = self._noise(7, 2_400.0, 1_600.0, 0.2).block(first_frame, frames)
        amount = _spread(gust, grid, first_frame, frames)
        sound = body * (0.3 + amount) + 1.1 * middle * amount**1.8 + 0.5 * whistle * amount**3
        return np.asarray(1.05 * sound, dtype=np.float64)


def _grid(first_frame: int, frames: int) -> NDArray[np.int64]:
    return np.arange(first_frame // _GRID, (first_frame + frames - 1) // _GRID + 2, dtype=np.int64) * _GRID


def _spread(values: NDArray[np.float64], grid: NDArray[np.int64], first_frame: int, frames: int) -> NDArray[np.float64]:
    return np.interp(np.arange(first_frame, first_frame + frames), grid, values)[:, None]


def _wave(from_peak_s: NDArray[np.float64], *, rise_s: float, fall_s: float) -> NDArray[np.float64]:
    """0 until `rise_s` before the peak, up as a power, down exponentially; smooth where both meet."""
    rising = np.clip(1.0 + from_peak_s / rise_s, 0.0, 1.0) ** 2.2
    return np.where(from_peak_s < 0, rising, np.exp(-np.maximum(from_peak_s, 0.0) / fall_s))


@lru_cache(maxsize=1)
def _drop_bank() -> NDArray[np.float64]:
    """64 damped chirps, shape (64, _LONGEST_DROP): the same for every rain, because drops are alike and their order is not."""
    draw = generator_at(0, 301, 0)
    time_s = np.arange(_LONGEST_DROP) / SAMPLE_RATE_HZ
    bank = np.empty((64, _LONGEST_DROP))
    for row in bank:
        start_hz = 1_200.0 * (9_000.0 / 1_200.0) ** draw.random()
        decay_s = 0.0015 * 8.0 ** draw.random()
        rise = 0.25 * draw.random()
        phase = start_hz * (time_s + rise * time_s**2 / (2 * decay_s * 4))
        row[:] = np.sin(2 * np.pi * phase) * np.exp(-time_s / decay_s) * np.minimum(time_s / 0.0004, 1.0)
    return bank

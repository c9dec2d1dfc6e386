"""A picture's worth of spectra: power over time and pitch in a grid of fixed size, however long the sound is. Streaming."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 480, 96
LOWEST_HZ = 30.0
_WINDOW_S = 0.085
#: Long sounds are looked at in samples: so many windows a column.
_MOST_PER_COLUMN = 6
_SILENT_DB = -120.0


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """Levels over time and frequency."""

    levels_db: NDArray[np.float32]
    """dB full scale, shape (rows, columns): the lowest frequency first."""
    edges_hz: NDArray[np.float64]
    """Edges of the rows, evenly spaced in pitch, shape (rows + 1,)."""
    length_s: float


class SpectrogramMeter:
    """Feed samples of a sound of known length with `push`, then ask `result`."""

    def __init__(self, sample_rate_hz: int, frames: int) -> None:
        self._rate = sample_rate_hz
        self._frames = frames
        self._size = max(64, 1 << round(np.log2(max(64.0, _WINDOW_S * sample_rate_hz))))
        self._columns = max(1, min(COLUMNS, frames // (self._size // 2)))
        hops = max(1, frames // (self._size // 2))
        self._stride = max(1, hops // (self._columns * _MOST_PER_COLUMN))
        self._power = np.zeros((self._columns, ROWS))
        self._count = np.zeros(self._columns)
        self._waiting: NDArray[np.float32] | None = None
        self._hop = 0

    def push(self, samples: NDArray[np.float32]) -> None:
        """The next block, shape (frames, channels)."""
        from scipy.fft import rfft

        ready = samples if self._waiting is None else np.concatenate((self._waiting, samples))
        half = self._size // 2
        count = max(0, (len(ready) - self._size) // half + 1)
        wanted = [number for number in range(count) if (self._hop + number) % self._stride == 0]
        if wanted:
            window, bands, _ = _tables(self._size, self._rate)
            cut = np.stack([ready[number * half : number * half + self._size] for number in wanted])
            spectra = rfft(cut * window[:, None], axis=1)
            power: NDArray[Any] = (spectra.real**2 + spectra.imag**2).mean(axis=2) @ bands
            places = [(self._hop + number) * half + half for number in wanted]
            columns = np.minimum(self._columns - 1, np.array(places) * self._columns // max(1, self._frames))
            np.add.at(self._power, columns, power)
            np.add.at(self._count, columns, 1)
        self._hop += count
        self._waiting = ready[count * half :]

    def result(self) -> Spectrogram:
        """All of it."""
        if not self._hop and self._waiting is not None and len(self._waiting):
            self.push(np.zeros((self._size - len(self._waiting), self._waiting.shape[1]), dtype=np.float32))
        mean = self._power / np.maximum(self._count, 1)[:, None]
        levels = np.maximum(10 * np.log10(np.maximum(mean, 1e-30)), _SILENT_DB)
        return Spectrogram(levels.T.astype(np.float32), _tables(self._size, self._rate)[2], self._frames / self._rate)


@lru_cache(maxsize=4)
def _tables(size: int, sample_rate_hz: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Hann window, bins -> rows, edges of the rows. A row narrower than a bin takes its share of the bin."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    edges = np.geomspace(LOWEST_HZ, min(20_000.0, sample_rate_hz / 2), ROWS + 1)
    width = sample_rate_hz / size
    low = (np.arange(size // 2 + 1) - 0.5) * width
    inside = np.minimum(low[:, None] + width, edges[None, 1:]) - np.maximum(low[:, None], edges[None, :-1])
    bands = np.maximum(inside, 0.0) / width * 2 / (size * float(np.square(window).sum()))
    return window.astype(np.float32), bands.astype(np.float32), edges

"""Roughness in asper: what beats and modulations between 15 and 300 Hz feel like.

1 asper is 1 kHz at 60 dB, modulated fully at 70 Hz.

P. Daniel and R. Weber, Psychoacoustical roughness: implementation of an optimized model, Acustica 83 (1997). The tables are
theirs, Aures' and Zwicker's, read between by straight lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Windows of the model.
WINDOW_S = 0.2
#: Roughness of a file is the mean over so many windows at most, evenly spread: each takes a while.
MOST_WINDOWS = 200
_CHANNELS = 47
_CHANNEL_BARKS = np.arange(1, _CHANNELS + 1) / 2
_REFERENCE_PA = 2e-5
#: Makes the reference tone 1 asper.
_CALIBRATION = 0.2466
_LOWER_SLOPE_DB = -27.0
#: Zwicker's critical-band rate: these frequencies lie half a Bark apart from 0.
_BARK_HZ = (
    0, 50, 100, 150, 200, 250, 300, 350, 400, 450, 510, 570, 630, 700, 770, 840, 920, 1000, 1080, 1170, 1270, 1370, 1480,
    1600, 1720, 1850, 2000, 2150, 2320, 2500, 2700, 2900, 3150, 3400, 3700, 4000, 4400, 4800, 5300, 5800, 6400, 7000, 7700,
    8500, 9500, 10500, 12000, 13500, 15500, 20000,
)  # fmt: skip
#: (Bark, dB) of the transmission through the ear and of the threshold in quiet.
_EAR = (
    (0, 0), (10, 0), (12, 1.15), (13, 2.31), (14, 3.85), (15, 5.62), (16, 6.92), (16.5, 7.38), (17, 6.92), (18, 4.23),
    (18.5, 2.31), (19, 0), (20, -1.43), (21, -2.59), (21.5, -3.57), (22, -5.19), (22.5, -7.41), (23, -11.3), (23.5, -20),
    (24, -40), (25, -130),
)  # fmt: skip
_THRESHOLD = (
    (0, 130), (0.01, 70), (0.17, 60), (0.8, 30), (1, 25), (1.5, 20), (2, 15), (3.3, 10), (4, 8.1), (5, 6.3), (6, 5), (8, 3.5),
    (10, 2.5), (12, 1.7), (13.3, 0), (15, -2.5), (16, -4), (17, -3.7), (18, -1.5), (19, 1.4), (20, 3.8), (21, 5), (22, 7.5),
    (23, 15), (24, 48), (24.5, 60), (25, 130),
)  # fmt: skip
#: Aures' weight of each whole Bark.
_WEIGHTS = (
    0.15, 0.26, 0.38, 0.47, 0.54, 0.65, 0.76, 0.83, 0.90, 0.98, 0.98, 0.90, 0.80, 0.70, 0.62, 0.54, 0.49, 0.43, 0.39, 0.35,
    0.30, 0.30, 0.30, 0.30, 0.30,
)  # fmt: skip
#: (first channel, (Hz, weight) ...): how much a modulation of that rate counts from that channel on.
_MODULATION = (
    (0, ((0, 0), (17, 0.8), (23, 0.95), (25, 0.975), (32, 1), (37, 0.975), (48, 0.9), (67, 0.8), (90, 0.7), (114, 0.6),
         (171, 0.4), (206, 0.3), (247, 0.2), (294, 0.1), (358, 0))),
    (4, ((0, 0), (32, 0.8), (43, 0.95), (56, 1), (69, 0.975), (92, 0.9), (120, 0.8), (142, 0.7), (165, 0.6), (231, 0.4),
         (277, 0.3), (331, 0.2), (397, 0.1), (502, 0))),
    (15, ((0, 0), (23.5, 0.4), (34, 0.6), (47, 0.8), (56, 0.9), (63, 0.95), (79, 1), (100, 0.975), (115, 0.95), (135, 0.9),
          (159, 0.85), (172, 0.8), (194, 0.7), (215, 0.6), (244, 0.5), (290, 0.4), (348, 0.3), (415, 0.2), (500, 0.1), (502, 0))),
    (20, ((0, 0), (19, 0.4), (44, 0.8), (52.5, 0.9), (58, 0.95), (75, 1), (101.5, 0.95), (114.5, 0.9), (132.5, 0.85),
          (143.5, 0.8), (165.5, 0.7), (197.5, 0.6), (241, 0.5), (290, 0.4), (348, 0.3), (415, 0.2), (500, 0.1), (502, 0))),
    (41, ((0, 0), (15, 0.4), (41, 0.8), (49, 0.9), (53, 0.965), (64, 0.99), (71, 1), (88, 0.95), (94, 0.9), (106, 0.85),
          (115, 0.8), (137, 0.7), (180, 0.6), (238, 0.5), (290, 0.4), (348, 0.3), (415, 0.2), (500, 0.1), (502, 0))),
)  # fmt: skip


def roughness_asper(pressure_pa: NDArray[Any], sample_rate_hz: int) -> float:
    """Roughness of one window of 0.2 s in pascal, shape (frames,)."""
    from scipy.fft import irfft, rfft

    tables = _tables(len(pressure_pa), sample_rate_hz)
    spectrum = rfft(pressure_pa * tables.window)[1 : len(tables.barks) + 1] * tables.ear
    level_db = 20 * np.log10(np.maximum(np.abs(spectrum), 1e-12) / _REFERENCE_PA)
    heard = np.flatnonzero(level_db > tables.threshold_db)
    if not len(heard):
        return 0.0
    bins = np.zeros((_CHANNELS, len(pressure_pa) // 2 + 1), dtype=np.complex64)
    bins[:, heard + 1] = spectrum[heard] * _excitation(level_db[heard], tables.barks[heard], tables.hz[heard])
    envelope = np.abs(irfft(bins, len(pressure_pa), axis=1))
    mean = envelope.mean(axis=1)
    fluctuation = rfft(envelope - mean[:, None], axis=1)
    fluctuation[:, : tables.modulation.shape[1]] *= tables.modulation
    fluctuation[:, tables.modulation.shape[1] :] = 0
    waves = irfft(fluctuation, len(pressure_pa), axis=1)
    spread = np.sqrt(np.mean(np.square(waves), axis=1, dtype=np.float64))
    depth = np.minimum(1.0, spread / np.maximum(mean, 1e-12)) * (mean > 0)
    # How alike the fluctuations one Bark apart are, below and above.
    alike = np.mean(waves[:-2] * waves[2:], axis=1, dtype=np.float64) / np.maximum(spread[:-2] * spread[2:], 1e-24)
    below = np.concatenate((np.ones(2), alike))
    above = np.concatenate((alike, np.ones(2)))
    return float(_CALIBRATION * np.sum(tables.weights * (depth * below * above) ** 2))


def _excitation(level_db: NDArray[np.float64], barks: NDArray[np.float64], hz: NDArray[np.float64]) -> NDArray[np.float32]:
    """The part of each heard line that reaches each channel, shape (47, lines): all in its own two, less the further away."""
    upper_slope = np.minimum(0.0, -24 - 230 / hz + 0.2 * level_db)
    channel = np.arange(_CHANNELS)[:, None]
    lowest, highest = np.floor(2 * barks) - 1, np.ceil(2 * barks) - 1
    own = (channel == lowest) | (channel == highest)
    over = channel < lowest
    # Of a line above, what reaches the next channel counts; of a line below, what reaches the one before.
    beside = np.clip(channel + np.where(over, 1, -1), 0, _CHANNELS - 1)
    distance = _CHANNEL_BARKS[beside] - barks
    loss_db = np.where(over, -_LOWER_SLOPE_DB * distance, upper_slope * distance)
    threshold = _between(_CHANNEL_BARKS, _THRESHOLD)
    reaches = level_db + loss_db > threshold[beside]
    return np.where(own, 1.0, np.where(reaches, 10 ** (loss_db / 20), 0.0)).astype(np.float32)


def _between(at: NDArray[np.float64], points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    x, y = np.array(points).T
    return np.asarray(np.interp(at, x, y), dtype=np.float64)


class _Tables:
    def __init__(self, frames: int, sample_rate_hz: int) -> None:
        window = np.blackman(frames)
        # The spectrum holds effective values of lines.
        self.window = window / window.sum() * np.sqrt(2)
        hz = np.arange(1, frames // 2) * sample_rate_hz / frames
        self.hz = hz[hz < _BARK_HZ[-1]]
        self.barks = np.interp(self.hz, _BARK_HZ, np.arange(len(_BARK_HZ)) / 2)
        self.ear = 10 ** (_between(self.barks, _EAR) / 20)
        self.threshold_db = _between(self.barks, _THRESHOLD)
        self.weights = np.interp(_CHANNEL_BARKS, np.arange(len(_WEIGHTS)), _WEIGHTS)
        rates = np.arange(int(502 * frames / sample_rate_hz) + 1) * sample_rate_hz / frames
        self.modulation = np.zeros((_CHANNELS, len(rates)), dtype=np.float32)
        for first, points in _MODULATION:
            self.modulation[first:] = _between(rates, points)


@lru_cache(maxsize=4)
def _tables(frames: int, sample_rate_hz: int) -> _Tables:
    return _Tables(frames, sample_rate_hz)


class RoughnessMeter:
    """Mean roughness of a stream of known length; of several channels the louder counts, window by window."""

    def __init__(self, sample_rate_hz: int, frames: int) -> None:
        self._rate = sample_rate_hz
        self._size = round(WINDOW_S * sample_rate_hz)
        windows = frames // self._size
        self._wanted = np.unique(np.linspace(0, max(0, windows - 1), min(windows, MOST_WINDOWS)).round().astype(int)).tolist()
        self._waiting: NDArray[np.float32] | None = None
        self._number = 0
        self.values: list[float] = []
        """Asper of each window that was looked at."""

    def push(self, pressure_pa: NDArray[np.float32]) -> None:
        """The next block in pascal, shape (frames, channels)."""
        ready = pressure_pa if self._waiting is None else np.concatenate((self._waiting, pressure_pa))
        count = len(ready) // self._size
        last = self._number + count
        while self._wanted and self._wanted[0] < last:
            start = (self._wanted.pop(0) - self._number) * self._size
            window = ready[start : start + self._size]
            loudest = int(np.argmax(np.square(window).sum(axis=0)))
            self.values.append(roughness_asper(window[:, loudest], self._rate))
        self._number = last
        self._waiting = ready[count * self._size :]

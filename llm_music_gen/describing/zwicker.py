"""Loudness in sone by ISO 532-1:2017 (Zwicker), for steady and for changing sounds, free field. Streaming, any sample rate.

The specific loudness of a band falls towards higher frequencies along slopes that depend on the loudness alone, so that each
critical band's fall is a piece of one master curve: that is how whole seconds are worked out at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.zwicker_bank import LEVEL_RATE_HZ, LevelBank
from llm_music_gen.describing.zwicker_decay import RUN_IN_S, Smoothing, after_decay
from llm_music_gen.describing.zwicker_tables import (
    BAND_DB,
    EAR_DB,
    LOW_RANGES_DB,
    LOW_REDUCTIONS_DB,
    SLOPE_RANGES,
    SLOPES,
    THRESHOLDS_DB,
    UPPER_EDGES_BARK,
)

#: Loudness over time is given so many times a second (clause 6: every 2 ms).
LOUDNESS_RATE_HZ = 500
#: Sharpness over time is worked out so many times a second.
SHARPNESS_RATE_HZ = 20
#: Seconds that are worked out at once.
_WORK_S = 64
#: The critical-band rates at which specific loudness is given.
BARKS = np.arange(1, 241) / 10
_LOW_BANDS = 11
_LOUDEST_SONE_PER_BARK = 2_000.0


def core_loudness(levels_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """Loudness of the 20 critical bands, and a silent 21st, from third-octave levels in dB SPL, shapes (28, n) and (21, n)."""
    low = levels_db[:_LOW_BANDS]
    limits = np.array(LOW_RANGES_DB[:-1])[:, None] - np.array(LOW_REDUCTIONS_DB[:-1], dtype=float)  # (7, 11)
    rows = (low[None] > limits[:, :, None]).cumprod(axis=0).sum(axis=0)
    corrected = low + np.array(LOW_REDUCTIONS_DB, dtype=float)[rows, np.arange(_LOW_BANDS)[:, None]]
    power = 10 ** (corrected / 10)
    joined = np.stack([power[0:6].sum(axis=0), power[6:9].sum(axis=0), power[9:11].sum(axis=0)])
    level = np.concatenate((10 * np.log10(np.maximum(joined, 1e-30)), levels_db[_LOW_BANDS:])) - np.array(EAR_DB)[:, None]
    threshold = np.array(THRESHOLDS_DB, dtype=float)[:, None]
    heard = level > threshold
    excess = np.where(heard, level - np.array(BAND_DB)[:, None] - threshold, 0.0)
    out = 0.0635 * 10 ** (0.025 * threshold) * ((0.75 + 0.25 * 10 ** (0.1 * excess)) ** 0.25 - 1)
    out = np.where(heard, np.maximum(out, 0.0), 0.0)
    out[0] *= np.minimum(1.0, 0.4 + 0.32 * out[0] ** 0.2)
    return np.concatenate((out, np.zeros((1, out.shape[1]))))


def total_loudness(core: NDArray[np.float64]) -> NDArray[np.float64]:
    """Loudness in sone of core loudness of shape (21, n): the area under specific loudness, shape (n,)."""
    total = np.zeros(core.shape[1])
    before, lower = np.zeros(core.shape[1]), 0.0
    for number, upper in enumerate(UPPER_EDGES_BARK):
        curve, width = _falling(number), upper - lower
        start = curve.place_of(before)
        # The fall ends where it meets the band's own loudness, or at the edge of the band.
        fall = np.clip(curve.place_of(core[number]) - start, 0.0, width)
        total += curve.area(start + fall) - curve.area(start) + core[number] * (width - fall)
        before, lower = np.maximum(core[number], curve.value(start + width)), upper
    return total


def specific_loudness(core: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sone per Bark at `BARKS`, shape (240, n), of core loudness of shape (21, n)."""
    out = np.empty((len(BARKS), core.shape[1]))
    before, lower = np.zeros(core.shape[1]), 0.0
    for number, upper in enumerate(UPPER_EDGES_BARK):
        curve = _falling(number)
        start = curve.place_of(before)
        for place in range(round(10 * lower), round(10 * upper)):
            out[place] = np.maximum(core[number], curve.value(start + (BARKS[place] - lower)))
        before, lower = np.maximum(core[number], curve.value(start + upper - lower)), upper
    return out


def sharpness_acum(specific: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sharpness by DIN 45692 of specific loudness of shape (240, n); 0 for what is softer than 0.1 sone."""
    weight = np.where(BARKS > 15.8, 0.15 * np.exp(0.42 * (BARKS - 15.8)) + 0.85, 1.0)
    loudness = 0.1 * specific.sum(axis=0)
    moment = 0.1 * ((weight * BARKS)[:, None] * specific).sum(axis=0)
    return np.where(loudness >= 0.1, 0.11 * moment / np.maximum(loudness, 1e-9), 0.0)


def stationary_loudness(levels_db: NDArray[np.float64]) -> float:
    """Sone of 28 third-octave levels in dB SPL, clause 5."""
    return float(total_loudness(core_loudness(np.asarray(levels_db, dtype=float)[:, None]))[0])


def phon(sone: float) -> float:
    """Loudness level of a loudness."""
    return 40 + 10 * math.log2(sone) if sone >= 1 else max(3.0, 40 * (sone + 0.0005) ** 0.35)


class _Curve:
    """How specific loudness falls from very loud to nothing: a place on the curve is the distance from its start in Bark."""

    def __init__(self, slopes: NDArray[np.float64]) -> None:
        self._values = np.concatenate(([_LOUDEST_SONE_PER_BARK], SLOPE_RANGES))
        steps = -np.diff(self._values) / slopes
        self._places = np.concatenate(([0.0], np.cumsum(steps)))
        areas = steps * (self._values[1:] + self._values[:-1]) / 2
        self._areas = np.concatenate(([0.0], np.cumsum(areas)))

    def place_of(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(-value, -self._values, self._places)

    def value(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(place, self._places, self._values)

    def area(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        """Under the curve up to a place."""
        index = np.clip(np.searchsorted(self._places, place, side="right") - 1, 0, len(self._places) - 2)
        inside = np.minimum(place, self._places[-1]) - self._places[index]
        end = self.value(place)
        return np.asarray(self._areas[index] + inside * (self._values[index] + end) / 2)


@lru_cache(maxsize=32)
def _falling(band: int) -> _Curve:
    column = min(max(band - 1, 0), len(SLOPES[0]) - 1)
    return _Curve(np.array([row[column] for row in SLOPES]))


@dataclass(frozen=True, slots=True)
class Zwicker:
    """Loudness over time and over the whole."""

    loudness_sone: NDArray[np.float32]
    """`LOUDNESS_RATE_HZ` times a second."""
    sharpness_acum: NDArray[np.float32]
    """`SHARPNESS_RATE_HZ` times a second; 0 where it is softer than 0.1 sone."""
    stationary_sone: float
    """By the method for steady sounds, from the mean power of each third-octave."""
    stationary_sharpness_acum: float
    third_octaves_db_spl: tuple[float, ...]
    """Mean level of each of the 28 bands from 25 Hz to 12.5 kHz."""

    def percentile_sone(self, percent: float) -> float:
        """The loudness that is exceeded so much of the time: 5 is N5. The first 0.3 s, while the filters fill, do not count."""
        skip = min(round(0.3 * LOUDNESS_RATE_HZ), len(self.loudness_sone) // 2)
        heard = self.loudness_sone[skip:]
        return float(np.percentile(heard, 100 - percent)) if len(heard) else 0.0


class ZwickerMeter:
    """Feed sound pressure with `push`, then ask `result`. Memory: the loudness curve, 7 MB an hour, and some seconds of bands."""

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        self._bank = LevelBank(sample_rate_hz, channels)
        self._run_in = round(RUN_IN_S * LEVEL_RATE_HZ)
        self._waiting: list[NDArray[np.float64]] = [np.zeros((len(UPPER_EDGES_BARK), self._run_in))]
        self._have = 0
        self._smoothing = Smoothing()
        self._loudness: list[NDArray[np.float32]] = []
        self._sharpness: list[NDArray[np.float32]] = []
        self._power = np.zeros(28)
        self._count = 0

    def push(self, pressure_pa: NDArray[np.float32]) -> None:
        """The next block in pascal, shape (frames, channels)."""
        for levels in self._bank.push(pressure_pa):
            self._take(levels)

    def result(self) -> Zwicker:
        """All of it. Nothing can be pushed afterwards."""
        for levels in self._bank.finish():
            self._take(levels)
        self._work()
        mean_db = 10 * np.log10(np.maximum(self._power / max(1, self._count), 1e-30))
        core = core_loudness(mean_db[:, None])
        return Zwicker(
            loudness_sone=np.concatenate(self._loudness) if self._loudness else np.zeros(0, dtype=np.float32),
            sharpness_acum=np.concatenate(self._sharpness) if self._sharpness else np.zeros(0, dtype=np.float32),
            stationary_sone=float(total_loudness(core)[0]),
            stationary_sharpness_acum=float(sharpness_acum(specific_loudness(core))[0]),
            third_octaves_db_spl=tuple(float(level) for level in mean_db),
        )

    def _take(self, levels_db: NDArray[np.float64]) -> None:
        self._power += (10 ** (levels_db / 10)).sum(axis=1)
        self._count += levels_db.shape[1]
        self._waiting.append(core_loudness(levels_db))
        self._have += levels_db.shape[1]
        if self._have >= _WORK_S * LEVEL_RATE_HZ:
            self._work()

    def _work(self) -> None:
        if not self._have:
            return
        core = np.concatenate(self._waiting, axis=1)
        self._waiting, self._have = [core[:, -self._run_in :]], 0
        decayed = after_decay(core, self._run_in)
        loudness = self._smoothing(total_loudness(decayed))
        self._loudness.append(loudness[:: LEVEL_RATE_HZ // LOUDNESS_RATE_HZ].astype(np.float32))
        sparse = decayed[:, :: LEVEL_RATE_HZ // SHARPNESS_RATE_HZ]
        self._sharpness.append(sharpness_acum(specific_loudness(sparse)).astype(np.float32))

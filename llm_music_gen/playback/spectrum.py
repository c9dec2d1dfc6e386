"""Levels for the spectrum display, computed from what is played."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from llm_music_gen.playback.player import Samples
from llm_music_gen.units import SAMPLE_RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 50.0, 14_000.0
FLOOR_DB = -66.0
#: Music falls by roughly this much an octave; the display leans against it so that treble is seen too.
TILT_DB_PER_OCTAVE = 3.0


def band_levels(samples: Samples, bands: int) -> tuple[float, ...]:
    """Level of each of `bands` bands, equally wide to the ear, from 0 (silent) to 1 (full scale)."""
    if bands < 1:
        return ()
    window = np.hanning(len(samples))
    power = np.abs(np.fft.rfft(samples * window)) ** 2 * (2.0 / window.sum()) ** 2
    edges_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, bands + 1)
    bins = np.clip(np.round(edges_hz * len(samples) / SAMPLE_RATE_HZ).astype(int), 1, len(power) - 1)
    peaks = np.array([power[low : max(high, low + 1)].max() for low, high in pairwise(bins)])
    tilt_db = TILT_DB_PER_OCTAVE * np.log2(np.sqrt(edges_hz[:-1] * edges_hz[1:]) / 1000.0)
    level_db = np.where(peaks > 0, 10.0 * np.log10(np.maximum(peaks, 1e-12)) + tilt_db, FLOOR_DB)
    return tuple(float(level) for level in np.clip(1.0 - level_db / FLOOR_DB, 0.0, 1.0))

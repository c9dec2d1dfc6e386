"""Tempo of rendered audio, by two estimators that share no principle: the Fourier transform of a curve of onsets, and the
distances between single onsets."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

#: Which multiples of the true tempo count as found: those in which people tap along.
MULTIPLES = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0)
_TOLERANCE = 0.04
_HOP_S = 0.01
_SLOWEST_BPM, _FASTEST_BPM, _LIKED_BPM, _LIKED_OCTAVES = 40.0, 220.0, 115.0, 1.0
#: Where the four bands of the second estimator meet; how far apart onsets are compared, and how finely.
_BANDS_HZ = (200.0, 1_500.0, 6_000.0)
_FURTHEST_S, _BIN_S = 6.0, 0.005
_LONGEST_INTERVAL_S, _INTERVAL_CLASS_S, _MOST_ONSETS_APART = 6.0, 0.005, 80
_GRID_BPM = np.arange(_SLOWEST_BPM, _FASTEST_BPM, 0.1)


def fourier_tempogram_bpm(mono: NDArray[np.floating], sample_rate_hz: int) -> float | None:
    """Tempo by the Fourier tempogram (Grosche and Müller 2011): the spectrum of the spectral flux at a tempo, its double and
    its quadruple, weighed by how people like to tap. `mono` has shape (frames,). None for what has no onsets."""
    flux = _spectral_flux(mono, sample_rate_hz)
    if len(flux) < 4 / _HOP_S or not flux.any():
        return None
    even = (flux - flux.mean()) * np.hanning(len(flux))
    size = 1 << (16 * len(even)).bit_length()
    spectrum = np.abs(np.fft.rfft(even, size))
    hz = np.arange(len(spectrum)) / (size * _HOP_S)
    strength = sum(np.interp(many * _GRID_BPM / 60, hz, spectrum) for many in (1, 2, 4))
    return float(_GRID_BPM[int(np.argmax(strength * _liking()))])


def interval_histogram_bpm(mono: NDArray[np.floating], sample_rate_hz: int) -> float | None:
    """Tempo by the histogram of inter-onset intervals (Dixon 2001): onsets are picked one by one where the level of many bands
    rises together, the intervals between any two up to 6 s apart are counted, and a beat is that whose multiples stand highest
    above their surroundings. None without onsets."""
    at_s, weight = _onsets(mono, sample_rate_hz)
    if len(at_s) < 4:
        return None
    distances, weights = [], []
    for step in range(1, min(_MOST_ONSETS_APART, len(at_s))):
        distance = at_s[step:] - at_s[:-step]
        near = distance <= _LONGEST_INTERVAL_S
        distances.append(distance[near])
        weights.append(np.sqrt(weight[step:] * weight[:-step])[near])
    edges = np.arange(0.0, _LONGEST_INTERVAL_S + 0.2, _INTERVAL_CLASS_S)
    histogram = np.histogram(np.concatenate(distances), edges, weights=np.concatenate(weights))[0]
    smooth = np.convolve(histogram, np.exp(-0.5 * (np.arange(-12, 13) / 2.5) ** 2), "same")
    # Far intervals are rarer at the ends and in sparse music: only how far one stands out counts.
    around = np.convolve(smooth, np.ones(201) / 201, "same")
    salient = smooth / np.maximum(around, 1e-9) - 1
    bins_s = (np.arange(len(smooth)) + 0.5) * _INTERVAL_CLASS_S
    beats_s = 60 / _GRID_BPM
    strength = sum(np.interp(many * beats_s, bins_s, salient, right=0.0) / many for many in (1, 2, 4))
    return float(_GRID_BPM[int(np.argmax(np.maximum(strength, 0.0) * _liking()))])


def _onsets(mono: NDArray[np.floating], sample_rate_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When something begins, in seconds, and how far the levels of the bands rise there, in decibels; both of shape (onsets,)."""
    hop, window = round(_HOP_S * sample_rate_hz), 1_024 if sample_rate_hz < 32_000 else 2_048
    if len(mono) < window + 4 / _HOP_S * hop:
        return np.zeros(0), np.zeros(0)
    hz = np.fft.rfftfreq(window, 1 / sample_rate_hz)
    edges = np.geomspace(40, min(11_025, sample_rate_hz / 2), 25)
    bank = np.array([(hz >= low) & (hz < high) for low, high in pairwise(edges)], dtype=np.float64)
    bank = bank[bank.sum(axis=1) > 0]
    views = np.lib.stride_tricks.sliding_window_view(mono, window)[::hop]
    shape = np.hanning(window)
    power = np.concatenate(
        [np.abs(np.fft.rfft(views[at : at + 1_000] * shape, axis=1)) ** 2 @ bank.T for at in range(0, len(views), 1_000)]
    )
    if not power.max() > 0:
        return np.zeros(0), np.zeros(0)
    level_db = 10 * np.log10(power / power.max() + 1e-6)
    rise = np.maximum(level_db[2:] - level_db[:-2], 0.0).sum(axis=1)
    rise = np.concatenate(([0.0], rise, [0.0]))
    around = np.convolve(rise, np.ones(41) / 41, "same")
    highest = np.lib.stride_tricks.sliding_window_view(np.pad(rise, 3), 7).max(axis=1)
    places = np.flatnonzero((rise == highest) & (rise > 1.5 * around) & (rise > 0))
    places = places[(places > 0) & (places < len(rise) - 1)]
    left, middle, right = rise[places - 1], rise[places], rise[places + 1]
    shift = 0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-9)
    return (places + np.clip(shift, -0.5, 0.5)) * _HOP_S, middle - around[places]


def tempo_found(measured_bpm: float | None, wanted_bpm: float) -> bool:
    """Whether a tempo is the wanted one within 4 %, or one of its usual multiples."""
    return measured_bpm is not None and any(abs(measured_bpm / (wanted_bpm * many) - 1) <= _TOLERANCE for many in MULTIPLES)


def _liking() -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * (np.log2(_GRID_BPM / _LIKED_BPM) / _LIKED_OCTAVES) ** 2), dtype=np.float64)


def _spectral_flux(mono: NDArray[np.floating], sample_rate_hz: int) -> NDArray[np.float64]:
    """How much the logarithm of the spectrum rises, every 10 ms."""
    hop, window = round(_HOP_S * sample_rate_hz), 1_024
    if len(mono) < window + hop:
        return np.zeros(0)
    views = np.lib.stride_tricks.sliding_window_view(mono, window)[::hop]
    shape = np.hanning(window)
    rises, last = [np.zeros(1)], None
    for start in range(0, len(views), 1_000):
        loud = np.log1p(100 * np.abs(np.fft.rfft(views[start : start + 1_000] * shape, axis=1)))
        joined = loud if last is None else np.concatenate((last, loud))
        rises.append(np.maximum(np.diff(joined, axis=0), 0.0).sum(axis=1))
        last = loud[-1:]
    return np.asarray(np.concatenate(rises), dtype=np.float64)

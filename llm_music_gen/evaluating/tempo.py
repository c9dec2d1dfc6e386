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
    """Tempo by the histogram of inter-onset intervals (Dixon 2001): onsets are rises of the level in four bands, the intervals
    between any two up to 6 s apart are counted, and a beat is that whose multiples stand out most. None without onsets."""
    rise = _level_rises(mono, sample_rate_hz)
    if len(rise) < 4 / _HOP_S or not rise.any():
        return None
    around = np.convolve(rise, np.ones(51) / 51, "same")
    at = np.flatnonzero((rise >= np.roll(rise, 1)) & (rise > np.roll(rise, -1)) & (rise > 1.5 * around) & (rise > 0.1))
    at = at[(at > 0) & (at < len(rise) - 1)]
    if len(at) < 4:
        return None
    before, here, after = rise[at - 1], rise[at], rise[at + 1]
    at_s = (at + 0.5 * (before - after) / np.minimum(before - 2 * here + after, -1e-9)) * _HOP_S
    weight = np.sqrt(here)
    distances, weights = [], []
    for step in range(1, min(80, len(at_s))):
        distance = at_s[step:] - at_s[:-step]
        near = distance <= _FURTHEST_S
        distances.append(distance[near])
        weights.append((weight[step:] * weight[:-step])[near])
    edges_s = np.arange(0.0, _FURTHEST_S + 0.2, _BIN_S)
    histogram = np.histogram(np.concatenate(distances), edges_s, weights=np.concatenate(weights))[0]
    smooth = np.convolve(histogram, np.exp(-0.5 * (np.arange(-8, 9) / 3.0) ** 2), "same")
    standing_out = smooth - np.convolve(smooth, np.ones(201) / 201, "same")
    bins_s = (np.arange(len(smooth)) + 0.5) * _BIN_S
    beats_s = 60 / _GRID_BPM
    strength = sum(
        share * np.interp(many * beats_s, bins_s, standing_out, right=0.0)
        for many, share in ((1, 1.0), (2, 1.0), (4, 1.0), (8, 0.5))
    )
    return float(_GRID_BPM[int(np.argmax(np.maximum(strength, 0.0) * _liking()))])


def _level_rises(mono: NDArray[np.floating], sample_rate_hz: int) -> NDArray[np.float64]:
    """How much the logarithm of the level rises every 10 ms, summed over four bands, each beside its own loud moments."""
    from scipy.signal import butter, sosfilt

    hop = round(_HOP_S * sample_rate_hz)
    count = len(mono) // hop
    rises = np.zeros(count)
    if count < 2:
        return rises
    for low_hz, high_hz in pairwise((0.0, *_BANDS_HZ, sample_rate_hz / 2)):
        if high_hz >= sample_rate_hz / 2:
            sections = butter(4, min(low_hz, 0.49 * sample_rate_hz), "high", fs=sample_rate_hz, output="sos")
        elif low_hz <= 0:
            sections = butter(4, high_hz, "low", fs=sample_rate_hz, output="sos")
        else:
            sections = butter(3, (low_hz, high_hz), "band", fs=sample_rate_hz, output="sos")
        band = sosfilt(sections, mono)[: count * hop].reshape(count, hop)
        level = np.sqrt(np.mean(np.square(band), axis=1))
        logarithm = np.log(level + 0.03 * np.percentile(level, 98) + 1e-9)
        rises[1:] += np.clip(np.diff(logarithm), 0.0, 1.5)
    return rises


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

"""Tempo and density of onsets, from how the spectrum rises."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.dsp.spectrum import spectra, window_frames

_WINDOW_S = 0.04
#: People tap along between these; the middle is where they like to.
_SLOWEST_BPM, _FASTEST_BPM, _LIKED_BPM = 55.0, 200.0, 118.0
_FINEST_BPM = 0.05
#: Under this correlation from beat to beat there is none.
_BEAT_STRENGTH = 0.3
_COMPRESSION = 100.0
_OCTAVE_EDGES_HZ = (150.0, 300.0, 600.0, 1_200.0, 2_400.0, 4_800.0, 9_600.0)
#: Hits fall between windows; so much is shared with neighbours that a beat still meets itself.
_SMOOTH = np.array([0.25, 0.7, 1.0, 0.7, 0.25])
_FASTEST_ONSETS_S = 0.06
#: The first minutes tell the tempo.
_MOST_S = 600.0


@dataclass(frozen=True, slots=True)
class Tempo:
    """How fast a sound moves."""

    bpm: float | None
    """None where no beat can be made out."""
    strength: float
    """0 to 1: how regular the onsets are."""
    onsets_per_s: float


def tempo_of(audio: Audio) -> Tempo:
    """Tempo by the autocorrelation of the onset curve, refined by its Fourier transform; density by its peaks."""
    onset, rate_hz = onset_curve(audio)
    if len(onset) < 2 * rate_hz or not onset.any():
        return Tempo(None, 0.0, 0.0)
    density = _onsets(onset, rate_hz) / (len(onset) / rate_hz)
    even = onset - np.convolve(np.pad(onset, int(rate_hz), mode="edge"), np.ones(2 * int(rate_hz) + 1), "valid") / (
        2 * int(rate_hz) + 1
    )
    size = 1 << (2 * len(even)).bit_length()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(even, size)) ** 2)[: len(even)]
    if correlation[0] <= 0:
        return Tempo(None, 0.0, density)
    correlation = correlation / correlation[0] * len(even) / np.maximum(len(even) - np.arange(len(even)), len(even) / 2)
    bpms = np.arange(_SLOWEST_BPM, _FASTEST_BPM, 0.5)
    lags = 60 * rate_hz / bpms
    # A beat repeats after one, two and four of itself; half beats alone do not make it.
    score = sum(weight * _read(correlation, lags * many) for many, weight in ((1, 1.0), (2, 0.7), (4, 0.4)))
    liked = np.exp(-0.5 * (np.log2(bpms / _LIKED_BPM) / 0.85) ** 2)
    best = float(bpms[int(np.argmax(score * liked))])
    strength = float(np.clip(_read(correlation, np.array([60 * rate_hz / best]))[0], 0.0, 1.0))
    if strength < _BEAT_STRENGTH:
        return Tempo(None, strength, density)
    return Tempo(_refined(even, rate_hz, best), strength, density)


def onset_curve(audio: Audio) -> tuple[NDArray[np.float64], float]:
    """How much the level of each octave rises from window to window, and how many such values there are in a second.

    Octaves count alike, so that a bass drum is as much of a beat as a snare drum with all its noise.
    """
    window = window_frames(audio.sample_rate_hz, _WINDOW_S)
    rate_hz = audio.sample_rate_hz / (window // 4)
    octaves = _octaves(window, audio.sample_rate_hz)
    before: NDArray[np.float32] | None = None
    parts: list[NDArray[np.float64]] = []
    count = 0
    for batch in spectra(audio, window):
        power = np.mean(np.square(batch.real) + np.square(batch.imag), axis=1) @ octaves
        loud = np.log1p(_COMPRESSION * np.sqrt(power) / window)
        previous = loud[:1] if before is None else before
        steps = np.diff(np.concatenate((previous, loud)), axis=0)
        parts.append(np.maximum(steps, 0.0).sum(axis=1, dtype=np.float64))
        before = loud[-1:]
        count += len(loud)
        if count > _MOST_S * rate_hz:
            break
    if not parts:
        return np.zeros(0), rate_hz
    # Soft hits keep the beat as well as loud ones.
    return np.convolve(np.sqrt(np.concatenate(parts)), _SMOOTH, "same"), rate_hz


def _octaves(window: int, sample_rate_hz: int) -> NDArray[np.float32]:
    """Which bins lie in which octave, shape (bins, octaves)."""
    frequencies = np.arange(window // 2 + 1) * sample_rate_hz / window
    edges = np.concatenate(([20.0], _OCTAVE_EDGES_HZ, [sample_rate_hz / 2 + 1]))
    inside = [(frequencies >= low) & (frequencies < high) for low, high in pairwise(edges)]
    return np.asarray(np.array(inside).T, dtype=np.float32)


def _onsets(onset: NDArray[np.float64], rate_hz: float) -> int:
    """Peaks that stand out of what is around them."""
    from scipy.signal import find_peaks

    reach = int(rate_hz // 2) * 2 + 1
    local = np.convolve(np.pad(onset, reach // 2, mode="edge"), np.ones(reach) / reach, "valid")
    floor = 0.1 * float(np.percentile(onset, 99))
    peaks, _ = find_peaks(onset, height=np.maximum(1.5 * local, floor), distance=max(1, round(_FASTEST_ONSETS_S * rate_hz)))
    return len(peaks)


def _read(curve: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.interp(at, np.arange(len(curve)), curve, right=0.0))


def _refined(onset: NDArray[np.float64], rate_hz: float, bpm: float) -> float:
    """The same tempo within a few percent, exactly: where the onset curve's transform at beat and its multiples is largest."""
    at = np.arange(len(onset)) / rate_hz
    best, width = bpm, 0.03
    for _ in range(3):
        candidates = best * (1 + np.linspace(-width, width, 25))
        power = [
            sum(abs(np.sum(onset * np.exp(-2j * np.pi * many * candidate / 60 * at))) for many in (1, 2, 4))
            for candidate in candidates
        ]
        best, width = float(candidates[int(np.argmax(power))]), width / 8
    return round(best / _FINEST_BPM) * _FINEST_BPM

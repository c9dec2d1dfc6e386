"""Key of rendered audio, by two estimators: Bellman's profiles on constant-Q chroma, and Temperley's on a harmonic profile of
spectral peaks that finds the tuning by itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key

#: How often each step sounds in chords of common-practice music (Budge 1943, as weighted by Bellman 2005).
_BELLMAN_BUDGE = (
    (16.80, 0.86, 12.95, 1.41, 13.49, 11.93, 1.25, 20.28, 1.80, 8.04, 0.62, 10.57),
    (18.16, 0.69, 12.99, 13.34, 1.07, 11.15, 1.38, 21.07, 7.49, 1.53, 0.92, 10.21),
)
#: How often each step occurs in the Kostka-Payne excerpts (Temperley 2007).
_TEMPERLEY = (
    (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
    (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
)
_WINDOW = 8_192
_LOWEST_MIDI, _HIGHEST_MIDI = 45, 84
#: Semitones around a band whose median is what drums and noise leave there.
_BROAD_SEMITONES = 13
_HARMONICS, _HARMONIC_WEIGHT = 4, 0.6


def constant_q_key(mono: NDArray[np.floating], sample_rate_hz: int) -> Key | None:
    """Key by Bellman's profiles on chroma of a constant-Q bank (Brown 1991): a band of a semitone for each pitch from A2 to C6,
    less the median of the octave around it, which takes out drums; every moment counts alike. A = 440 Hz. None for silence."""
    from scipy.ndimage import median_filter

    spectra, hz = _spectra(mono, sample_rate_hz)
    centres = 440.0 * 2 ** ((np.arange(_LOWEST_MIDI, _HIGHEST_MIDI + 1) - 69) / 12)
    apart = 12 * np.log2(np.maximum(hz, 1.0)[:, None] / centres[None, :])
    bank = np.exp(-0.5 * (apart / 0.25) ** 2)
    bank /= np.maximum(bank.sum(axis=0), 1e-9)
    bands = spectra @ bank
    if not bands.max(initial=0.0) > 0:
        return None
    bands /= np.maximum(bands.max(axis=1, keepdims=True), 0.02 * bands.max())
    loud = np.log1p(10 * np.maximum(bands - median_filter(bands, (1, _BROAD_SEMITONES)), 0.0))
    chroma = np.zeros(12)
    np.add.at(chroma, np.arange(_LOWEST_MIDI, _HIGHEST_MIDI + 1) % 12, loud.sum(axis=0))
    return _best(chroma, _BELLMAN_BUDGE)


def harmonic_profile_key(mono: NDArray[np.floating], sample_rate_hz: int) -> Key | None:
    """Key by Temperley's profiles on a harmonic pitch-class profile (Gómez 2006): spectral peaks, turned by the tuning that most
    of them share, each counted for the pitches whose 1st to 4th harmonic it could be. None for silence."""
    spectra, hz = _spectra(mono, sample_rate_hz)
    inner = spectra[:, 1:-1]
    tall = (inner > spectra[:, :-2]) & (inner >= spectra[:, 2:]) & (inner > 8 * np.median(spectra, axis=1, keepdims=True))
    rows, lines = np.nonzero(tall)
    lines = lines + 1
    keep = (hz[lines] > 60) & (hz[lines] < 2_000)
    rows, lines = rows[keep], lines[keep]
    if not len(rows):
        return None
    left, middle, right = (np.log(spectra[rows, lines + step] + 1e-12) for step in (-1, 0, 1))
    shift = 0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-9)
    pitch = 69 + 12 * np.log2((lines + np.clip(shift, -0.5, 0.5)) * (hz[1] - hz[0]) / 440.0)
    weight = np.sqrt(spectra[rows, lines])
    # The common tuning is the angle of all deviations from the semitone grid.
    tuning = float(np.angle(np.sum(weight * np.exp(2j * np.pi * pitch)))) / (2 * np.pi)
    pitch = pitch - tuning
    chroma = np.zeros(12)
    for number in range(1, _HARMONICS + 1):
        root = pitch - 12 * np.log2(number)
        near = np.cos(np.pi * (root - np.round(root))) ** 2
        np.add.at(chroma, np.round(root).astype(int) % 12, weight * near * _HARMONIC_WEIGHT ** (number - 1))
    return _best(chroma, _TEMPERLEY)


def key_relation(found: Key | None, wanted: Key) -> str:
    """same, relative, fifth, parallel or other; modes count as major or minor by their third. "none": nothing found."""
    if found is None:
        return "none"
    apart = (found.tonic_pc - wanted.tonic_pc) % 12
    if found.is_minor == wanted.is_minor:
        return {0: "same", 5: "fifth", 7: "fifth"}.get(apart, "other")
    return {0: "parallel", 9 if found.is_minor else 3: "relative"}.get(apart, "other")


def _best(chroma: NDArray[np.float64], profiles: tuple[tuple[float, ...], tuple[float, ...]]) -> Key | None:
    if not chroma.std() > 0:
        return None
    fits = {
        (tonic, mode): float(np.corrcoef(chroma, np.roll(profile, tonic))[0, 1])
        for mode, profile in zip(("major", "minor"), profiles, strict=True)
        for tonic in range(12)
    }
    tonic, mode = max(fits, key=lambda name: fits[name])
    return Key.from_pc(tonic, mode)


def _spectra(mono: NDArray[np.floating], sample_rate_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Magnitudes up to 2.5 kHz, shape (windows, lines), and the frequency of each line."""
    from scipy.signal import decimate

    step = max(1, sample_rate_hz // 11_025)
    slow = decimate(np.asarray(mono, dtype=np.float64), step, ftype="fir") if step > 1 else np.asarray(mono, dtype=np.float64)
    slow = np.pad(slow, (0, max(0, _WINDOW - len(slow))))
    views = np.lib.stride_tricks.sliding_window_view(slow, _WINDOW)[:: _WINDOW // 2]
    hz = np.fft.rfftfreq(_WINDOW, step / sample_rate_hz)
    used = hz < 2_500
    spectra = np.abs(np.fft.rfft(views * np.hanning(_WINDOW), axis=1))[:, used]
    return np.asarray(spectra, dtype=np.float64), np.asarray(hz[used], dtype=np.float64)

"""The tempo: at which rate the beginnings of sounds repeat, from the spectrum of how much sets in at each moment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.proof.checks import Check, judged
from llm_music_gen.proof.stretches import Stretch

_STEP_S = 0.01
_WINDOW = 1_024
_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0
_GRID_BPM = 0.02
#: Measured: the tempo of songs with a beat stands 9 to 18 times above the median of all tempos, the best of calm music 1 to 6.
_CLEAR = 8.0
_TOLERANCE = 0.005
_NEAR = 0.06
#: Beats, halves and quarters of beats.
_MULTIPLES = (1, 2, 4)


def tempo_check(stretch: Stretch | None, promised_bpm: float | None) -> Check:
    """The tempo of the longest stretch; found by itself without a promise, else near the promised one."""
    onsets = _onsets(stretch) if stretch is not None else np.zeros(0)
    if len(onsets) < 8.0 / _STEP_S or not onsets.max() > 0:
        return Check("tempo", None, promised_bpm, None, "bpm", "not measurable", "too short")
    grid = np.arange(_SLOWEST_BPM, _FASTEST_BPM, _GRID_BPM)
    strength = _strength(onsets, grid)
    near = np.abs(grid / promised_bpm - 1.0) < _NEAR if promised_bpm is not None else np.ones(len(grid), dtype=np.bool_)
    place = int(np.where(near, strength, 0.0).argmax())
    if not near.any() or strength[place] < _CLEAR * np.median(strength):
        return Check("tempo", None, promised_bpm, None, "bpm", "not measurable", "no pulse stands out")
    bpm = float(grid[place])
    doubt = 6.0 / (len(onsets) * _STEP_S)
    if promised_bpm is None:
        return Check("tempo", bpm, None, doubt, "bpm", "not promised", "or half or twice as much")
    return judged("tempo", bpm, promised_bpm, _TOLERANCE * promised_bpm, "bpm", doubt)


def _onsets(stretch: Stretch) -> NDArray[np.float64]:
    """How much sets in, every 10 ms: the rise of the spectrum's logarithm, summed over its lines."""
    from scipy import fft

    mono = stretch.samples.mean(axis=1)
    hop = round(_STEP_S * stretch.sample_rate_hz)
    count = (len(mono) - _WINDOW) // hop
    if count < 2:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(mono, _WINDOW)[::hop][:count]
    window = np.hanning(_WINDOW).astype(np.float32)
    rises = [np.zeros(1)]
    last: NDArray[np.float32] | None = None
    for start in range(0, count, 1_000):
        loud = np.log1p(1_000.0 * np.abs(fft.rfft(windows[start : start + 1_000] * window, axis=1)) / _WINDOW)
        joined = loud if last is None else np.concatenate((last, loud))
        rises.append(np.maximum(np.diff(joined, axis=0), 0.0).sum(axis=1))
        last = loud[-1:]
    out = np.concatenate(rises)
    return np.asarray(out - out.mean(), dtype=np.float64)


def _strength(onsets: NDArray[np.float64], grid_bpm: NDArray[np.float64]) -> NDArray[np.float64]:
    """How strongly a tempo is present: its line and those of its halves and quarters of beats."""
    from scipy import fft

    size = fft.next_fast_len(16 * len(onsets))
    spectrum = np.abs(fft.rfft(onsets * np.hanning(len(onsets)), size))
    hz = np.arange(len(spectrum)) / (size * _STEP_S)
    return np.asarray(sum(np.interp(number * grid_bpm / 60.0, hz, spectrum) for number in _MULTIPLES), dtype=np.float64)

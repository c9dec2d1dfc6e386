"""What the model that ships looks at: statistics of a window of log-mel over time, rhythm, tones and their movement.

All but the first four, the levels, are relative to the window's own level or to neighbours in time and frequency: a recording's
gain and its microphone's colour matter little.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.model import HOP_FRAMES, MELS, SAMPLE_RATE_HZ, WINDOW_FRAMES

_GROUP = 4
_GROUPS = MELS // _GROUP
#: Edges of the bands of modulation in Hz.
_MODULATION_HZ = (0.15, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 14.0, 25.1)
_LAGS = (2, 5, 10, 25, 50)
_RIDGE = 3
#: The first band above 250 Hz.
_ABOVE_RUMBLE = 5


def statistics(log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-mel in dB, shape (windows, WINDOW_FRAMES, MELS) -> shape (windows, n)."""
    mean = log_mel.mean(axis=1)
    level = mean.mean(axis=1, keepdims=True)
    grouped = log_mel.reshape(*log_mel.shape[:2], _GROUPS, _GROUP).mean(axis=3)
    out = [level / 10, *_levels(log_mel), (mean - level) / 10, *_distribution(grouped), _modulation(grouped), _together(grouped)]
    return np.concatenate([*out, *_tones(log_mel)], axis=1).astype(np.float32)


def _levels(log_mel: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """How loud the window is above 250 Hz: its quietest, middle and loudest tenths, shape (windows, 1) each."""
    power = 10 ** (np.maximum(log_mel[:, :, _ABOVE_RUMBLE:], -120) / 10)
    ordered = np.sort(10 * np.log10(power.sum(axis=2)), axis=1)
    tenths = [int(WINDOW_FRAMES * share) for share in (0.1, 0.5, 0.9)]
    return [np.asarray(ordered[:, [tenth]] / 10, dtype=np.float32) for tenth in tenths]


def _distribution(grouped: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """How the level of each group of bands is spread over time, and how fast it moves."""
    ordered = np.sort(grouped, axis=1)
    low, middle, high, top = (ordered[:, int(WINDOW_FRAMES * share)] for share in (0.1, 0.5, 0.9, 0.98))
    step = np.diff(grouped, axis=1)
    rise = np.sort(step, axis=1)[:, int(WINDOW_FRAMES * 0.97)]
    slow = grouped.reshape(len(grouped), 10, WINDOW_FRAMES // 10, _GROUPS).mean(axis=2)
    return [
        (middle - low) / 5,
        (high - middle) / 5,
        (top - middle) / 5,
        np.abs(step).mean(axis=1),
        rise / 3,
        slow.std(axis=1) / 3,
    ]


def _modulation(grouped: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of the movement of each group of bands in bands of modulation frequency (speech moves at 4 Hz)."""
    centred = grouped - grouped.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(centred, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    rate_hz = np.fft.rfftfreq(WINDOW_FRAMES, HOP_FRAMES / SAMPLE_RATE_HZ)
    edges = np.searchsorted(rate_hz, _MODULATION_HZ)
    bands = np.stack([power[:, a:b].sum(axis=1) for a, b in pairwise(edges)], axis=1)
    share = bands / (bands.sum(axis=1, keepdims=True) + 1.0)
    return np.asarray(np.log10(share + 1e-3).reshape(len(grouped), -1), dtype=np.float32)


def _together(grouped: NDArray[np.float32]) -> NDArray[np.float32]:
    """Which bands move together: correlations of pairs of groups of bands (what passes by moves all of them)."""
    pairs = grouped.reshape(len(grouped), WINDOW_FRAMES, _GROUPS // 2, 2).mean(axis=3)
    centred = pairs - pairs.mean(axis=1, keepdims=True)
    centred /= np.sqrt((centred**2).sum(axis=1, keepdims=True)) + 1.0
    both = np.swapaxes(centred, 1, 2) @ centred
    rows, columns = np.triu_indices(_GROUPS // 2, 1)
    return np.asarray(both[:, rows, columns])


def _tones(log_mel: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Ridges that stand out of their neighbours in frequency: how far, how long they stay and whether they climb or fall."""
    padded = np.pad(log_mel, ((0, 0), (0, 0), (_RIDGE + 1, _RIDGE)), mode="edge")
    total = np.cumsum(padded, axis=2, dtype=np.float32)
    ridge = log_mel - (total[:, :, 2 * _RIDGE + 1 :] - total[:, :, : -2 * _RIDGE - 1]) / (2 * _RIDGE + 1)
    steady = ridge.mean(axis=1, keepdims=True)
    ridge = ridge - steady
    strongest = ridge.reshape(*ridge.shape[:2], _GROUPS, _GROUP).max(axis=3)
    ordered = np.sort(strongest, axis=1)
    out = [strongest.mean(axis=1) / 2, ordered[:, int(WINDOW_FRAMES * 0.9)] / 4, ordered[:, int(WINDOW_FRAMES * 0.98)] / 4]
    eighths = (len(ridge), MELS // 8, 8)
    power = (ridge**2).mean(axis=1).reshape(eighths).mean(axis=2) + 0.3
    for lag in _LAGS:
        same = (ridge[:, lag:] * ridge[:, :-lag]).mean(axis=1).reshape(eighths).mean(axis=2)
        out.append(same / power * 3)
    for lag in (1, 3):
        rest = ridge[:, lag:], ridge[:, :-lag]
        up = (rest[0][:, :, 1:] * rest[1][:, :, :-1]).mean(axis=1)
        down = (rest[0][:, :, :-1] * rest[1][:, :, 1:]).mean(axis=1)
        for moved in (up, down):
            out.append(np.pad(moved, ((0, 0), (0, 1))).reshape(eighths).mean(axis=2) / power * 3)
    return [*out, steady[:, 0] / 3]

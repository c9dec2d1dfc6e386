"""A true-peak limiter that looks ahead: gain is known before the peak comes, so nothing overshoots and nothing clicks.

Zero latency because it works on stored audio. At every frame the gain that keeps all four oversampled phases under the ceiling is
taken, its minimum over the look-ahead on both sides, and then a Hann-weighted mean over the same span: a mean of minima
is never above what each frame needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.sound.loudness import oversampled
from llm_music_gen.units import db_to_gain

LOOK_AHEAD = 132  # 3 ms at 44.1 kHz
_TAPS_BEFORE = 11
_TAPS_AFTER = 12
#: The smoothed gain moves inside the span of the oversampling filter; this margin covers what that changes.
_MARGIN_DB = 0.05
HALO = 2 * LOOK_AHEAD + _TAPS_AFTER


def limited(
    read: Callable[[int, int], NDArray[np.float32]], frames: int, ceiling_db: float, block: int = 1 << 18
) -> Iterator[NDArray[np.float32]]:
    """Blocks of the limited signal. `read(start, stop)` gives samples of shape (n, 2) for any range inside [0, frames)."""
    ceiling = db_to_gain(ceiling_db - _MARGIN_DB)
    for start in range(0, frames, block):
        stop = min(frames, start + block)
        first, last = max(0, start - HALO), min(frames, stop + HALO)
        samples = read(first, last)
        if float(np.abs(samples).max(initial=0.0)) * 2.0 <= ceiling:
            yield samples[start - first : stop - first]
            continue
        gain = gain_curve(samples, ceiling)
        yield (samples * gain[:, None])[start - first : stop - first]


def gain_curve(samples: NDArray[np.float32], ceiling: float) -> NDArray[np.float32]:
    """The limiter's gain for every frame of `samples`, shape (frames,)."""
    from scipy.ndimage import minimum_filter1d

    padded = np.pad(samples, ((_TAPS_BEFORE, _TAPS_AFTER), (0, 0)))
    peaks = np.maximum(oversampled(padded), np.abs(samples).max(axis=1))
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    if needed.min() >= 1.0:
        return np.ones(len(samples), dtype=np.float32)
    held = minimum_filter1d(needed, 2 * LOOK_AHEAD + 1, mode="nearest")
    window = np.hanning(2 * LOOK_AHEAD + 3)[1:-1]
    smooth = np.convolve(np.pad(held, LOOK_AHEAD, mode="edge"), window / window.sum(), mode="valid")
    return np.asarray(smooth, dtype=np.float32)

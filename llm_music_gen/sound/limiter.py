"""A true-peak limiter that looks ahead: gain is known before the peak comes, so nothing overshoots and nothing clicks.

Zero latency because it works on stored audio. The peak envelope (the largest of each frame's four oversampled phases) is measured
once; then at every frame the gain that keeps it under the ceiling is taken, its minimum over the look-ahead on both sides,
and a Hann-weighted mean over the same span: a mean of minima is never above what each frame needs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.sound.loudness import TAPS_PER_PHASE, loudest, oversampled
from llm_music_gen.units import db_to_gain

LOOK_AHEAD = 132  # 3 ms at 44.1 kHz
#: The smoothed gain moves inside the span of the oversampling filter; this margin covers what that changes.
_MARGIN_DB = 0.05
_HALO = 2 * LOOK_AHEAD
BLOCK = 1 << 18


def peak_envelope(samples: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
    """Largest true peak around each frame of [start, stop), shape (stop - start,). `samples` is the whole signal, (frames, 2)."""
    before = TAPS_PER_PHASE // 2 - 1
    after = TAPS_PER_PHASE - 1 - before
    first, last = max(0, start - before), min(len(samples), stop + after)
    padded = np.pad(samples[first:last], ((first - (start - before), stop + after - last), (0, 0)))
    return np.asarray(np.maximum(oversampled(padded), loudest(samples[start:stop])), dtype=np.float32)


def limited(
    samples: NDArray[np.float32], peaks: NDArray[np.float32], gain_db: float, ceiling_db: float
) -> Iterator[NDArray[np.float32]]:
    """Blocks of the signal with `gain_db` applied and its true peak under the ceiling; `peaks` is the envelope without gain."""
    gain, ceiling = np.float32(db_to_gain(gain_db)), db_to_gain(ceiling_db - _MARGIN_DB)
    for start in range(0, len(samples), BLOCK):
        stop = min(len(samples), start + BLOCK)
        first, last = max(0, start - _HALO), min(len(samples), stop + _HALO)
        curve = gain_curve(peaks[first:last] * gain, ceiling)
        block = samples[start:stop] * gain
        yield block if curve is None else block * curve[start - first : stop - first, None]


def gain_curve(peaks: NDArray[np.float32], ceiling: float) -> NDArray[np.float32] | None:
    """The limiter's gain for every frame, shape (frames,), or None where nothing needs it."""
    from scipy.ndimage import minimum_filter1d
    from scipy.signal import oaconvolve

    if float(peaks.max(initial=0.0)) <= ceiling:
        return None
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9)).astype(np.float64)
    held = minimum_filter1d(needed, 2 * LOOK_AHEAD + 1, mode="nearest")
    window = np.hanning(2 * LOOK_AHEAD + 3)[1:-1]
    smooth = oaconvolve(np.pad(held, LOOK_AHEAD, mode="edge"), window / window.sum(), mode="valid")
    return np.asarray(np.minimum(smooth, 1.0), dtype=np.float32)

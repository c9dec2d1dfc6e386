"""The tuning that a voice keeps to, followed as it sinks or rises."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.melody.pitch import HOP_S

#: Averaged over this, a vibrato is at its centre; a note holds still that is within so many semitones after that time.
_VIBRATO_S, _STILL = 0.18, 1.0
#: Singers without accompaniment sink or rise: the tuning is that of so many seconds, if their notes agree on it so well.
_DRIFT_S, _AGREED = 9.0, 0.5


def tuning(pitches: NDArray[np.float64], clarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cents above equal temperament at 440 Hz at each step, followed as it sinks or rises; in the middle within -50 and 50.

    The mean angle of the steps that hold still, vibrato averaged away; that of the whole where those of some seconds disagree.
    """
    reach = round(_VIBRATO_S / HOP_S / 2)
    if len(pitches) < 2 * reach + 1:
        return np.zeros(len(pitches))
    views = np.lib.stride_tricks.sliding_window_view(pitches, 2 * reach + 1)
    means = np.full(len(pitches), np.nan)
    still = np.abs(views[:, -1] - views[:, 0]) < _STILL  # NaN is never less
    means[reach:-reach][still] = views[still].mean(axis=1)
    weights = np.where(np.isnan(means), 0.0, clarity)
    turns = weights * np.exp(2j * np.pi * np.nan_to_num(means))
    if not weights.any():
        return np.zeros(len(pitches))
    whole = np.angle(turns.sum())
    side = round(_DRIFT_S / HOP_S / 2)
    sums, amounts = (np.concatenate(([0], np.cumsum(values))) for values in (turns, weights))
    steps = np.arange(len(pitches))
    low, high = np.maximum(0, steps - side), np.minimum(len(pitches), steps + side + 1)
    local, amount = sums[high] - sums[low], amounts[high] - amounts[low]
    agreed = np.abs(local) >= _AGREED * np.maximum(amount, 1.0)
    if not agreed[weights > 0].all():
        return np.full(len(pitches), whole / (2 * np.pi) * 100)
    known = np.flatnonzero(agreed)
    course = np.interp(steps, known, np.unwrap(np.angle(local[known])))
    course -= 2 * np.pi * np.round((np.median(course) - whole) / (2 * np.pi))
    return np.asarray(course / (2 * np.pi) * 100)

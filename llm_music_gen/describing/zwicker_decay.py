"""What the ear does in time by ISO 532-1, clause 6: loudness dies away slowly after a sound, and short sounds are softer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.zwicker_bank import LEVEL_RATE_HZ

#: The decay forgets what was so long ago.
RUN_IN_S = 0.5
#: Between two values the input is taken as a straight line of so many steps. The standard's program makes 24 of them; since
#: each step is solved exactly, four give the same to a thousandth.
_STEPS = 4
_SHORT_S, _LONG_S, _VARIABLE_S = 0.005, 0.015, 0.075
#: Pieces that are worked out side by side, and how long they are.
_CHUNKS, _LEAST_S, _MOST_S = 32, 0.4, 2.0
_WEIGHTS = ((0.47, 0.0035), (0.53, 0.07))


def after_decay(core: NDArray[np.float64], run_in: int) -> NDArray[np.float64]:
    """Core loudness with its decay. `core` has shape (21, run_in + n), the result (21, n).

    Chunks are worked out side by side, each from the sound before it.
    """
    count = core.shape[1] - run_in
    size = round(min(max(count / _CHUNKS, _LEAST_S * LEVEL_RATE_HZ), _MOST_S * LEVEL_RATE_HZ))
    chunks = -(-count // size)
    padded = np.pad(core, ((0, 0), (0, chunks * size - count + 1)), mode="edge")
    # Shape (run_in + size + 1, 21 * chunks): time first, so that each step reads one row.
    pieces = np.stack([padded[:, start * size : start * size + run_in + size + 1] for start in range(chunks)])
    rows = np.ascontiguousarray(pieces.transpose(2, 1, 0).reshape(run_in + size + 1, -1))
    out = _decayed(rows)[run_in:]
    joined = out.reshape(size, core.shape[0], chunks).transpose(1, 2, 0).reshape(core.shape[0], -1)
    return np.asarray(joined[:, :count])


def _decayed(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two coupled capacitors of the standard's figure, charged at once and emptied slowly; shapes (n + 1, m) and (n, m)."""
    b0, b1, b2, b3, b4, b5 = _constants(1 / (LEVEL_RATE_HZ * _STEPS))
    out = np.empty((len(rows) - 1, rows.shape[1]))
    first, second = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for number in range(len(rows) - 1):
        start, step = rows[number], (rows[number + 1] - rows[number]) / _STEPS
        for inner in range(_STEPS):
            value = start + inner * step if inner else start
            falling, above = value < first, first > second
            lower = np.maximum(value, np.where(above, b2 * first - b3 * second, b4 * first))
            rising_second = (second - value) * b5 + value
            falling_second = np.where(above, np.minimum(b0 * first - b1 * second, lower), lower)
            still = ~falling & (np.abs(value - first) < 1e-5) & (value <= second)
            second = np.where(falling, falling_second, np.where(still, value, rising_second))
            first = np.where(falling, lower, value)
            if not inner:
                out[number] = first
    return out


def _constants(step_s: float) -> tuple[float, ...]:
    p = (_VARIABLE_S + _LONG_S) / (_VARIABLE_S * _SHORT_S)
    q = 1 / (_SHORT_S * _VARIABLE_S)
    root = math.sqrt(p * p / 4 - q)
    one, two = -p / 2 + root, -p / 2 - root
    den = _VARIABLE_S * (one - two)
    e1, e2 = math.exp(one * step_s), math.exp(two * step_s)
    t1, t2 = _VARIABLE_S * one + 1, _VARIABLE_S * two + 1
    return (
        (e1 - e2) / den, (t2 * e1 - t1 * e2) / den, (t1 * e1 - t2 * e2) / den, t1 * t2 * (e1 - e2) / den,
        math.exp(-step_s / _LONG_S), math.exp(-step_s / _VARIABLE_S),
    )  # fmt: skip


class Smoothing:
    """The two low-pass filters that make short sounds softer; keeps its state from piece to piece."""

    def __init__(self) -> None:
        self._last = 0.0
        self._states = [np.zeros(1), np.zeros(1)]

    def __call__(self, loudness: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.signal import lfilter

        out: NDArray[Any] = np.zeros(len(loudness))
        for number, (weight, time_s) in enumerate(_WEIGHTS):
            ratio = 1 / (LEVEL_RATE_HZ * time_s)
            keep = math.exp(-ratio)
            # Exact for straight lines between the values.
            old, new = (1 - keep) / ratio - keep, 1 - (1 - keep) / ratio
            values, self._states[number] = lfilter([new, old], [1, -keep], loudness, zi=self._states[number])
            out = out + weight * values
        return out

"""Randomness addressed by place: stream and index in, numbers out, whatever was drawn before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def generator_at(seed: int, stream: int, index: int) -> np.random.Generator:
    """The generator that belongs to one index of one stream. Philox is counter-based, so this costs microseconds."""
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, stream & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    counter = np.array([0, 0, index & 0xFFFFFFFFFFFFFFFF, 0], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def slow_walk(seed: int, stream: int, knot_s: float, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth random curve with standard deviation about 1: Catmull-Rom through normal knots `knot_s` apart.

    `times_s` has any shape and must not be negative by more than a knot; the result has the same shape.
    """
    position = times_s / knot_s
    left = np.floor(position).astype(np.int64)
    first, last = int(left.min()) - 1, int(left.max()) + 2
    knots = np.array([generator_at(seed, stream, index).standard_normal() for index in range(first, last + 1)])
    x = position - left
    at = left - first
    p0, p1, p2, p3 = knots[at - 1], knots[at], knots[at + 1], knots[at + 2]
    curve = p1 + 0.5 * x * (p2 - p0 + x * (2 * p0 - 5 * p1 + 4 * p2 - p3 + x * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(curve, dtype=np.float64)

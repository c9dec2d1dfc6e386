"""Locks onto mains hum: one phase for all its harmonics, and the strength of each, from what is heard at their frequencies.

Hum hardly changes, music and voices do. Each harmonic is heard through long windows, which tell it from a steady tone 2 Hz
beside it, and through short ones, which fit into the pauses of a voice; of both that is believed which agrees better with itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Harmonics up to the first number decide the phase, round by round: low ones are safe, high ones exact. The second is how many
#: steps on each side they are compared with: more where they are steadier already.
_ROUNDS = ((2, 10), (4, 15), (8, 20), (16, 30), (64, 40), (64, 40))
#: What all agree on changes little from a step to the next: it is asked for at every so many.
_STRIDE = 5
#: What is stronger than the hum was found to be by this factor is not hum.
_LOUDER = 1.6


@dataclass(frozen=True, eq=False, slots=True)
class Heard:
    """What is heard of each harmonic, its phase turned back by the expected one."""

    values: NDArray[np.complex64]
    """Shape (hearings, channels, harmonics)."""
    each_step: int
    """How many there are for each step of the track."""
    overlap: float
    """How many of them share the same samples."""


def locked_phase(heard: Heard, harmonics: NDArray[np.int_], centred: NDArray[np.bool_]) -> NDArray[np.float64]:
    """By how much the fundamental is ahead of the expected phase at each step, in radians, shape (steps,).

    `centred` says whose windows lie around their step; the others tell of another moment, and go with their neighbours.
    """
    values = heard.values.astype(np.complex128)
    ahead = np.zeros(len(values))
    for highest, side in _ROUNDS:
        used = harmonics <= max(highest, int(harmonics.min()))
        orders = harmonics[used].astype(np.float64)
        turned = values[:, :, used] * np.exp(-1j * ahead[:, None, None] * orders)
        slope, weight = np.zeros(len(values)), np.zeros(len(values))
        for first in range(0, len(values), _STRIDE):
            mean, scale, _ = agreed(turned[max(0, first - side) : first + _STRIDE + side])
            here = turned[first : first + _STRIDE]
            belief = 1 / (1 + (np.abs(here - mean) / scale) ** 2) ** 2 / scale**2
            slope[first : first + _STRIDE] = np.sum(belief * orders * (mean.conj() * here).imag, axis=(1, 2))
            weight[first : first + _STRIDE] = np.sum(belief * orders**2 * np.abs(mean) ** 2, axis=(1, 2))
        most = 0.6 / float(orders.max())
        weight = weight * centred if centred.any() else weight
        ahead += _smoothed(np.clip(slope / np.maximum(weight, 1e-12), -most, most), weight)
    return ahead


def _smoothed(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mains have inertia: each value by those around it, as far as they are sure."""
    kernel = np.array([0.05, 0.25, 0.4, 0.25, 0.05])
    total = np.convolve(weights, kernel, "same")
    return np.asarray(np.convolve(values * weights, kernel, "same") / np.maximum(total, 1e-12))


def strengths(
    series: tuple[Heard, ...], ahead: NDArray[np.float64], harmonics: NDArray[np.int_], known: NDArray[np.float64], side: int
) -> NDArray[np.complex64]:
    """Amplitude of each harmonic at each step, by the locked phase, shape (steps, channels, harmonics)."""
    steps = len(ahead)
    channels = series[0].values.shape[1]
    out = np.empty((steps, channels, len(harmonics)), dtype=np.complex64)
    turned = [
        heard.values * np.exp(-1j * np.repeat(ahead, heard.each_step)[: len(heard.values), None, None] * harmonics)
        for heard in series
    ]
    for first in range(0, steps, _STRIDE):
        best, error = np.zeros((channels, len(harmonics)), dtype=np.complex128), np.full((channels, len(harmonics)), np.inf)
        for heard, values in zip(series, turned, strict=True):
            low, high = max(0, first - side) * heard.each_step, (first + _STRIDE + side) * heard.each_step
            mean, scale, count = agreed(values[low:high])
            unsure = scale / np.sqrt(np.maximum(count / heard.overlap, 1.0))
            best, error = np.where(unsure < error, mean, best), np.minimum(unsure, error)
        most = _LOUDER * known * np.sqrt(channels)
        out[first : first + _STRIDE] = best * np.minimum(1.0, most / np.maximum(np.abs(best), 1e-12))
    return out


def agreed(
    values: NDArray[np.complexfloating],
) -> tuple[NDArray[np.complex128], NDArray[np.float64], NDArray[np.float64]]:
    """What most of the values along the first axis agree on, how far they are from it, and how many of them agree."""
    mean = np.median(values.real, axis=0) + 1j * np.median(values.imag, axis=0)
    weight = np.ones(values.shape)
    scale = np.ones(mean.shape)
    for _ in range(5):
        away = np.abs(values - mean)
        # A third is enough to agree: a voice leaves no more.
        scale = 1.5 * np.quantile(away, 0.33, axis=0) + 1e-9
        weight = 1 / (1 + (away / scale) ** 2) ** 2
        mean = np.sum(weight * values, axis=0) / weight.sum(axis=0)
    return mean, scale, weight.sum(axis=0)

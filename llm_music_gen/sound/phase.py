"""Frequency by the slope of a tone's phase: exact to a fraction of a cent within a second, and unmoved by changes of loudness.

The tone is turned down to 0 Hz with a guess of its frequency, averaged over short windows, and a straight line is fitted to the
phase that is left, every window weighted by its energy. The line's slope is what the guess was off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.units import ratio_to_cents

#: Windows this far under the loudest one count as silence.
_QUIET = 10.0 ** (-40 / 20)
#: Slopes of stretches of this length tell how steady a tone is.
_STRETCH_S = 0.12
#: Windows that cover each moment.
_OVERLAP = 4


@dataclass(frozen=True, slots=True)
class Slope:
    """A tone as a line through its phase."""

    frequency_hz: float
    uncertainty_hz: float
    """One standard error of the slope; grows where the tone wavers."""
    spread_cents: float
    """How far the pitch moves around its mean, one standard deviation."""
    heard_s: float
    """How long the tone was above the silence."""
    level: float
    """Root mean square amplitude of the tone while it was heard."""


@dataclass(frozen=True, slots=True)
class Baseband:
    """A tone turned down to 0 Hz: one complex value each `step_s`, averaged over a Hann window of `window_s`."""

    values: NDArray[np.complex128]
    guess_hz: float
    step_s: float
    window_s: float


def baseband(samples: NDArray[Any], guess_hz: float, sample_rate_hz: float, window_s: float, *, first_frame: int = 0) -> Baseband:
    """Demodulate one channel, shape (frames,). `first_frame` is its place in a longer signal: it keeps the phases together."""
    size = max(4, round(window_s * sample_rate_hz))
    hop = max(1, size // _OVERLAP)
    cycles = np.arange(len(samples), dtype=np.float64) * (guess_hz / sample_rate_hz)
    start = math.fmod(first_frame * (guess_hz / sample_rate_hz), 1.0)
    turned = np.asarray(samples, dtype=np.float64) * np.exp(-2j * np.pi * ((cycles + start) % 1.0))
    if len(turned) < size:
        return Baseband(turned[:0], guess_hz, hop / sample_rate_hz, size / sample_rate_hz)
    window = np.hanning(size + 2)[1:-1]
    values = np.lib.stride_tricks.sliding_window_view(turned, size)[::hop] @ (window / window.sum())
    return Baseband(values, guess_hz, hop / sample_rate_hz, size / sample_rate_hz)


def slope_of(tone: Baseband, *, quiet: float = _QUIET) -> Slope | None:
    """The line through the phase, or None where too little is heard to draw one."""
    levels = np.abs(tone.values)
    if len(levels) < 4 or not levels.max() > 0:
        return None
    heard = levels > quiet * levels.max()
    if np.count_nonzero(heard) < 4:
        return None
    times = np.arange(len(levels)) * tone.step_s
    phase = np.unwrap(np.angle(tone.values))[heard]
    weights, times = levels[heard] ** 2, times[heard]
    rate, error = _line(times, phase, weights, tone.window_s)
    frequency_hz = tone.guess_hz + rate / (2 * np.pi)
    return Slope(
        frequency_hz,
        error / (2 * np.pi),
        _spread_cents(times, phase, weights, tone, frequency_hz),
        float(np.count_nonzero(heard) * tone.step_s),
        float(2.0 * np.sqrt(np.average(levels[heard] ** 2)) / np.sqrt(2.0)),
    )


def _line(
    times: NDArray[np.float64], phase: NDArray[np.float64], weights: NDArray[np.float64], correlated_s: float
) -> tuple[float, float]:
    """Slope and its standard error; neighbours within `correlated_s` share their noise, so they count as one."""
    total = weights.sum()
    centred = times - (weights * times).sum() / total
    mean = (weights * phase).sum() / total
    spread = float((weights * centred * centred).sum())
    rate = float((weights * centred * (phase - mean)).sum()) / spread
    rest = phase - mean - rate * centred
    variance = float((weights * rest * rest).sum() / total)
    step = float(np.median(np.diff(times)))
    independent = max(1.0, float(total * total / (weights * weights).sum()) * step / correlated_s)
    return rate, math.sqrt(variance / (independent * spread / total))


def _spread_cents(
    times: NDArray[np.float64], phase: NDArray[np.float64], weights: NDArray[np.float64], tone: Baseband, frequency_hz: float
) -> float:
    """Standard deviation of the pitch of short stretches."""
    gap = max(1, round(_STRETCH_S / tone.step_s))
    if len(phase) <= gap + 1:
        return 0.0
    rates = (phase[gap:] - phase[:-gap]) / (times[gap:] - times[:-gap]) / (2 * np.pi)
    # Stretches across a gap of silence would say nothing; their length gives them away.
    whole = times[gap:] - times[:-gap] < 1.5 * gap * tone.step_s
    shared = np.minimum(weights[gap:], weights[:-gap]) * whole
    if not shared.sum() > 0:
        return 0.0
    mean = np.average(rates, weights=shared)
    deviation_hz = math.sqrt(float(np.average((rates - mean) ** 2, weights=shared)))
    return abs(ratio_to_cents(1.0 + deviation_hz / frequency_hz))


def peak_near(samples: NDArray[Any], wanted_hz: float, sample_rate_hz: float, within_cents: float) -> tuple[float, float]:
    """(frequency, amplitude) of the strongest line within some cents of a frequency, by a windowed Fourier transform.

    The amplitude is 0 where nothing sounds there.
    """
    return spectrum_peak(*windowed_spectrum(samples, sample_rate_hz), wanted_hz, within_cents)


def windowed_spectrum(samples: NDArray[Any], sample_rate_hz: float) -> tuple[NDArray[np.float64], float]:
    """(amplitudes, distance of the lines in Hz) of a channel under a Hann window, twice zero-padded."""
    from scipy import fft

    size = fft.next_fast_len(2 * len(samples), real=True)
    window = np.hanning(len(samples))
    spectrum = np.abs(fft.rfft(np.asarray(samples, dtype=np.float64) * window, size)) * (2.0 / max(1.0, window.sum()))
    return np.asarray(spectrum, dtype=np.float64), sample_rate_hz / size


def spectrum_peak(spectrum: NDArray[np.float64], line_hz: float, wanted_hz: float, within_cents: float) -> tuple[float, float]:
    """As `peak_near`, from a spectrum that is already there."""
    reach = 2.0 ** (within_cents / 1200.0)
    low = max(1, math.floor(wanted_hz / reach / line_hz))
    high = min(len(spectrum) - 2, math.ceil(wanted_hz * reach / line_hz))
    if high <= low:
        return wanted_hz, 0.0
    place = low + int(np.argmax(spectrum[low : high + 1]))
    a, b, c = np.log(np.maximum(spectrum[place - 1 : place + 2], 1e-30))
    bend = a - 2 * b + c
    shift = float(np.clip(0.5 * (a - c) / bend, -0.5, 0.5)) if bend < 0 else 0.0
    return (place + shift) * line_hz, float(spectrum[place])

"""The pitch of one voice over time: candidates of each step by YIN, and the course through them that is likeliest as a whole.

YIN: de Cheveigne and Kawahara, JASA 111, 2002. Candidates weighed by all thresholds at once: Mauch and Dixon (pYIN), ICASSP 2014.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work

#: From a low bass voice to the highest whistle.
LOWEST_HZ, HIGHEST_HZ = 65.0, 4_200.0
HOP_S = 0.01
#: Compared over this; one and a half periods of a low voice.
_SUM_S = 0.024
#: More samples than this a second add nothing.
_RATE_HZ = 44_100
#: Rumble under every voice is taken away.
_RUMBLE_HZ = 50.0
_CANDIDATES = 4
#: Shape of the weights of thresholds, Beta(2, b): the mean is about 0.1.
_BETA = 18
_BATCH = 128
_SPECTRUM = 4_096
#: What the likeliest course pays, in nats: a semitone from step to step, the widest leap, beginning or ending to sound.
_SEMITONE, _LEAP, _VOICING = 0.4, 4.0, 3.0
_LEAST = 1e-4
#: Softer than this there is nothing, and so far under the loud steps neither.
_SILENT_DB, _RANGE_DB = -72.0, 46.0


@dataclass(frozen=True, eq=False, slots=True)
class Course:
    """Pitch and level at even steps; step n lies at n * HOP_S seconds. All of shape (steps,)."""

    pitches: NDArray[np.float64]
    """MIDI pitch with fraction, A4 = 69; NaN where there is none."""
    levels_db: NDArray[np.float64]
    """dBFS, heard through about 20 ms."""
    bright_db: NDArray[np.float64]
    """The same of the signal's slope, in which overtones count more: a string struck again shows there first."""
    own: NDArray[np.float64]
    """Share of the first and the seventh partial. Notes that sound together have a common period far below, and there neither."""
    clarity: NDArray[np.float64]
    """How sure it is that there is one pitch, 0 to 1."""

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Where there is a pitch."""
        return ~np.isnan(self.pitches)


def following(
    blocks: Iterable[NDArray[np.float32]], *, sample_rate_hz: int, frames: int, message: str = "Listening"
) -> Work[Course]:
    """Follow the voice in blocks of shape (n, channels), `frames` in all. Both channels of stereo are heard, not their sum.

    Memory does not grow with the length but for some numbers a step (about 40 MB an hour).
    """
    found: list[tuple[NDArray[np.float32], ...]] = []
    steps = 0
    for windows, rate_hz in _windows(blocks, sample_rate_hz):
        pitches, masses = _candidates(windows, rate_hz)
        levels_db, bright_db = _levels(windows), _levels(np.diff(windows, axis=2))
        found.append((pitches, masses, levels_db, bright_db, _own(windows, pitches[:, 0], rate_hz)))
        steps += windows.shape[1]
        yield Progress("melody", min(1.0, steps * HOP_S * sample_rate_hz / max(1, frames)), message)
    if not found:
        return Course(np.full(0, np.nan), *(np.zeros(0) for _ in range(4)))
    pitches, masses, levels_db, bright_db, own = (np.concatenate(parts) for parts in zip(*found, strict=True))
    loud = float(np.percentile(levels_db, 95))
    masses[levels_db < max(_SILENT_DB, loud - _RANGE_DB)] = 0.0
    chosen = _likeliest(pitches, masses)
    rows = np.arange(len(pitches))
    heard = chosen < _CANDIDATES
    taken = np.minimum(chosen, _CANDIDATES - 1)
    return Course(
        np.where(heard, pitches[rows, taken], np.nan).astype(np.float64),
        levels_db.astype(np.float64),
        bright_db.astype(np.float64),
        own.astype(np.float64),
        np.where(heard, masses[rows, taken], 0.0).astype(np.float64),
    )


def _windows(blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int) -> Iterator[tuple[NDArray[np.float64], float]]:
    """Batches of windows of shape (channels, n, samples), one around each step, and their rate; silence lies around the sound."""
    from scipy.signal import butter, sosfilt

    thin = max(1, round(sample_rate_hz / _RATE_HZ))
    rate_hz = sample_rate_hz / thin
    length = (max(8, round(_SUM_S * rate_hz)) + int(rate_hz / LOWEST_HZ) + 2) * thin
    highpass = butter(2, _RUMBLE_HZ, "highpass", fs=sample_rate_hz, output="sos")
    state: NDArray[np.float64] | None = None
    waiting = np.zeros((1, length // 2))
    start, step = 0, 0  # the frame at which `waiting` begins, counted from half a window before the sound; the next step
    total = 0

    def ready(waiting: NDArray[np.float64], last: int) -> Iterator[tuple[NDArray[np.float64], float]]:
        nonlocal step
        while step < last:
            firsts = [round(number * HOP_S * sample_rate_hz) - start for number in range(step, min(last, step + _BATCH))]
            whole = np.stack([waiting[:, first : first + length] for first in firsts], axis=1)
            step += len(firsts)
            thinned = whole.reshape(*whole.shape[:2], length // thin, thin).mean(axis=3) if thin > 1 else whole
            same = len(thinned) == 1 or np.array_equal(thinned[0], thinned[1])
            yield (thinned[:1] if same else thinned), rate_hz

    for block in blocks:
        if not len(block):
            continue
        total += len(block)
        # Samples of instruments are often so far apart in stereo that parts of them vanish from the sum.
        samples = block.T.astype(np.float64) if block.shape[1] <= 2 else block.mean(axis=1, dtype=np.float64)[None]
        if state is None:
            state = np.zeros((len(highpass), len(samples), 2))
            waiting = np.zeros((len(samples), length // 2))
        filtered, state = sosfilt(highpass, samples, zi=state)
        waiting = np.concatenate((waiting, filtered), axis=1)
        reach = (start + waiting.shape[1] - length) / (HOP_S * sample_rate_hz)
        if reach >= step + _BATCH:
            yield from ready(waiting, int(reach))
            done = round(step * HOP_S * sample_rate_hz) - start
            waiting, start = waiting[:, done:], start + done
    yield from ready(np.pad(waiting, ((0, 0), (0, length))), int(np.ceil(total / (HOP_S * sample_rate_hz))))


def _levels(windows: NDArray[np.float64]) -> NDArray[np.float32]:
    hann = np.hanning(windows.shape[2])
    return np.asarray(10 * np.log10((windows**2 @ (hann / hann.sum())).mean(axis=0) + 1e-12), dtype=np.float32)


def _own(windows: NDArray[np.float64], pitches: NDArray[np.float32], rate_hz: float) -> NDArray[np.float32]:
    """Share of the first and the seventh in the power of the first eight partials of each window, shape (windows,)."""
    from scipy.fft import rfft

    power = (np.abs(rfft(windows * np.hanning(windows.shape[2]), _SPECTRUM, axis=2)) ** 2).sum(axis=0)
    bins = 440 * 2 ** ((pitches.astype(np.float64) - 69) / 12) * _SPECTRUM / rate_hz
    nearest = np.round(bins[:, None] * np.arange(1, 9)).astype(np.int64)
    inside = nearest < power.shape[1]
    partials = np.where(inside, np.take_along_axis(power, np.where(inside, nearest, 0), axis=1), 0.0)
    return np.asarray((partials[:, 0] + partials[:, 6]) / np.maximum(partials.sum(axis=1), 1e-12), dtype=np.float32)


def _candidates(windows: NDArray[np.float64], rate_hz: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """MIDI pitch of each candidate and how likely it is, both of shape (windows, candidates)."""
    from scipy.fft import irfft, next_fast_len, rfft

    _, count, length = windows.shape
    sums = max(8, round(_SUM_S * rate_hz))
    longest = length - sums
    size = next_fast_len(length + sums, real=True)
    spectra = rfft(windows, size, axis=2) * rfft(windows[:, :, :sums], size, axis=2).conj()
    products = irfft(spectra.sum(axis=0), size, axis=1)[:, :longest]
    energy = np.concatenate((np.zeros((count, 1)), np.cumsum((windows**2).sum(axis=0), axis=1)), axis=1)
    lags = np.arange(longest)
    difference = np.maximum(energy[:, [sums]] + energy[:, lags + sums] - energy[:, lags] - 2 * products, 0.0)
    mean = np.cumsum(difference, axis=1)[:, 1:] / np.arange(1, longest)
    dips = np.ones((count, longest))
    dips[:, 1:] = difference[:, 1:] / np.maximum(mean, 1e-12)
    shortest = max(3, int(rate_hz / HIGHEST_HZ))
    inner = dips[:, shortest : longest - 1]
    lowest = (inner <= dips[:, shortest - 1 : longest - 2]) & (inner < dips[:, shortest + 1 : longest])
    values = np.where(lowest, np.minimum(inner, 1.0), 1.0)
    before = np.minimum.accumulate(np.concatenate((np.ones((count, 1)), values[:, :-1]), axis=1), axis=1)
    # A dip is the first under all thresholds between itself and the deepest one before it.
    masses = np.where(values < before, _under(before) - _under(values), 0.0)
    best = np.argsort(masses, axis=1)[:, : -_CANDIDATES - 1 : -1]
    at = best + shortest
    rows = np.arange(count)[:, None]
    # The parabola goes through the difference itself: dividing by the running mean moves its lowest point.
    a, b, c = (difference[rows, at + offset] for offset in (-1, 0, 1))
    bend = a - 2 * b + c
    lag = at + np.where(bend > 0, np.clip(0.5 * (a - c) / np.where(bend > 0, bend, 1.0), -1.0, 1.0), 0.0)
    pitches = 69 + 12 * np.log2(rate_hz / lag / 440.0)
    return pitches.astype(np.float32), masses[rows, best].astype(np.float32)


def _under(threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of thresholds under one: the cumulated Beta(2, b)."""
    return np.asarray(1 - (1 - threshold) ** _BETA * (1 + _BETA * threshold))


def _likeliest(pitches: NDArray[np.float32], masses: NDArray[np.float32]) -> NDArray[np.int_]:
    """Which candidate each step takes, shape (steps,); `_CANDIDATES` stands for none. Viterbi over the logarithms."""
    steps = len(pitches)
    silent = np.maximum(1 - masses.sum(axis=1, keepdims=True), _LEAST)
    gains = np.log(np.concatenate((np.maximum(masses, _LEAST), silent), axis=1))
    came = np.zeros((steps, _CANDIDATES + 1), dtype=np.int8)
    price = np.zeros((_CANDIDATES + 1, _CANDIDATES + 1))
    price[-1, :-1] = price[:-1, -1] = _VOICING
    total = gains[0].astype(np.float64)
    for step in range(1, steps):
        apart = np.abs(pitches[step - 1][:, None] - pitches[step])
        price[:-1, :-1] = np.minimum(apart * _SEMITONE, _LEAP)
        ways = total[:, None] - price
        came[step] = best = ways.argmax(axis=0)
        total = ways[best, np.arange(_CANDIDATES + 1)] + gains[step]
    path = np.empty(steps, dtype=np.int64)
    path[-1] = int(np.argmax(total))
    for step in range(steps - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return path

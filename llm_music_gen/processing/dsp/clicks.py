"""Clicks and pops: found as what neither the past nor the future of the sound explains, replaced by what both expect.

Prediction by an autoregressive model in both directions, and least-squares interpolation under the same model (Godsill and
Rayner, Digital Audio Restoration, 1998, chapters 3 and 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.dsp.spectrum import exact_blocks

_HOP = 4_096
_AROUND = 1_024
_ORDER = 32
#: Sub-blocks in which typical and largest errors are compared, 1.5 ms at 44.1 kHz, and how many on each side.
_CELL, _CELLS = 64, 14
#: A click stands this far over the median error around it (0.67 standard deviations of noise) ...
_OVER_MEDIAN = 12.0
#: ... and over the third-largest cell nearby: voices and drums have such errors again and again, clicks do not.
_OVER_OTHERS = 2.5
#: What is softer than the sound around it is left: nobody hears it, and it may be the start of a note.
_OVER_LEVEL = 0.7
#: What a repair may leave of the prediction error's energy.
_EXPLAINED = 0.1
_LONGEST = 128
_FAINTEST = 1e-4


@dataclass(frozen=True, slots=True)
class Repair:
    """One click."""

    channel: int
    start: int
    samples: NDArray[np.float32]
    """What replaces it."""


def remove_clicks(audio: Audio) -> Audio:
    """The sound with its clicks repaired; everything else stays as it is, bit for bit."""

    def walk() -> Iterator[Block]:
        for block, repairs in _repaired(audio):
            for repair in repairs:
                block[repair.start : repair.start + len(repair.samples), repair.channel] = repair.samples
            yield block

    return Audio(audio.sample_rate_hz, audio.channels, audio.frames, walk)


def clicks_per_minute(audio: Audio) -> float:
    """How many clicks there are."""
    count = sum(len(repairs) for _, repairs in _repaired(audio))
    return 60.0 * count / audio.length_s if audio.frames else 0.0


def _repaired(audio: Audio) -> Iterator[tuple[Block, list[Repair]]]:
    """Hops of the stream, each with the repairs that begin in it; a repair never reaches into the next."""
    before = np.zeros((0, audio.channels), dtype=np.float32)
    now: Block | None = None
    for following in exact_blocks(audio, _HOP):
        if now is not None:
            yield now.copy(), _repairs(before, now, following[:_AROUND])
            before = np.concatenate((before, now))[-_AROUND:]
        now = following
    if now is not None:
        yield now.copy(), _repairs(before, now, now[:0])


def _repairs(before: Block, now: Block, after: Block) -> list[Repair]:
    around = np.concatenate((before, now, after))
    first, last = len(before), len(before) + len(now)
    out: list[Repair] = []
    for channel in range(around.shape[1]):
        samples = around[:, channel].astype(np.float64)
        # Clicks spoil the model that finds them: it is made again without the plain ones.
        spans = _spans(samples, samples, first, last)
        if spans:
            cleaned = samples.copy()
            for start, stop in spans:
                cleaned[start:stop] = np.interp(np.arange(start, stop), (start - 1, stop), samples[[start - 1, stop]])
            model = _model(cleaned)
            for start, stop in _spans(samples, cleaned, first, last):
                filled = _interpolated(samples, start, stop, model)
                if _is_better(samples, start, stop, filled, model):
                    out.append(Repair(channel, start - first, filled.astype(np.float32)))
    return out


def _is_better(
    samples: NDArray[np.float64], start: int, stop: int, filled: NDArray[np.float64], model: NDArray[np.float64] | None
) -> bool:
    """Whether it was a click: louder than its surroundings, and explained once it is filled. The start of a note is neither."""
    side = np.concatenate((samples[max(0, start - 2 * _CELL) : start], samples[stop : stop + 2 * _CELL]))
    if float(np.abs(filled - samples[start:stop]).max()) < max(_FAINTEST, _OVER_LEVEL * float(np.sqrt(np.mean(side**2)))):
        return False
    if float(np.abs(filled).max()) > 1.3 * float(np.abs(side).max()) + _FAINTEST or model is None:
        return model is None
    old = samples[max(0, start - _ORDER) : stop + _ORDER]
    new = old.copy()
    new[min(start, _ORDER) :][: stop - start] = filled
    errors = [float(np.sum(np.convolve(part, model, mode="valid") ** 2)) for part in (old, new)]
    nearby = np.convolve(samples[max(0, start - _AROUND) : stop + _AROUND], model, mode="valid")
    usual = len(old) * float(np.median(np.abs(nearby)) / 0.6745) ** 2
    return errors[1] < max(_EXPLAINED * errors[0], 4.0 * usual)


def _spans(samples: NDArray[np.float64], for_model: NDArray[np.float64], first: int, last: int) -> list[tuple[int, int]]:
    """Where clicks are in [first, last)."""
    model = _model(for_model)
    if model is None:
        return []
    forward = np.abs(np.convolve(samples, model)[: len(samples)])
    backward = np.abs(np.convolve(samples, model[::-1])[_ORDER:])
    # Only where the sound surprises from both sides is it broken.
    error = np.minimum(forward, backward)
    error[: _ORDER + 1] = 0.0
    error[-_ORDER - 1 :] = 0.0
    cells = len(error) // _CELL
    if cells < 4:
        return []
    threshold = np.repeat(_thresholds(error[: cells * _CELL].reshape(cells, _CELL)), _CELL)
    hits = np.flatnonzero(error[: len(threshold)] > threshold)
    spans: list[tuple[int, int]] = []
    for hit in hits.tolist():
        if spans and hit < spans[-1][1]:
            continue
        # The click is as long as its error stays over a fifth of the threshold.
        low = 0.2 * threshold[hit]
        start, stop = hit, hit + 1
        while start > 1 and error[start - 3 : start].max(initial=0.0) > low and hit - start < _LONGEST:
            start -= 1
        while stop < len(error) - 1 and error[stop : stop + 3].max(initial=0.0) > low and stop - hit < _LONGEST:
            stop += 1
        start, stop = max(start - 1, first, 1), min(stop + 1, last, len(error) - 1)
        if first <= hit < last and 0 < stop - start <= _LONGEST:
            spans.append((start, stop))
    return spans


def _thresholds(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each cell how large an error must be to be a click there; infinite where none is large enough."""
    medians, largest = np.median(cells, axis=1), cells.max(axis=1)
    count, out = len(cells), np.full(len(cells), np.inf)
    # Cells that cannot hold a click need no threshold: the sixth-largest around is never more than the third of the others.
    nearby = np.lib.stride_tricks.sliding_window_view(np.pad(largest, _CELLS), 2 * _CELLS + 1)
    possible = largest > np.maximum(_OVER_OTHERS * np.partition(nearby, -6, axis=1)[:, -6], _FAINTEST)
    for cell in np.flatnonzero(possible & (largest > _OVER_MEDIAN * medians.min())).tolist():
        before, after = slice(max(0, cell - _CELLS), max(0, cell - 1)), slice(min(count, cell + 2), min(count, cell + _CELLS + 1))
        typical = max((float(np.median(medians[side])) for side in (before, after) if side.stop > side.start), default=0.0)
        others = np.sort(np.concatenate((largest[before], largest[after])))
        third = float(others[-3]) if len(others) >= 3 else float(others.max(initial=0.0))
        out[cell] = max(_OVER_MEDIAN * typical, _OVER_OTHERS * third, _FAINTEST)
    return out


def _model(samples: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Prediction-error filter (1, -a1, -a2 ...), or None for silence. Autocorrelation method, slightly whitened."""
    from scipy.fft import irfft, next_fast_len, rfft
    from scipy.linalg import solve_toeplitz

    if len(samples) < 4 * _ORDER:
        return None
    shaped = samples * np.hanning(len(samples) + 2)[1:-1]
    size = next_fast_len(2 * len(shaped), real=True)
    correlation = irfft(np.abs(rfft(shaped, size)) ** 2, size)[: _ORDER + 1]
    if correlation[0] < 1e-12:
        return None
    correlation[0] *= 1 + 1e-9
    prediction = solve_toeplitz(correlation[:-1], correlation[1:])
    return np.concatenate(([1.0], -prediction))


def _interpolated(samples: NDArray[np.float64], start: int, stop: int, model: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """What the model expects in [start, stop) from both sides: least prediction error over all."""
    from scipy.linalg import solve, toeplitz

    if model is None:
        return np.interp(np.arange(start, stop), (start - 1, stop), samples[[start - 1, stop]])
    order = len(model) - 1
    products = np.correlate(model, model, mode="full")[order:]
    known = samples[max(0, start - order) : stop + order].copy()
    at = start - max(0, start - order)
    known[at : at + stop - start] = 0.0
    right = -np.convolve(known, np.concatenate((products[:0:-1], products)))[order:][at : at + stop - start]
    column = np.zeros(stop - start)
    column[: min(len(column), len(products))] = products[: len(column)]
    return np.asarray(solve(toeplitz(column), right, assume_a="pos"), dtype=np.float64)

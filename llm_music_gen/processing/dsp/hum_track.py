"""Mains hum followed in frequency, strength and phase, and subtracted.

Subtracting what was fitted acts as a comb of very narrow notches that follow the mains: music 2 Hz beside a harmonic stays. Hum
hardly changes, music does: of all fits within some seconds those count that agree, so that a voice over the hum does not
disturb it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.dsp.spectrum import exact_blocks, hann

#: Mains stray by 0.2 Hz, old tapes by a little more; the nearest notes (G1, B1) lie 1 Hz off and further.
STRAY_HZ = 0.45
_FIT_S = 2.0
_STEP_S = 0.4
#: Fits on each side that are asked, 4 s.
_SIDE = 10
#: What is stronger than the hum was found to be by this factor is not hum.
_LOUDER = 1.6


@dataclass(frozen=True, eq=False, slots=True)
class HumTrack:
    """The hum at each step of a stream."""

    harmonics: tuple[int, ...]
    step: int
    """Frames from one fit to the next; fit n lies at frame (n + 1) * step."""
    frequencies_hz: NDArray[np.float64]
    """Of the fundamental, shape (fits,)."""
    amplitudes: NDArray[np.complex64]
    """Of each harmonic where the fit lies, shape (fits, channels, harmonics)."""


def followed(audio: Audio, frequency_hz: float, harmonics: tuple[int, ...], levels_dbfs: Sequence[float]) -> HumTrack:
    """The course of a hum whose frequency and levels are roughly known. Walks the stream once."""
    rate = audio.sample_rate_hz
    step, reach = max(1, round(_STEP_S * rate)), round(_FIT_S * rate / 2)
    # Fits are made at every n-th sample after averaging: 8 kHz and more hold all harmonics that are looked for.
    thin = max(1, rate // 8_000)
    known = 10 ** (np.array(levels_dbfs) / 20)
    guesses: list[NDArray[np.float64]] = []
    trust: list[NDArray[np.float64]] = []
    amplitudes: list[NDArray[np.complex64]] = []
    now_hz = frequency_hz
    for centre, around, _ in _surroundings(audio, step, reach):
        fit = _fit(around, centre, now_hz, harmonics, known, rate, thin)
        amplitudes.append(fit.amplitudes.astype(np.complex64))
        guesses.append(fit.frequencies_hz)
        trust.append(fit.trust)
        recent = slice(-_SIDE, None)
        now_hz = _weighted_median(np.array(guesses[recent]), np.array(trust[recent]), now_hz)
        now_hz = float(np.clip(now_hz, frequency_hz - STRAY_HZ, frequency_hz + STRAY_HZ))
    frequencies = _straightened(np.array(guesses), np.array(trust), frequency_hz)
    return _agreed(HumTrack(harmonics, step, frequencies, np.array(amplitudes)), known, rate)


def _straightened(guesses: NDArray[np.float64], trust: NDArray[np.float64], otherwise: float) -> NDArray[np.float64]:
    """The frequency at each fit: a straight line through the guesses around it that agree, shape (fits,)."""
    out = np.empty(len(guesses))
    for number in range(len(guesses)):
        first, last = max(0, number - _SIDE // 2), number + _SIDE // 2 + 1
        near, weight = guesses[first:last], trust[first:last]
        at = np.repeat(np.arange(len(near))[:, None] + first - number, near.shape[1], axis=1).astype(np.float64)
        level, slope = _weighted_median(near, weight, otherwise), 0.0
        if np.count_nonzero(weight) > 4:
            for _ in range(6):
                away = np.abs(near - level - slope * at)
                scale = 1.5 * _weighted_median(away, weight, 1.0) + 1e-5
                agreeing = weight / (1 + (away / scale) ** 2) ** 2
                total, mean = agreeing.sum(), np.sum(agreeing * at) / agreeing.sum()
                # Mains move slowly: the line is held level a little.
                slope = np.sum(agreeing * (at - mean) * near) / (np.sum(agreeing * (at - mean) ** 2) + total)
                level = np.sum(agreeing * near) / total - slope * mean
        out[number] = level
    return out


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64], otherwise: float) -> float:
    """The value with half of the weight on either side; nobody who is far off can move it far."""
    if not weights.any():
        return otherwise
    order = np.argsort(values, axis=None)
    total = np.cumsum(weights.ravel()[order])
    return float(values.ravel()[order[int(np.searchsorted(total, total[-1] / 2))]])


@dataclass(frozen=True, eq=False, slots=True)
class _Fit:
    amplitudes: NDArray[np.complex128]
    """Of each harmonic at the centre, shape (channels, harmonics)."""
    frequencies_hz: NDArray[np.float64]
    """The fundamental as each harmonic has it."""
    trust: NDArray[np.float64]
    """How far each is to be believed; 0 where music lies on it."""


def subtracted(audio: Audio, track: HumTrack) -> Iterator[Block]:
    """The stream without the hum, faded from each fit to the next."""
    rate, step = audio.sample_rate_hz, track.step
    fade = hann(2 * step)
    leaving: NDArray[np.float32] | None = None
    for number, block in enumerate(exact_blocks(audio, step)):
        fitted, frequency_hz = track.amplitudes[number], float(track.frequencies_hz[number])
        here = _sounding(fitted, frequency_hz, track.harmonics, np.arange(-step, step), rate)
        # Before its place this fit comes in while the one before goes out.
        coming = here[:, :step] * fade[:step] + leaving if leaving is not None else here[:, :step]
        leaving = here[:, step:] * fade[step:]
        yield (block - coming.T[: len(block)]).astype(np.float32)


def _fit(
    around: NDArray[np.float32],
    centre: int,
    frequency_hz: float,
    harmonics: tuple[int, ...],
    known: NDArray[np.float64],
    rate: int,
    thin: int,
) -> _Fit:
    """What sounds at the multiples of a frequency around the frame `centre`."""
    count = len(around) // thin
    thinned = around[: count * thin].reshape(count, thin, -1).mean(axis=1).T.astype(np.float64)
    at = (np.arange(count) * thin + (thin - 1) / 2 - centre) / rate
    weight = np.blackman(count + 2)[1:-1]
    basis = _turning(at, frequency_hz, harmonics)
    fitted = thinned * weight @ basis.conj().T * (2 / weight.sum())
    # Averaging over `thin` samples made high harmonics weaker.
    x = np.pi * np.array(harmonics) * frequency_hz / rate
    droop = np.sin(x * thin) / (thin * np.sin(x))
    # How far the phase turns from the first two thirds to the last says how far the frequency is off.
    third = count // 3
    taper = np.blackman(count - third + 2)[1:-1]
    halves = [thinned[:, part] * taper @ basis[:, part].conj().T for part in (slice(None, count - third), slice(third, None))]
    turns = np.angle(np.sum(halves[1] * halves[0].conj(), axis=0)) / (2 * np.pi)
    guesses_hz = frequency_hz + turns * rate / (max(third, 1) * thin * np.array(harmonics))
    loud = np.sqrt(np.mean(np.abs(fitted) ** 2, axis=0))
    clear = (loud < 1.4 * known) & (loud > known / 1.4) & (count * thin > _FIT_S / 3 * rate)
    return _Fit(fitted / droop, guesses_hz, known * np.array(harmonics) * clear)


def _agreed(track: HumTrack, known: NDArray[np.float64], rate: int) -> HumTrack:
    """Each fit replaced by what the fits around it agree on, all turned to its place."""
    fits = len(track.frequencies_hz)
    frequencies = track.frequencies_hz
    turns = np.concatenate(([0.0], np.cumsum((frequencies[1:] + frequencies[:-1]) / 2))) * track.step / rate
    harmonics = np.array(track.harmonics)
    out = np.empty_like(track.amplitudes)
    for number in range(fits):
        near = slice(max(0, number - _SIDE), number + _SIDE + 1)
        turn = np.exp(-2j * np.pi * (turns[near, None] - turns[number]) * harmonics)
        there = track.amplitudes[near] * turn[:, None]
        agreed = np.median(there.real, axis=0) + 1j * np.median(there.imag, axis=0)
        spread = np.median(np.abs(there - agreed), axis=0) + 1e-9
        for _ in range(3):
            weight = 1 / (1 + (np.abs(there - agreed) / spread) ** 2) ** 2
            agreed = np.sum(weight * there, axis=0) / weight.sum(axis=0)
        most = _LOUDER * known * np.sqrt(len(agreed))
        out[number] = agreed * np.minimum(1.0, most / np.maximum(np.abs(agreed), 1e-12))
    return HumTrack(track.harmonics, track.step, frequencies, out)


def _surroundings(audio: Audio, step: int, reach: int) -> Iterator[tuple[int, NDArray[np.float32], Block]]:
    """For each step: where its end lies in the frames around it, those frames, and the step itself.

    At both ends of the stream as many frames are given as elsewhere, if there are so many: they lie to one side then.
    """
    parts = exact_blocks(audio, step)
    held = np.zeros((0, audio.channels), dtype=np.float32)
    start, done = 0, 0
    while done < audio.frames:
        centre = done + step
        first = max(0, min(centre - reach, audio.frames - 2 * reach))
        last = min(audio.frames, max(centre + reach, 2 * reach))
        while start + len(held) < max(last, min(done + step, audio.frames)):
            held = np.concatenate((held, next(parts)))
        drop = max(0, min(first, done) - start)
        held, start = held[drop:], start + drop
        yield centre - first, held[first - start : last - start], held[done - start : done - start + step]
        done += step


def _turning(at_s: NDArray[np.float64], frequency_hz: float, harmonics: tuple[int, ...]) -> NDArray[np.complex128]:
    """exp(2 pi i h f t), shape (harmonics, times): each from the one before, which is faster than asking for sines."""
    one = np.exp(2j * np.pi * frequency_hz * at_s)
    rows, power, order = [], one, 1
    for harmonic in harmonics:
        while order < harmonic:
            power, order = power * one, order + 1
        rows.append(power)
    return np.array(rows)


def _sounding(
    fitted: NDArray[np.complex64], frequency_hz: float, harmonics: tuple[int, ...], frames: NDArray[np.int_], rate: int
) -> NDArray[np.float32]:
    """The fitted hum at these frames around the centre, shape (channels, frames)."""
    basis = _turning(frames / rate, frequency_hz, harmonics).astype(np.complex64)
    return np.asarray(fitted.real @ basis.real - fitted.imag @ basis.imag, dtype=np.float32)

"""Mains hum followed in frequency, strength and phase, and subtracted.

Subtracting what was fitted acts as a comb of very narrow notches that follow the mains: music 2 Hz beside a harmonic stays. The
stream is walked twice: once for the course of the frequency, once more along that course for phase and strengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.dsp.hum_lock import Heard, locked_phase, strengths
from llm_music_gen.processing.dsp.spectrum import exact_blocks

#: Mains stray by 0.2 Hz, old tapes by a little more; the nearest notes (G1, B1) lie 1 Hz off and further.
STRAY_HZ = 0.45
_FIT_S = 2.0
_STEP_S = 0.4
#: Fits on each side that are asked for the frequency, 4 s, and for the strength.
_SIDE, _STRENGTH_SIDE = 10, 20
_SHORT_S, _SHORT_EACH_STEP = 0.3, 2
#: Fits that tell how the phase bends towards an end.
_BEND = 8


@dataclass(frozen=True, eq=False, slots=True)
class HumTrack:
    """The hum at each step of a stream."""

    harmonics: tuple[int, ...]
    step: int
    """Frames from one fit to the next; fit n lies at frame (n + 1) * step."""
    step_s: float
    frequencies_hz: NDArray[np.float64]
    """Of the fundamental, shape (fits,)."""
    turns: NDArray[np.float64]
    """Phase of the fundamental at each fit, in whole turns, shape (fits,)."""
    amplitudes: NDArray[np.complex64]
    """Of each harmonic against that phase, shape (fits, channels, harmonics)."""


def followed(audio: Audio, frequency_hz: float, harmonics: tuple[int, ...], levels_dbfs: Sequence[float]) -> HumTrack:
    """The course of a hum whose frequency and levels are roughly known. Walks the stream twice."""
    rate = audio.sample_rate_hz
    step, reach = max(1, round(_STEP_S * rate)), round(_FIT_S * rate / 2)
    # Fits are made at every n-th sample after averaging: 8 kHz and more hold all harmonics that are looked for.
    thin = max(1, rate // 8_000)
    known = 10 ** (np.array(levels_dbfs) / 20)
    guesses: list[NDArray[np.float64]] = []
    trust: list[NDArray[np.float64]] = []
    now_hz = frequency_hz
    for centre, around, _ in _surroundings(audio, step, reach):
        fit = _fit(around, centre, now_hz, harmonics, known, rate, thin)
        guesses.append(fit.frequencies_hz)
        trust.append(fit.trust)
        recent = slice(-_SIDE, None)
        now_hz = _weighted_median(np.array(guesses[recent]), np.array(trust[recent]), now_hz)
        now_hz = float(np.clip(now_hz, frequency_hz - STRAY_HZ, frequency_hz + STRAY_HZ))
    frequencies = _straightened(np.array(guesses), np.array(trust), frequency_hz)
    turns = _turns(frequencies, step / rate)
    return _locked(audio, HumTrack(harmonics, step, step / rate, frequencies, turns, np.zeros(0, np.complex64)), known)


def _turns(frequencies_hz: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    """Phase at each fit by a frequency that moves evenly from fit to fit."""
    moved = np.cumsum((frequencies_hz[1:] + frequencies_hz[:-1]) / 2) * step_s
    return np.concatenate(([0.0], moved))


def _locked(audio: Audio, track: HumTrack, known: NDArray[np.float64]) -> HumTrack:
    """The track with its phase corrected by what is heard along it, and with the strength of each harmonic."""
    rate, step, harmonics = audio.sample_rate_hz, track.step, np.array(track.harmonics)
    thin, reach = max(1, rate // 8_000), round(_FIT_S * rate / 2)
    long: list[NDArray[np.complex64]] = []
    short: list[NDArray[np.complex64]] = []
    for number, (centre, around, _) in enumerate(_surroundings(audio, step, reach)):
        count = len(around) // thin
        thinned = around[: count * thin].reshape(count, thin, -1).mean(axis=1).T
        at = np.arange(count) * thin + (thin - 1) / 2 - centre
        basis = _turning(_phase_at(track, at / step + number), track.harmonics)
        x = np.pi * harmonics * track.frequencies_hz[number] / rate
        droop = np.sin(x * thin) / (thin * np.sin(x))
        # Near the ends windows are shorter, so that they lie around their fit all the same.
        half = min(reach, max(step, min((number + 1) * step, audio.frames - (number + 1) * step)))
        inside = slice(*np.searchsorted(at, (-half, half)))
        long.append(_heard(thinned[:, inside], basis[:, inside], np.blackman(len(at[inside]) + 2)[1:-1]) / droop)
        for part in range(_SHORT_EACH_STEP):
            # Those of a step lie before its end, and inside the stream.
            middle = ((part + 0.5) / _SHORT_EACH_STEP - 1.0) * step
            half = round(_SHORT_S / 2 * rate / thin)
            place = int(np.clip(np.searchsorted(at, middle), half, max(half, count - half)))
            inside = slice(max(0, place - half), place + half)
            window = np.blackman(len(at[inside]) + 2)[1:-1]
            short.append(_heard(thinned[:, inside], basis[:, inside], window) / droop)
    seen = Heard(np.array(long, dtype=np.complex64), 1, _FIT_S / 2 / _STEP_S)
    brief = Heard(np.array(short, dtype=np.complex64), _SHORT_EACH_STEP, _SHORT_S / 2 / _STEP_S * _SHORT_EACH_STEP)
    centred = (np.arange(len(long)) + 2) * step <= audio.frames
    ahead = locked_phase(seen, harmonics, centred)
    turns = _to_both_ends(track.turns + ahead / (2 * np.pi), np.flatnonzero(centred))
    frequencies = np.gradient(turns, edge_order=2) / track.step_s if len(turns) > 2 else track.frequencies_hz
    amplitudes = strengths((seen, brief), ahead, harmonics, known, _STRENGTH_SIDE)
    return replace(track, frequencies_hz=frequencies, turns=turns, amplitudes=amplitudes)


def _to_both_ends(turns: NDArray[np.float64], centred: NDArray[np.int_]) -> NDArray[np.float64]:
    """Near the ends of a stream a window lies to one side of its fit; there the phase goes on as it bends before.

    The bend is that of mains which speed up or slow down evenly.
    """
    at = np.arange(len(turns), dtype=np.float64)
    if len(centred) < 2 * _BEND:
        return turns
    out: NDArray[np.float64] = turns.copy()
    for known, missing in ((centred[:_BEND], np.arange(centred[0])), (centred[-_BEND:], np.arange(centred[-1] + 1, len(turns)))):
        rise = turns[known[-1]] - turns[known[0]]
        even = turns[known[0]] + rise * (at - known[0]) / (known[-1] - known[0])
        middle = at[known].mean()
        bend = np.polynomial.polynomial.polyfit(at[known] - middle, (turns - even)[known], 2)
        out[missing] = even[missing] + np.polynomial.polynomial.polyval(at[missing] - middle, bend)
    return out


def _heard(samples: NDArray[np.float32], basis: NDArray[np.complex64], window: NDArray[np.float64]) -> NDArray[np.complex64]:
    """Amplitude of each harmonic inside a window, shape (channels, harmonics)."""
    total = max(float(window.sum()), 1e-12)
    weighted = samples * window.astype(np.float32) * (2 / total)
    heard: NDArray[np.complex64] = (weighted @ basis.conj().T).astype(np.complex64)
    return heard


def _phase_at(track: HumTrack, place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Phase of the fundamental in turns at places counted in steps, fit 0 at 0: a smooth curve through the fits."""
    last = len(track.turns) - 1
    low = np.clip(np.floor(place).astype(int), 0, max(0, last - 1))
    high = np.minimum(low + 1, last)
    s = place - low
    rise_low, rise_high = (track.frequencies_hz[near] * track.step_s for near in (low, high))
    inside = np.clip(s, 0.0, 1.0)
    curve = (
        track.turns[low] * (1 + 2 * inside) * (1 - inside) ** 2
        + rise_low * inside * (1 - inside) ** 2
        + track.turns[high] * inside**2 * (3 - 2 * inside)
        + rise_high * inside**2 * (inside - 1)
    )
    # Outside of the fits it goes on as it bends there; with a single fit it goes straight everywhere.
    if last == 0:
        return np.asarray(track.turns[0] + rise_low * place)
    before, after = np.minimum(s, 0.0), np.maximum(s - 1.0, 0.0)
    bend = (rise_high - rise_low) / 2
    return np.asarray(curve + (rise_low + bend * before) * before + (rise_high + bend * after) * after)


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
    frequencies_hz: NDArray[np.float64]
    """The fundamental as each harmonic has it."""
    trust: NDArray[np.float64]
    """How far each is to be believed; 0 where music lies on it."""


def subtracted(audio: Audio, track: HumTrack) -> Iterator[Block]:
    """The stream without the hum, faded from each fit to the next."""
    step, last = track.step, len(track.amplitudes) - 1
    place = np.arange(step) / step
    coming = place.astype(np.float32)
    for number, block in enumerate(exact_blocks(audio, step)):
        # The step lies between the fit before it and the one at its end.
        basis = _turning(_phase_at(track, place + (number - 1)), track.harmonics)
        before = (track.amplitudes[max(0, number - 1)] @ basis).real
        after = (track.amplitudes[min(number, last)] @ basis).real
        hum = before + (after - before) * coming
        yield (block - hum.T[: len(block)]).astype(np.float32)


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
    thinned = around[: count * thin].reshape(count, thin, -1).mean(axis=1).T
    at = (np.arange(count) * thin + (thin - 1) / 2 - centre) / rate
    weight = np.blackman(count + 2)[1:-1]
    basis = _turning(frequency_hz * at, harmonics)
    fitted = _heard(thinned, basis, weight)
    # How far the phase turns from the first two thirds to the last says how far the frequency is off.
    third = count // 3
    taper = np.blackman(count - third + 2)[1:-1]
    halves = [_heard(thinned[:, part], basis[:, part], taper) for part in (slice(None, count - third), slice(third, None))]
    turns = np.angle(np.sum(halves[1] * halves[0].conj(), axis=0)) / (2 * np.pi)
    guesses_hz = frequency_hz + turns * rate / (max(third, 1) * thin * np.array(harmonics))
    loud = np.sqrt(np.mean(np.abs(fitted) ** 2, axis=0))
    clear = (loud < 1.4 * known) & (loud > known / 1.4) & (count * thin > _FIT_S / 3 * rate)
    return _Fit(guesses_hz, known * np.array(harmonics) * clear)


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


def _turning(turns: NDArray[np.float64], harmonics: tuple[int, ...]) -> NDArray[np.complex64]:
    """exp(2 pi i h turns), shape (harmonics, times): each from the one before, which is faster than asking for sines."""
    one = np.exp(2j * np.pi * (turns % 1.0)).astype(np.complex64)
    out = np.empty((len(harmonics), len(turns)), dtype=np.complex64)
    power, order = one, 1
    for row, harmonic in enumerate(harmonics):
        while order < harmonic:
            power, order = power * one, order + 1
        out[row] = power
    return out

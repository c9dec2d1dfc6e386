"""The tonic as it sounds: stretches on which it stands for ten seconds or more, in whatever octave, by the slope of its phase.

Where no tone stands that long (a piano piece), notes of two seconds are taken, which cannot be told as exactly; where there are
none either, nothing is claimed. Without a promise the reference pitch is estimated from the lines of the spectrum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.proof.checks import Check, Promises, judged
from llm_music_gen.proof.stretches import Stretch, inside_s
from llm_music_gen.sound.phase import Baseband, slope_of
from llm_music_gen.units import midi_to_hz, ratio_to_cents

STANDING_S, NOTE_S = 10.0, 2.0
#: Notes of soundfonts, which are corrected by what was measured once.
_NOTE_TOLERANCE_CENTS = 1.0
#: What lies further off is another pitch.
_REACH_CENTS = 45.0
_LOWEST_HZ, _HIGHEST_HZ = 27.0, 2_200.0
#: A tone stands while it is at most 14 dB under its usual loudness, and is no tone where its phase wanders more than this.
_STANDING = 10.0 ** (-14 / 20)
_STANDING_WAVER_CENTS, _NOTE_WAVER_CENTS = 1.0, 3.0
#: Lower notes of two seconds cannot be told to a cent.
_LOWEST_NOTE_HZ = 120.0
#: A line is a tone when it stands out this far from what is around it; in noise the largest of a thousand is 3 times as large.
_PROMINENCE = 8.0
_AUDIBLE = 10.0 ** (-75 / 20)
_SPEECH_MARGIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Sighting:
    """The tonic as it stood once."""

    octave_hz: float
    """The octave in which it was promised there."""
    cents: float
    uncertainty_cents: float
    level: float
    length_s: float


def sightings(stretch: Stretch, tonic_hz: float, spoken: Sequence[tuple[float, float]] = ()) -> list[Sighting]:
    """Where the tonic stands in a stretch, in every octave.

    Notes are left out where somebody speaks, because a vowel may pass for one; a tone that stands for ten seconds is not hidden
    by a voice, whose phase wanders.
    """
    found = []
    lowest = tonic_hz / 2.0 ** math.floor(math.log2(tonic_hz / _LOWEST_HZ))
    magnitudes = np.abs(stretch.middle)
    octave_hz = lowest
    while octave_hz <= min(_HIGHEST_HZ, 0.45 * stretch.sample_rate_hz):
        reach = 2.0 ** (_REACH_CENTS / 1200.0)
        low, high = (round(octave_hz * side / stretch.line_hz) for side in (1 / reach, reach))
        around = magnitudes[low : high + 1]
        if len(around) > 4 and around.max() > _PROMINENCE * np.median(around):
            peak_hz = (low + int(around.argmax())) * stretch.line_hz
            narrow, wide = min(3.0, max(0.4, 0.004 * octave_hz)), min(6.0, 0.02 * octave_hz)
            found += _standing(stretch.tone(stretch.middle, peak_hz, narrow), octave_hz, STANDING_S, _STANDING_WAVER_CENTS)
            if octave_hz >= _LOWEST_NOTE_HZ:
                # A wider band shows where one note ends and the next begins.
                band = stretch.tone(stretch.middle, peak_hz, wide)
                notes = _standing(band, octave_hz, NOTE_S, _NOTE_WAVER_CENTS, _silent(band, stretch, spoken))
                found += [note for note in notes if note.length_s < STANDING_S]
        octave_hz *= 2.0
    return found


def _silent(tone: Baseband, stretch: Stretch, spoken: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """For each value of the band, whether nobody speaks there."""
    times_s = stretch.first_s + inside_s(tone.step_s) + np.arange(len(tone.values)) * tone.step_s
    silent = np.ones(len(times_s), dtype=np.bool_)
    margin_s = _SPEECH_MARGIN_S + tone.window_s
    for start_s, end_s in spoken:
        if end_s > stretch.first_s - margin_s and start_s < stretch.first_s + stretch.length_s + margin_s:
            silent &= (times_s < start_s - margin_s) | (times_s > end_s + margin_s)
    return silent


def _standing(
    tone: Baseband,
    octave_hz: float,
    shortest_s: float,
    most_waver_cents: float,
    counts: NDArray[np.bool_] | None = None,
) -> list[Sighting]:
    """Where a band stands for some time; `counts` says which of its values may be taken."""
    levels = np.abs(tone.values)
    if not len(levels):
        return []
    usual = float(np.quantile(levels, 0.75))
    if usual < _AUDIBLE:
        return []
    found = []
    standing = levels > _STANDING * usual
    for run in _runs(standing if counts is None else standing & counts):
        length_s = (run.stop - run.start) * tone.step_s
        if length_s < shortest_s:
            continue
        slope = slope_of(replace(tone, values=tone.values[run]))
        if slope is None or slope.frequency_hz <= 0 or slope.spread_cents > most_waver_cents:
            continue
        cents = ratio_to_cents(slope.frequency_hz / octave_hz)
        doubt = abs(ratio_to_cents(1.0 + slope.uncertainty_hz / octave_hz))
        if abs(cents) <= 1.5 * _REACH_CENTS:
            found.append(Sighting(octave_hz, cents, doubt, slope.level, length_s))
    return found


def _runs(wanted: NDArray[np.bool_]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
    return [slice(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def tonic_checks(seen: Sequence[Sighting], promises: Promises) -> list[Check]:
    """The tonic's error in cents and its frequency."""
    wanted_hz = promises.tonic_hz
    if wanted_hz is None:
        return []
    standing = [sighting for sighting in seen if sighting.length_s >= STANDING_S]
    tolerance, chosen = promises.tonic_tolerance_cents, _octave(standing, promises.tonic_tolerance_cents)
    notes = _octave([sighting for sighting in seen if sighting.length_s < STANDING_S], _NOTE_TOLERANCE_CENTS)
    # Repeated notes may look like one that stands; what really stands does so for longer than all notes together.
    if sum(one.length_s for one in chosen) < sum(one.length_s for one in notes):
        tolerance, chosen = max(tolerance, _NOTE_TOLERANCE_CENTS), notes
    if not chosen:
        note = f"no tone stands on it for {NOTE_S:g} s"
        return [Check(name, None, target, None, unit, "not measurable", note) for name, target, unit in
                (("tonic", 0.0, "cents"), ("tonic frequency", wanted_hz, "Hz"))]  # fmt: skip
    cents, doubt = _mean(chosen)
    octave_hz = chosen[0].octave_hz
    heard_s = sum(sighting.length_s for sighting in chosen)
    note = f"at {octave_hz:g} Hz, {heard_s:.0f} s in {len(chosen)} places"
    if tolerance != promises.tonic_tolerance_cents:
        note += ", notes only"
    check = judged("tonic", cents, 0.0, tolerance, "cents", doubt, note)
    measured_hz = wanted_hz * 2.0 ** (cents / 1200.0)
    return [
        check,
        Check("tonic frequency", measured_hz, wanted_hz, wanted_hz * (2.0 ** (doubt / 1200.0) - 1.0), "Hz", check.verdict, note),
    ]


def _octave(seen: Sequence[Sighting], tolerance: float) -> list[Sighting]:
    """The sightings in the octave that is heard most among those that can be told well enough, or in the clearest one."""
    octaves: dict[float, list[Sighting]] = {}
    for sighting in seen:
        octaves.setdefault(sighting.octave_hz, []).append(sighting)
    if not octaves:
        return []
    clear = {hz: group for hz, group in octaves.items() if _mean(group)[1] <= tolerance}
    if clear:
        return max(clear.values(), key=lambda group: sum(one.level**2 * one.length_s for one in group))
    return min(octaves.values(), key=lambda group: _mean(group)[1])


def _mean(group: Sequence[Sighting]) -> tuple[float, float]:
    """Mean error and its uncertainty; places that disagree make it larger."""
    cents = np.array([one.cents for one in group])
    # A tone cannot be told better than its samples' own noise lets it: one ten-thousandth of a cent is the floor.
    doubts = np.maximum([one.uncertainty_cents for one in group], 1e-4)
    weights = 1.0 / doubts**2
    mean = float(np.average(cents, weights=weights))
    inner = float(1.0 / math.sqrt(weights.sum()))
    scatter = (
        math.sqrt(float(np.average((cents - mean) ** 2, weights=weights)) / max(1, len(group) - 1)) if len(group) > 1 else 0.0
    )
    return mean, max(inner, scatter)


class ReferenceEstimate:
    """Which A4 the lines of the spectrum point to, from the strongest lines of every stretch."""

    def __init__(self) -> None:
        self._directions: list[complex] = []
        self._weights: list[float] = []

    def push(self, stretch: Stretch) -> None:
        """Another stretch."""
        low, high = (round(hz / stretch.line_hz) for hz in (100.0, min(1_600.0, 0.45 * stretch.sample_rate_hz)))
        magnitudes = np.abs(stretch.middle[low:high])
        if len(magnitudes) < 64 or not magnitudes.max() > 0:
            return
        peaks = 1 + np.flatnonzero((magnitudes[1:-1] > magnitudes[:-2]) & (magnitudes[1:-1] >= magnitudes[2:]))
        strongest = peaks[np.argsort(magnitudes[peaks])[-40:]]
        semitones = 12.0 * np.log2((strongest + low) * stretch.line_hz / 440.0)
        weights = np.sqrt(magnitudes[strongest])
        self._directions.append(complex((weights * np.exp(2j * np.pi * semitones)).sum()))
        self._weights.append(float(weights.sum()))

    def check(self) -> Check:
        """The estimate; without tonal lines it is not measurable."""
        total, weight = sum(self._directions), sum(self._weights)
        clarity = abs(total) / weight if weight else 0.0
        if clarity < 0.25:
            return Check("reference pitch", None, None, None, "Hz", "not measurable", "few lines lie on one scale")
        a4_hz = midi_to_hz(69.0 + math.atan2(total.imag, total.real) / (2 * math.pi))
        spread_cents = 100.0 / (2 * math.pi) * math.sqrt(max(0.0, -2.0 * math.log(min(1.0, clarity))))
        doubt_hz = a4_hz * (2.0 ** (spread_cents / math.sqrt(len(self._weights)) / 1200.0) - 1.0)
        return Check("reference pitch", a4_hz, None, doubt_hz, "Hz", "not promised", "A4, estimated")

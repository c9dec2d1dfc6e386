"""The tune as the style sings it: moved into its register, thinned, recast into its rhythm, kept out of the way.

Notes are weighed as a listener does (metre, length, chord tones, contour); the heaviest stay, and the opening motif always does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from llm_music_gen.arranging.harmony import chord_pcs
from llm_music_gen.arranging.patterns import steps_in_bar, strong_onsets
from llm_music_gen.arranging.played import GridNote
from llm_music_gen.arranging.timeline import Bar, material
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSection, LeadSheet
from llm_music_gen.domain.theme import Theme
from llm_music_gen.styles import Style

_PHRASE_BARS = 4
#: Semitones above the bass that rub: a minor second or ninth, a major seventh.
_RUBS = (1, 11)
_PENTATONIC = {"major pentatonic": (0, 2, 4, 7, 9), "minor pentatonic": (0, 3, 5, 7, 10), "blues": (0, 3, 5, 6, 7, 10)}


@dataclass(frozen=True, slots=True)
class Sung:
    """One note of the arranged tune, from the start of the song."""

    onset_ql: Fraction
    duration_ql: Fraction
    pitch: int
    weight: float
    """0 (passing) to 1 (carries the tune): loudness follows it."""


def sung(bars: list[Bar], theme: Theme, tune: LeadSheet, style: Style, rng: np.random.Generator) -> list[Sung]:
    """The tune through the whole song, the last bar left to the ending."""
    out: list[Sung] = []
    habits: dict[str, tuple[bool, ...]] = {}
    for bar in bars[:-1]:
        # What becomes of a bar depends on its place in the phrase alone, so that a motif comes back as it was.
        recast = habits.setdefault(bar.plan.label, tuple(bool(draw < style.lead.recast) for draw in rng.random(_PHRASE_BARS)))
        if not bar.plays("melody"):
            continue
        section = material(tune, bar.plan)
        shift = _octave_shift(section, style)
        notes = _bar_notes(section, bar, theme.meter, style.lead.augment)
        notes = _thinned(notes, bar, theme.meter, style)
        if recast[bar.in_section % _PHRASE_BARS]:
            notes = _recast(notes, bar, style)
        notes = _breathing(notes, bar, style)
        lift = 12 if bar.plan.energy >= 0.85 and style.lead.compass[1] - style.lead.compass[0] >= 18 else 0
        for note in notes:
            pitch = _into(_snapped(note.pitch + shift + lift, theme.key, style), style.lead.compass)
            out.append(replace(note, onset_ql=bar.onset_ql + note.onset_ql, pitch=pitch))
    return _joined(_anticipated(out, style, theme.meter, rng))


def clear_of_bass(tune: list[Sung], bass: Sequence[GridNote], bars: list[Bar]) -> list[Sung]:
    """The tune without semitones (or their inversions) against the bass on strong beats: the note steps to a chord tone."""
    out = list(tune)
    low = high = 0
    for bar in bars[:-1]:
        for place in strong_onsets(bar.meter):
            at = bar.onset_ql + place
            while low + 1 < len(bass) and bass[low + 1].onset_ql <= at:
                low += 1
            while high + 1 < len(out) and out[high + 1].onset_ql <= at:
                high += 1
            if not bass or not out or bass[low].onset_ql > at or out[high].onset_ql > at:
                continue
            under, note = bass[low], out[high]
            if under.onset_ql + under.duration_ql <= at or note.onset_ql + note.duration_ql <= at:
                continue
            if (note.pitch - under.pitch) % 12 in _RUBS:
                tones = {pc for pc in chord_pcs(bar.chord_at(place)) if (pc - under.pitch) % 12 not in _RUBS}
                out[high] = replace(note, pitch=_nearest_of(tones or {under.pitch % 12}, note.pitch))
    return out


def _nearest_of(pcs: Collection[int], pitch: int) -> int:
    return next(candidate for move in range(12) for candidate in (pitch - move, pitch + move) if candidate % 12 in pcs)


def closing_pitch(key: Key, near: int, register: tuple[int, int]) -> int:
    """The tonic nearest to the last note of the tune."""
    candidates = [pitch for pitch in range(register[0] - 6, register[1] + 7) if pitch % 12 == key.tonic_pc]
    return min(candidates, key=lambda pitch: abs(pitch - near))


def _bar_notes(section: LeadSection, bar: Bar, meter: Meter, stretch: int) -> list[Sung]:
    """Notes of the written tune that begin in this bar, onsets from its start, weighed."""
    length = section.bars * meter.bar_ql * stretch
    start = (bar.in_section * meter.bar_ql) % length
    inside = [note for note in section.notes if start <= note.onset_ql * stretch < start + meter.bar_ql]
    out = []
    for place, note in enumerate(inside):
        onset = note.onset_ql * stretch - start
        duration = note.duration_ql * stretch
        around = [other.pitch for other in inside[max(0, place - 1) : place + 2] if other is not note]
        extreme = bool(around) and (note.pitch > max(around) or note.pitch < min(around))
        chord_tone = note.pitch % 12 in chord_pcs(bar.chord_at(onset))
        weight = _metric(onset, meter) + 0.5 * min(float(duration), 4.0) + 1.2 * chord_tone + 0.7 * extreme + 0.8 * (place == 0)
        out.append(Sung(onset, duration, note.pitch, min(1.0, weight / 5.0)))
    return out


def _metric(onset: Fraction, meter: Meter) -> float:
    if onset == 0:
        return 2.0
    if onset % meter.beat_ql == 0:
        return 1.4 if onset == meter.bar_ql / 2 else 1.0
    return 0.4 if onset % (meter.beat_ql / 2) == 0 else 0.1


def _thinned(notes: list[Sung], bar: Bar, meter: Meter, style: Style) -> list[Sung]:
    lead = style.lead
    most = max(
        1, round(lead.notes_per_bar[0] + (lead.notes_per_bar[1] - lead.notes_per_bar[0]) * min(1.0, bar.plan.energy + 0.2))
    )
    if lead.reduce == 3:
        most = min(most, 2)
    if lead.reduce == 2:
        best: dict[int, Sung] = {}
        for note in notes:
            beat = int(note.onset_ql // meter.beat_ql)
            if beat not in best or note.weight > best[beat].weight:
                best[beat] = note
        notes = [best[beat] for beat in sorted(best)]
    if lead.reduce == 1 and len(notes) > 3:
        notes = sorted(sorted(notes, key=lambda note: note.weight)[max(1, len(notes) // 5) :], key=lambda note: note.onset_ql)
    if len(notes) > most and lead.reduce > 0:
        notes = sorted(sorted(notes, key=lambda note: -note.weight)[:most], key=lambda note: note.onset_ql)
    return _stretched_to_next(notes, bar.length_ql)


def _stretched_to_next(notes: list[Sung], bar_ql: Fraction) -> list[Sung]:
    """Where neighbours were left out a note lasts into their place, but not longer than twice."""
    if not notes:
        return []
    ends = [note.onset_ql for note in notes[1:]] + [bar_ql]
    return [
        replace(note, duration_ql=max(min(end - note.onset_ql, 2 * note.duration_ql), min(note.duration_ql, end - note.onset_ql)))
        for note, end in zip(notes, ends, strict=True)
    ]


def _recast(notes: list[Sung], bar: Bar, style: Style) -> list[Sung]:
    """Kept notes moved to the onsets of one of the style's rhythm cells, in order, each as little as possible."""
    cells = style.lead.cells
    if not cells or not notes:
        return notes
    cell = cells[(bar.in_section // 2 + (bar.in_section % 4 == 3)) % len(cells)]
    slots = [step.offset_ql for step in steps_in_bar(style.grooves.grid, bar.meter, 0, len(cell)) if cell[step.place] == "x"]
    if len(slots) < len(notes):
        notes = sorted(sorted(notes, key=lambda note: -note.weight)[: len(slots)], key=lambda note: note.onset_ql)
    if not notes:
        return []
    chosen = _nearest_slots([note.onset_ql for note in notes], slots)
    moved = [replace(note, onset_ql=slot) for note, slot in zip(notes, chosen, strict=True)]
    return _stretched_to_next([replace(note, duration_ql=max(note.duration_ql, Fraction(1, 2))) for note in moved], bar.length_ql)


def _nearest_slots(onsets: list[Fraction], slots: list[Fraction]) -> list[Fraction]:
    """Rising slots for rising onsets with the least sum of distances (dynamic programming)."""
    best: list[tuple[Fraction, list[Fraction]]] = [(Fraction(0), [])]
    best += [(Fraction(10**6), []) for _ in onsets]
    for slot in slots:
        for count in range(len(onsets), 0, -1):
            cost, chosen = best[count - 1]
            total = cost + abs(onsets[count - 1] - slot)
            if total < best[count][0]:
                best[count] = (total, [*chosen, slot])
    return best[len(onsets)][1]


def _octave_shift(section: LeadSection, style: Style) -> int:
    if not section.notes:
        return 0
    median = float(np.median([note.pitch for note in section.notes]))
    return 12 * round((sum(style.lead.compass) / 2 - median) / 12)


def _into(pitch: int, register: tuple[int, int]) -> int:
    while pitch > register[1] + 4:
        pitch -= 12
    while pitch < register[0] - 4:
        pitch += 12
    return pitch


def _snapped(pitch: int, key: Key, style: Style) -> int:
    """The nearest tone of the style's scale; a tie goes down."""
    snap = style.lead.snap
    if snap in _PENTATONIC:
        steps: tuple[int, ...] = _PENTATONIC[snap]
        if key.is_minor and snap == "major pentatonic":
            steps = _PENTATONIC["minor pentatonic"]
        scale = {(key.tonic_pc + step) % 12 for step in steps}
    elif snap == "pentatonic":
        scale = {(key.tonic_pc + step) % 12 for step in _PENTATONIC["minor pentatonic" if key.is_minor else "major pentatonic"]}
    elif snap == "harmonic minor" and key.is_minor:
        scale = {*key.scale_pcs, (key.tonic_pc + 11) % 12}
    elif snap == "key":
        return pitch
    else:
        scale = set(key.scale_pcs)
    return next(candidate for move in range(7) for candidate in (pitch - move, pitch + move) if candidate % 12 in scale)


def _breathing(notes: list[Sung], bar: Bar, style: Style) -> list[Sung]:
    """Rests where phrases of four bars end, and with much rest where their halves do; something of each bar stays."""
    place = bar.in_section % _PHRASE_BARS
    rest = style.lead.rest_share
    share = {3: 1.8 * (rest - 0.08), 1: 1.6 * (rest - 0.3), 2: 1.2 * (rest - 0.5)}.get(place, 0.0)
    if share <= 0.1 or not notes:
        return notes
    until = bar.length_ql * (1 - Fraction(min(0.8, share)).limit_denominator(16))
    kept = [note for note in notes if note.onset_ql < until] or notes[:1]
    last = kept[-1]
    return [*kept[:-1], replace(last, duration_ql=min(last.duration_ql, max(until - last.onset_ql, Fraction(1, 2))))]


def _anticipated(notes: list[Sung], style: Style, meter: Meter, rng: np.random.Generator) -> list[Sung]:
    """Notes on beats that come half a beat early, as often as the style has it, where there is room before them."""
    if style.lead.anticipate <= 0:
        return notes
    early = meter.beat_ql / (3 if meter.is_compound else 2)
    out: list[Sung] = []
    for note in notes:
        free = not out or out[-1].onset_ql + early <= note.onset_ql - early
        if note.onset_ql and note.onset_ql % meter.beat_ql == 0 and free and rng.random() < style.lead.anticipate:
            note = replace(note, onset_ql=note.onset_ql - early, duration_ql=note.duration_ql + early)
        out.append(note)
    return out


def _joined(notes: list[Sung]) -> list[Sung]:
    """One voice: a note ends where the next begins."""
    out = []
    for place, note in enumerate(notes):
        if place + 1 < len(notes):
            room = notes[place + 1].onset_ql - note.onset_ql
            if room <= 0:
                continue
            note = replace(note, duration_ql=min(note.duration_ql, room))
        out.append(note)
    return out

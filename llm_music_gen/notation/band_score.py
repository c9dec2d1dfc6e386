"""Turns a played arrangement back into notation: quantised to sixteenths or triplets, one voice a part, cut into bars."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from statistics import median

from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.notation.engraving import Engraved, engrave
from llm_music_gen.notation.staves import Staff, StaffBar

_SIXTEENTH = Fraction(1, 4)
_THIRD = Fraction(1, 3)
#: A beat is written in triplets when that fits its onsets clearly better than sixteenths, by this factor.
_CLEARLY = 0.5
#: Bass clef when the middle pitch lies below this one.
_MIDDLE_C = 60


def band_parts(arrangement: Arrangement) -> list[Staff]:
    """Every part of the arrangement as a staff; all have the same number of bars."""
    last_ql = max((note.onset_ql for part in arrangement.parts for note in part.notes), default=0.0)
    bar_ql = arrangement.meter.bar_ql
    bars = max(1, math.floor((last_ql + float(_SIXTEENTH) / 2) / float(bar_ql)) + 1)
    marks = {round(marker.onset_ql / float(bar_ql)): marker.name for marker in arrangement.markers}
    return [_staff(part, bars, bar_ql, marks if number == 0 else {}) for number, part in enumerate(arrangement.parts)]


def _staff(part: Part, bars: int, bar_ql: Fraction, marks: dict[int, str]) -> Staff:
    # Where bars are not whole quarters a triplet could stand across a bar line, so there everything is sixteenths.
    beats = _triplet_beats(part) if bar_ql.denominator == 1 else frozenset()
    pieces: list[list[Engraved]] = [[] for _ in range(bars)]
    position = Fraction(0)
    for onset, end, pitches in [*_events(part, bars * bar_ql, beats), (bars * bar_ql, bars * bar_ql, ())]:
        _place(pieces, position, onset, (), bar_ql, beats)
        _place(pieces, onset, end, pitches, bar_ql, beats)
        position = end
    return Staff(
        part.name, 0 if part.is_drums else part.program, _clef(part),
        tuple(StaffBar(tuple(notes), marks.get(number, "")) for number, notes in enumerate(pieces)),
    )  # fmt: skip


def _clef(part: Part) -> str:
    if part.is_drums:
        return "percussion"
    middle = median(note.pitch for note in part.notes) if part.notes else _MIDDLE_C
    return "bass" if middle < _MIDDLE_C else "treble"


def _beat_of(note: PlayedNote) -> int:
    """The quarter note in which an onset lies, if a little early still the next one."""
    return max(0, math.floor(note.onset_ql + float(_SIXTEENTH) / 2))


def _triplet_beats(part: Part) -> frozenset[int]:
    beats: dict[int, list[float]] = defaultdict(list)
    for note in part.notes:
        beats[_beat_of(note)].append(note.onset_ql - _beat_of(note))
    return frozenset(beat for beat, offsets in beats.items() if _fits_triplets(offsets))


def _events(part: Part, end_ql: Fraction, triplet_beats: frozenset[int]) -> list[tuple[Fraction, Fraction, tuple[int, ...]]]:
    """(onset, end, pitches) of one voice: notes that begin together are a chord, which ends where the next begins."""
    chords: dict[Fraction, list[PlayedNote]] = defaultdict(list)
    for note in part.notes:
        beat = _beat_of(note)
        grid = _THIRD if beat in triplet_beats else _SIXTEENTH
        steps = round((note.onset_ql - beat) / float(grid))
        chords[beat + min(max(0, steps), int(1 / grid) - 1) * grid].append(note)
    onsets = sorted(onset for onset in chords if onset < end_ql)
    events = []
    for onset, following in zip(onsets, [*onsets[1:], end_ql], strict=False):
        longest_ql = max(note.duration_ql for note in chords[onset])
        end = min(following, _on_grid(onset, longest_ql, triplet_beats))
        events.append((onset, end, tuple(sorted({note.pitch for note in chords[onset]}))))
    return events


def _on_grid(onset: Fraction, duration_ql: float, triplet_beats: frozenset[int]) -> Fraction:
    """Where a note ends, on the grid of the beat in which it ends; a note off the beat in a triplet ends with the beat."""
    beat_end = Fraction(math.floor(onset) + 1)
    in_triplet = math.floor(onset) in triplet_beats
    grid = _THIRD if in_triplet else _SIXTEENTH
    end = onset + max(1, round(duration_ql / float(_SIXTEENTH))) * _SIXTEENTH
    if in_triplet and (end < beat_end or onset.denominator == 3):
        return min(beat_end, onset + max(1, round(duration_ql / float(grid))) * grid)
    return Fraction(math.floor(end)) if math.floor(end) in triplet_beats and math.floor(end) > onset else end


def _fits_triplets(offsets: list[float]) -> bool:
    def error(grid: Fraction) -> float:
        return sum(abs(offset - round(offset / float(grid)) * float(grid)) for offset in offsets)

    return error(_THIRD) < _CLEARLY * error(_SIXTEENTH) and any(offset > 0.2 for offset in offsets)


def _place(
    bars: list[list[Engraved]],
    start: Fraction,
    end: Fraction,
    pitches: tuple[int, ...],
    bar_ql: Fraction,
    triplet_beats: frozenset[int],
) -> None:
    """Write one event, cut at bar lines and at the edges of triplet beats."""
    position = start
    while position < end:
        limit = min(end, (position // bar_ql + 1) * bar_ql)
        beat = int(position)
        in_triplet = beat in triplet_beats
        if in_triplet:
            limit = min(limit, Fraction(beat + 1))
        else:
            limit = min([limit, *(Fraction(other) for other in triplet_beats if position < other < limit)])
        in_triplet = in_triplet and limit - position != 1
        bars[int(position // bar_ql)] += _notes(position, limit, pitches, position > start, limit < end, in_triplet)
        position = limit


def _notes(
    start: Fraction, end: Fraction, pitches: tuple[int, ...], tie_from: bool, tie_to: bool, in_triplet: bool
) -> list[Engraved]:
    if not in_triplet:
        return engrave(end - start, pitches, tie_from=tie_from, tie_to=tie_to, chord=None)
    (note,) = engrave(end - start, pitches, tie_from=tie_from, tie_to=tie_to, chord=None, triplet="inside")
    bracket = "start" if start.denominator == 1 else "stop" if end.denominator == 1 else "inside"
    return [replace(note, triplet=bracket)]

"""Bars left out of what a band has played, and bars heard again; everything after them moves along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llm_music_gen.arranging.editing import EARLY_QL, each, ended, in_order, moved, span
from llm_music_gen.domain.score import Arrangement, Marker, Part


def cut(band: Arrangement, bars: tuple[int, int], length_frames: int) -> Arrangement:
    """Without these bars; what follows moves up. A note that sounds into them ends where they began."""
    low, high = span(band, bars)

    def shortened(part: Part) -> Part:
        notes = [
            moved(note, low - high) if note.onset_ql + EARLY_QL >= high else ended(note, low, only=note.onset_ql < low)
            for note in part.notes
            if not low <= note.onset_ql + EARLY_QL < high
        ]
        return replace(part, notes=in_order(notes))

    out = each(band, shortened)
    markers = _markers(
        [m if m.onset_ql <= low else replace(m, onset_ql=max(low, m.onset_ql - (high - low))) for m in band.markers]
    )
    levels = [(at, db) for at, db in band.levels if at < low] + [(at - high + low, db) for at, db in band.levels if at >= high]
    parts = tuple(part for part in out.parts if part.notes)
    return replace(out, parts=parts, length_frames=length_frames, markers=markers, levels=tuple(levels))


def repeated(band: Arrangement, bars: tuple[int, int], times: int, length_frames: int, last_bar: int) -> Arrangement:
    """These bars again after themselves. The song's last bar is its end: before it comes back, the bar before it does."""
    low, high = span(band, bars)
    bar_ql = float(band.meter.bar_ql)
    ends = bars[1] - 1 == last_bar
    # The copies come before the ending, so that it stays the ending.
    at, source_high = (high - bar_ql, high - bar_ql) if ends else (high, high)
    length = (bars[1] - bars[0]) * bar_ql

    def again(part: Part) -> Part:
        before = [note for note in part.notes if note.onset_ql + EARLY_QL < at]
        after = [moved(note, times * length) for note in part.notes if note.onset_ql + EARLY_QL >= at]
        source = [ended(note, source_high) for note in part.notes if low <= note.onset_ql + EARLY_QL < source_high]
        if ends:  # the bar before the last stands for the last; of a single bar nothing else can
            source += [moved(note, bar_ql) for note in source if note.onset_ql + EARLY_QL >= source_high - bar_ql]
            lead = [moved(note, bar_ql) for note in source if source_high - bar_ql <= note.onset_ql + EARLY_QL < source_high]
            copies = [*lead, *(moved(note, turn * length + at + bar_ql - low) for turn in range(times) for note in source)]
            copies = [note for note in copies if note.onset_ql + EARLY_QL < at + times * length]
        else:
            copies = [moved(note, (turn + 1) * length) for turn in range(times) for note in source]
        return replace(part, notes=in_order([*(ended(note, at) if ends else note for note in before), *copies, *after]))

    inside = [marker for marker in band.markers if low <= marker.onset_ql < high]
    markers = [
        *(m for m in band.markers if m.onset_ql < high),
        *(replace(m, onset_ql=m.onset_ql + (turn + 1) * length) for turn in range(times) for m in inside),
        *(replace(m, onset_ql=m.onset_ql + times * length) for m in band.markers if m.onset_ql >= high),
    ]
    points = [(place, db) for place, db in band.levels if low <= place < high]
    levels = (
        *((place, db) for place, db in band.levels if place < high),
        *((place + (turn + 1) * length, db) for turn in range(times) for place, db in points),
        *((place + times * length, db) for place, db in band.levels if place >= high),
    )
    return replace(each(band, again), length_frames=length_frames, markers=_markers(markers), levels=levels)


def _markers(markers: Sequence[Marker]) -> tuple[Marker, ...]:
    """One marker a place; the later one names what begins there."""
    return tuple({marker.onset_ql: marker for marker in markers}.values())

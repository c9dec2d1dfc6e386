"""Does the composer copy? Finds 8-bar passages that stand in a corpus tune, in whatever key and at whatever note values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from training.score import Tune, bar_ticks

PASSAGE_BARS = 8
#: One bar's notes as (onset in bars, length in bars, MIDI pitch), ties joined within the bar.
BarNotes = tuple[tuple[Fraction, Fraction, int], ...]
Passage = tuple[tuple[tuple[Fraction, Fraction, int], ...], ...]


def bar_notes(tune: Tune) -> list[list[BarNotes]]:
    """The notes of each bar of each section."""
    length = bar_ticks(tune.meter)
    sections = []
    for section in tune.sections:
        bars: list[BarNotes] = []
        for bar in section.bars:
            notes: list[tuple[Fraction, Fraction, int]] = []
            onset, tied = 0, False
            for element in bar:
                if element.pitch is not None:
                    if tied and notes:
                        start, span, pitch = notes[-1]
                        notes[-1] = (start, span + Fraction(element.ticks, length), pitch)
                    else:
                        notes.append((Fraction(onset, length), Fraction(element.ticks, length), element.pitch.midi))
                tied = element.tie
                onset += element.ticks
            bars.append(tuple(notes))
        sections.append(bars)
    return sections


def passages(bars: list[BarNotes], count: int = PASSAGE_BARS) -> Iterator[Passage]:
    """Every run of `count` bars, its pitches counted from its first note; runs without a note are passed over."""
    for start in range(len(bars) - count + 1):
        run = bars[start : start + count]
        first = next((pitch for bar in run for _, _, pitch in bar), None)
        if first is not None:
            yield tuple(tuple((onset, length, pitch - first) for onset, length, pitch in bar) for bar in run)


def known_passages(tunes: Iterable[Tune], count: int = PASSAGE_BARS) -> set[int]:
    """Hashes of all passages of these tunes, also across the seams of their sections."""
    return {hash(passage) for tune in tunes for passage in passages([bar for part in bar_notes(tune) for bar in part], count)}

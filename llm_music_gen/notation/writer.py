"""Writes the composer text of a section: the opposite of `text.parse_section`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.chords import chord_text
from llm_music_gen.notation.lengths import is_plain, length_text
from llm_music_gen.notation.spelling import note_text

#: Written lengths of triplet notes, in units, longest first.
TRIPLET_LENGTHS = tuple(Fraction(2) ** power for power in range(4, -4, -1))


@dataclass(frozen=True, slots=True)
class Element:
    """One note or rest as it will be written: inside one bar, cut where a chord symbol falls. Times in units."""

    onset: Fraction
    length: Fraction
    pitch: int | None
    """MIDI pitch, None for a rest."""
    tied: bool = False
    """Whether the next element continues this note."""
    chord: ChordSymbol | None = None
    opens_triplet: bool = False
    in_triplet: bool = False


def section_text(section: LeadSection, key: Key, meter: Meter, unit: Fraction) -> str:
    """The bars of a section on one line, each closed by `|`, without a line end. `unit` is a fraction of a whole note.

    Raises NotationError when the melody is not one voice of plain and triplet lengths inside the section's bars.
    """
    return "".join(bar_text(bar, key) + "|" for bar in section_bars(section, meter, unit))


def header_text(key: Key, meter: Meter, unit: Fraction, *, chords: bool) -> str:
    """The head of a composer text: M:, L:, K: and whether chord symbols follow."""
    return f"M:{meter}\nL:{unit}\nK:{key.abc()}\n%{'chords' if chords else 'plain'}\n"


def section_head(label: str, bars: int) -> str:
    """The line that opens a section: P:A8."""
    return f"P:{label}{bars}\n"


def composer_text(sheet: LeadSheet, unit: Fraction) -> str:
    """A whole lead sheet as composer text, each section once."""
    text = header_text(sheet.key, sheet.meter, unit, chords=any(section.chords for section in sheet.sections))
    for section in sheet.sections:
        text += section_head(section.label, section.bars) + section_text(section, sheet.key, sheet.meter, unit) + "\n"
    return text


def bar_text(elements: list[Element], key: Key, accidentals: dict[str, int] | None = None) -> str:
    """The elements of one bar, without its bar line; `accidentals` are those already written in it, and are added to."""
    accidentals = {} if accidentals is None else accidentals
    text = ""
    for element in elements:
        written = element.length * Fraction(3, 2) if element.in_triplet else element.length
        text += f'"{chord_text(element.chord, key)}"' if element.chord else ""
        text += "(3" if element.opens_triplet else ""
        text += "z" if element.pitch is None else note_text(element.pitch, key, accidentals)
        text += length_text(written) + ("-" if element.tied else "")
    return text


def section_bars(section: LeadSection, meter: Meter, unit: Fraction) -> list[list[Element]]:
    """Cut a section into bars of writable elements. Raises NotationError as `section_text` does."""
    unit_ql, bar = unit * 4, meter.bar_ql / (unit * 4)
    end = bar * section.bars
    chords = {chord.onset_ql / unit_ql: chord for chord in section.chords}
    if any(not 0 <= onset < end for onset in chords):
        raise NotationError(f"A chord symbol of section {section.label!r} lies outside its bars.", hint="Move it inside.")
    cuts = sorted({*chords, *(bar * number for number in range(section.bars + 1))})
    bars: list[list[Element]] = [[] for _ in range(section.bars)]
    for element in _cut(_events(section, unit_ql, end), cuts):
        bars[int(element.onset // bar)].append(replace(element, chord=chords.get(element.onset)))
    return [_with_triplets(elements) for elements in bars]


def _events(section: LeadSection, unit_ql: Fraction, end: Fraction) -> Iterator[Element]:
    """The melody without gaps: rests stand wherever no note sounds."""
    position = Fraction(0)
    for note in sorted(section.notes, key=lambda note: (note.onset_ql, note.pitch)):
        onset, length = note.onset_ql / unit_ql, note.duration_ql / unit_ql
        if onset < position or length <= 0 or onset + length > end:
            raise NotationError(f"The melody of section {section.label!r} is not one voice inside its bars.", hint="Trim it.")
        if onset > position:
            yield Element(position, onset - position, None)
        yield Element(onset, length, note.pitch)
        position = onset + length
    if position < end:
        yield Element(position, end - position, None)


def _cut(events: Iterator[Element], cuts: list[Fraction]) -> Iterator[Element]:
    """Divide elements at the cut points (sorted), tying the pieces of notes."""
    index = 0
    for event in events:
        onset, end = event.onset, event.onset + event.length
        while index < len(cuts) and cuts[index] <= onset:
            index += 1
        for cut in cuts[index:]:
            if cut >= end:
                break
            yield replace(event, onset=onset, length=cut - onset, tied=event.pitch is not None)
            onset = cut
        yield replace(event, onset=onset, length=end - onset)


def _with_triplets(elements: list[Element]) -> list[Element]:
    """Write what lies off the plain grid as triplets of equal notes, dividing long notes with ties where needed."""
    waiting, result = deque(elements), list[Element]()
    while waiting:
        first = waiting[0]
        if is_plain(first.onset) and is_plain(first.onset + first.length):
            result.append(waiting.popleft())
        else:
            result += _triplet(waiting)
    return result


def _triplet(waiting: deque[Element]) -> list[Element]:
    """Take three equal notes from the front: as long as the first, or else as long as possible."""
    start, end = waiting[0].onset, waiting[-1].onset + waiting[-1].length
    ends = [element.onset + element.length for element in waiting]
    for third in (waiting[0].length, *(length * Fraction(2, 3) for length in TRIPLET_LENGTHS)):
        inside = [position - start for position in ends if position < start + 3 * third]
        even = bool(inside) and all((position / third).denominator == 1 for position in inside)
        if third * Fraction(3, 2) in TRIPLET_LENGTHS and even and start + 3 * third <= end and is_plain(start):
            taken = [_take(waiting, third) for _ in range(3)]
            return [replace(element, in_triplet=True, opens_triplet=number == 0) for number, element in enumerate(taken)]
    raise NotationError("This rhythm needs other tuplets than triplets, or one across a bar line.", hint="Quantise it first.")


def _take(waiting: deque[Element], length: Fraction) -> Element:
    """The first `length` units of what waits; a note that goes on is tied."""
    first = waiting.popleft()
    if first.length == length:
        return first
    waiting.appendleft(replace(first, onset=first.onset + length, length=first.length - length, chord=None))
    return replace(first, length=length, tied=first.pitch is not None)

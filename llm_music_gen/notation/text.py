"""Reads the composer text: the small, strict ABC that the built-in composer reads and writes.

One section is one line of bars, each closed by `|`. An element is `"chord"`, `(3` before the first note of a triplet, then a note
(accidental, letter, octave marks, length) or a rest `z`, then `-` when it is tied to the next note of the same pitch. Accidentals
hold to the bar line; every bar fills its metre exactly. White space between elements is ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, Note
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.chords import parse_chord
from llm_music_gen.notation.lengths import parse_length
from llm_music_gen.notation.spelling import read_pitch

MAX_SECTION_CHARACTERS = 200_000
_SPACE = re.compile(r"[ \t\r\n]*")
_ELEMENT = re.compile(
    r"""(?:"(?P<chord>[^"\n]{1,24})")?
        (?P<triplet>\(3)?
        (?:(?P<rest>z)|(?P<accidental>\^\^|__|[\^_=])?(?P<letter>[A-Ga-g])(?P<marks>'{1,5}|,{0,5}))
        (?P<length>[0-9]{0,4}/{0,3}[0-9]{0,4})
        (?P<tie>-)?""",
    re.VERBOSE,
)


def parse_section(text: str, *, label: str, key: Key, meter: Meter, unit: Fraction, bars: int | None = None) -> LeadSection:
    """Read the music line of one section. `unit` is a fraction of a whole note, as in `L:` (1/8).

    Raises NotationError with bar and character number when the text is not composer text, when a bar does not fill its
    metre exactly, or when there are not `bars` bars.
    """
    return _SectionReader(text, key, meter, unit).read(label, bars)


@dataclass
class _SectionReader:
    """Walks over one section's text, one element at a time."""

    text: str
    key: Key
    meter: Meter
    unit: Fraction
    position: int = 0
    bars: int = 0
    onset_ql: Fraction = Fraction(0)
    in_bar_ql: Fraction = Fraction(0)
    triplet_left: int = 0
    tied_pitch: int | None = None
    accidentals: dict[str, int] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    chords: list[ChordSymbol] = field(default_factory=list)

    def read(self, label: str, bars: int | None) -> LeadSection:
        if len(self.text) > MAX_SECTION_CHARACTERS:
            raise NotationError(f"Section {label!r} is longer than {MAX_SECTION_CHARACTERS:,} characters.", hint="Split it.")
        while self._skip_space():
            if self.text[self.position] == "|":
                self._close_bar()
            else:
                self._read_element()
        if self.in_bar_ql:
            raise self._error("the last bar is not closed by |")
        if self.tied_pitch is not None:
            raise self._error("a tie leads out of the section")
        if not self.bars:
            raise NotationError(f"Section {label!r} has no bars.", hint="Write at least one bar closed by |.")
        if bars is not None and bars != self.bars:
            raise NotationError(f"Section {label!r} has {self.bars} bars instead of {bars}.", hint="Write exactly that many.")
        return LeadSection(label, self.bars, tuple(self.notes), tuple(self.chords))

    def _skip_space(self) -> bool:
        match = _SPACE.match(self.text, self.position)
        if match:
            self.position = match.end()
        return self.position < len(self.text)

    def _close_bar(self) -> None:
        if self.triplet_left:
            raise self._error("a triplet is not complete before the bar line")
        if self.in_bar_ql != self.meter.bar_ql:
            raise self._error(f"the bar lasts {self.in_bar_ql / 4} of a whole note instead of {self.meter}")
        self.bars += 1
        self.position += 1
        self.in_bar_ql = Fraction(0)
        self.accidentals.clear()

    def _read_element(self) -> None:
        match = _ELEMENT.match(self.text, self.position)
        if match is None:
            raise self._error(f"{self.text[self.position : self.position + 8]!r} is no note, rest or bar line")
        if match["chord"]:
            self._add_chord(match["chord"])
        if match["triplet"]:
            if self.triplet_left:
                raise self._error("a triplet begins inside a triplet")
            self.triplet_left = 3
        duration_ql = self._duration_ql(match["length"])
        self._add_note(match, duration_ql) if match["letter"] else self._add_rest(match)
        self.onset_ql += duration_ql
        self.in_bar_ql += duration_ql
        if self.in_bar_ql > self.meter.bar_ql:
            raise self._error(f"the bar is longer than {self.meter}")
        self.position = match.end()

    def _add_chord(self, symbol: str) -> None:
        try:
            self.chords.append(parse_chord(symbol, self.onset_ql))
        except NotationError as error:
            raise self._error(str(error)) from None

    def _duration_ql(self, text: str) -> Fraction:
        try:
            duration_ql = parse_length(text) * self.unit * 4
        except NotationError as error:
            raise self._error(str(error)) from None
        if self.triplet_left:
            self.triplet_left -= 1
            duration_ql *= Fraction(2, 3)
        return duration_ql

    def _add_rest(self, match: re.Match[str]) -> None:
        if self.tied_pitch is not None or match["tie"]:
            raise self._error("a rest cannot be tied")

    def _add_note(self, match: re.Match[str], duration_ql: Fraction) -> None:
        pitch = read_pitch(match["accidental"] or "", match["letter"], match["marks"], self.key, self.accidentals)
        if not 0 <= pitch <= 127:
            raise self._error("the note lies outside the range of MIDI")
        if self.tied_pitch is None:
            self.notes.append(Note(self.onset_ql, duration_ql, pitch))
        elif self.tied_pitch == pitch:
            first = self.notes[-1]
            self.notes[-1] = Note(first.onset_ql, first.duration_ql + duration_ql, pitch)
        else:
            raise self._error("a tie leads to another pitch")
        self.tied_pitch = pitch if match["tie"] else None

    def _error(self, what: str) -> NotationError:
        return NotationError(f"Bar {self.bars + 1}, character {self.position + 1}: {what}.")

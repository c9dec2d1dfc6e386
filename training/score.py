"""The tune as training reads it: spelled pitches and exact bars, and how it is written as composer text.

Time is counted in whole ticks, `TICKS_PER_QUARTER` to the quarter note. A pitch keeps its spelling (letter and accidental),
because the text has to be spelled as a musician would, also after transposition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from llm_music_gen.domain.key import LETTER_PC, Key
from llm_music_gen.domain.meter import Meter

TICKS_PER_QUARTER = 192
LETTERS = "CDEFGAB"
LABELS = "ABCDEFGH"
_LETTER_PCS = tuple(LETTER_PC[letter] for letter in LETTERS)
_ACCIDENTALS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
#: Numerators of lengths that one notehead (with up to two dots) can have.
_HEADS = (1, 3, 7)


class Unwritable(ValueError):
    """The music has no exact form in the composer text."""


def natural_midi(step: int) -> int:
    """MIDI pitch of a diatonic step without accidental; middle C is step 28."""
    return 12 * (step // 7 + 1) + _LETTER_PCS[step % 7]


@dataclass(frozen=True, slots=True)
class Pitch:
    """A spelled pitch: diatonic steps above C0 (middle C is 28) and the sounding accidental in semitones."""

    step: int
    alter: int = 0

    @property
    def midi(self) -> int:
        """MIDI pitch, 60 = middle C."""
        return natural_midi(self.step) + self.alter


@dataclass(frozen=True, slots=True)
class Element:
    """A note or (pitch None) a rest, as written."""

    ticks: int
    pitch: Pitch | None = None
    tie: bool = False
    """Tied to the next note, which has the same pitch."""
    triplet: bool = False
    """One of three equal notes in the time of two."""
    chord: str | None = None
    """Canonical chord symbol that begins here."""


Bar = tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Whole bars under one label."""

    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Tune:
    """One tune of a corpus in its canonical form."""

    source: str
    title: str
    meter: Meter
    unit: Fraction
    """Unit note length (`L:`) as a fraction of a whole note."""
    key: Key
    sections: tuple[Section, ...]

    @property
    def has_chords(self) -> bool:
        """Whether any chord symbol stands in the tune."""
        return any(element.chord for element in self.elements())

    def elements(self) -> Iterator[Element]:
        """All elements in written order."""
        return (element for section in self.sections for bar in section.bars for element in bar)


def bar_ticks(meter: Meter) -> int:
    """Length of a bar in ticks. Raises Unwritable when it is not a whole number."""
    ticks = meter.bar_ql * TICKS_PER_QUARTER
    if ticks.denominator != 1:
        raise Unwritable(f"a bar of {meter} is not a whole number of ticks")
    return ticks.numerator


def total_ticks(elements: Iterable[Element]) -> int:
    """Length of a run of elements."""
    return sum(element.ticks for element in elements)


@lru_cache(maxsize=4096)
def length_text(ticks: int, unit_ticks: int) -> str:
    """A length in canonical ABC: "", "2", "/", "/4", "3/2". `unit_ticks` is the length of the unit note."""
    ratio = Fraction(ticks, unit_ticks)
    numerator, denominator = ratio.numerator, ratio.denominator
    if denominator == 1:
        return "" if numerator == 1 else str(numerator)
    below = "/" if denominator == 2 else f"/{denominator}"
    if numerator == 1:
        return below
    return f"{numerator}/{denominator}"


@lru_cache(maxsize=4096)
def split_heads(ticks: int, smallest_ticks: int = 6) -> tuple[int, ...]:
    """Cut a length into lengths that single noteheads have, longest first. Raises Unwritable."""
    parts: list[int] = []
    while ticks:
        heads = [
            head << power
            for power in range(12)
            for head in (smallest_ticks * numerator for numerator in _HEADS)
            if head << power <= ticks
        ]
        if not heads:
            raise Unwritable(f"{ticks} ticks are shorter than a notehead")
        parts.append(max(heads))
        ticks -= parts[-1]
    return tuple(parts)


def is_head(ticks: int) -> bool:
    """Whether one notehead can have this length."""
    return split_heads(ticks) == (ticks,)


def pitch_text(pitch: Pitch, signature: dict[str, int], seen: dict[int, int], seen_letters: dict[str, int]) -> str:
    """A pitch in ABC, with an accidental wherever any reading of earlier ones in the bar could make it sound otherwise.

    Programs differ on whether an accidental holds for other octaves too. `seen` (step -> alter) and `seen_letters` (letter ->
    alter) hold both readings of this bar so far and are updated.
    """
    letter = LETTERS[pitch.step % 7]
    natural = signature.get(letter, 0)
    needed = seen.get(pitch.step, natural) != pitch.alter or seen_letters.get(letter, natural) != pitch.alter
    if pitch.alter not in _ACCIDENTALS:
        raise Unwritable("triple accidental")
    accidental = _ACCIDENTALS[pitch.alter] if needed else ""
    if needed:
        seen[pitch.step] = seen_letters[letter] = pitch.alter
    octave = pitch.step // 7
    if octave >= 5:
        return accidental + letter.lower() + "'" * (octave - 5)
    return accidental + letter + "," * (4 - octave)


def bar_text(bar: Bar, key: Key, unit_ticks: int, chords: bool = True, signature: dict[str, int] | None = None) -> str:
    """One bar without its bar line."""
    signature = key.signature if signature is None else signature
    seen: dict[int, int] = {}
    seen_letters: dict[str, int] = {}
    out: list[str] = []
    in_triplet = 0
    for element in bar:
        if element.chord and chords:
            out.append(f'"{element.chord}"')
        ticks = element.ticks
        if element.triplet:
            if in_triplet == 0:
                out.append("(3")
            in_triplet = (in_triplet + 1) % 3
            ticks = ticks * 3 // 2
        elif in_triplet:
            raise Unwritable("unfinished triplet")
        out.append("z" if element.pitch is None else pitch_text(element.pitch, signature, seen, seen_letters))
        out.append(length_text(ticks, unit_ticks))
        if element.tie:
            out.append("-")
    if in_triplet:
        raise Unwritable("unfinished triplet")
    return "".join(out)


def header_text(tune: Tune, chords: bool) -> str:
    """The conditioning lines before the first section."""
    mark = "%chords" if chords else "%plain"
    return f"M:{tune.meter}\nL:{tune.unit.numerator}/{tune.unit.denominator}\nK:{tune.key.abc()}\n{mark}\n"


def body_text(tune: Tune, chords: bool) -> str:
    """All sections, each `P:` line followed by its bars on one line."""
    unit_ticks = int(tune.unit * 4 * TICKS_PER_QUARTER)
    signature = tune.key.signature
    lines: list[str] = []
    for section in tune.sections:
        bars = "".join(bar_text(bar, tune.key, unit_ticks, chords, signature) + "|" for bar in section.bars)
        lines.append(f"P:{section.label}{len(section.bars)}\n{bars}\n")
    return "".join(lines)


def check(tune: Tune) -> None:
    """Raise Unwritable unless every bar is exact, every tie leads to its own pitch and the range is playable."""
    expected = bar_ticks(tune.meter)
    for section in tune.sections:
        elements = [element for bar in section.bars for element in bar]
        if any(total_ticks(bar) != expected for bar in section.bars):
            raise Unwritable("a bar of the wrong length")
        for here, after in zip(elements, [*elements[1:], None], strict=True):
            if here.tie and (after is None or after.pitch != here.pitch or here.pitch is None):
                raise Unwritable("an open tie")
            if here.pitch is not None and not 43 <= here.pitch.midi <= 96:
                raise Unwritable("out of range")


def merge_ties(bar: Sequence[Element]) -> Bar:
    """Join notes tied within the bar where one notehead can hold them, and split lengths no notehead has."""
    merged: list[Element] = []
    for element in bar:
        last = merged[-1] if merged else None
        if (
            last is not None
            and last.tie
            and not last.triplet
            and not element.triplet
            and element.chord is None
            and last.pitch == element.pitch
            and is_head(last.ticks + element.ticks)
        ):
            merged[-1] = replace(last, ticks=last.ticks + element.ticks, tie=element.tie)
        else:
            merged.append(element)
    out: list[Element] = []
    for element in merged:
        if element.triplet:
            out.append(element)
            continue
        parts = split_heads(element.ticks)
        for index, ticks in enumerate(parts):
            last_part = index == len(parts) - 1
            tie = element.tie if last_part else element.pitch is not None
            out.append(replace(element, ticks=ticks, tie=tie, chord=element.chord if index == 0 else None))
    return tuple(out)

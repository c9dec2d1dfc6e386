"""Notes as they are engraved: a length as a chain of note values with dots, inside or outside a triplet."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from llm_music_gen.domain.score import ChordSymbol
from llm_music_gen.errors import NotationError

#: Name in MusicXML -> quarter lengths.
NOTE_TYPES = {
    "breve": Fraction(8), "whole": Fraction(4), "half": Fraction(2), "quarter": Fraction(1), "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4), "32nd": Fraction(1, 8), "64th": Fraction(1, 16), "128th": Fraction(1, 32),
    "256th": Fraction(1, 64),
}  # fmt: skip
_DOTS = ((0, Fraction(1)), (1, Fraction(3, 2)))
#: Every engravable length, longest first: (quarter lengths, type, dots).
_VALUES = sorted(
    ((length * dotted, name, dots) for name, length in NOTE_TYPES.items() for dots, dotted in _DOTS),
    reverse=True,
)


@dataclass(frozen=True, slots=True)
class Engraved:
    """One note, chord or rest on paper."""

    duration_ql: Fraction
    """How long it sounds."""
    note_type: str
    dots: int = 0
    pitches: tuple[int, ...] = ()
    """Empty for a rest."""
    tie_from: bool = False
    """Whether it continues the one before."""
    tie_to: bool = False
    """Whether the next one continues it."""
    triplet: str = ""
    """"start", "inside" or "stop" of a triplet, or ""."""
    chord: ChordSymbol | None = None


def engrave(
    length_ql: Fraction, pitches: tuple[int, ...], *, tie_from: bool, tie_to: bool, chord: ChordSymbol | None, triplet: str = ""
) -> list[Engraved]:
    """Write a length as few tied notes. `triplet` notes sound two thirds of their value."""
    ratio = Fraction(2, 3) if triplet else Fraction(1)
    left, pieces = length_ql / ratio, []
    while left > 0:
        value = next((value for value in _VALUES if value[0] <= left), None)
        if value is None:
            raise NotationError("A note is too short to be engraved.", hint="Quantise the rhythm first.")
        pieces.append(value)
        left -= value[0]
    return [
        Engraved(
            value * ratio, name, dots, pitches,
            tie_from=bool(pitches) and (tie_from or number > 0),
            tie_to=bool(pitches) and (tie_to or number < len(pieces) - 1),
            triplet=triplet, chord=chord if number == 0 else None,
        )
        for number, (value, name, dots) in enumerate(pieces)
    ]  # fmt: skip

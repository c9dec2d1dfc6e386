"""A second reader of our scores: music21. The only module that imports it; used for checking, never for playing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from llm_music_gen.errors import NotationError


@dataclass(frozen=True, slots=True)
class SecondReading:
    """What music21 makes of a score."""

    bar_lengths_ql: tuple[tuple[Fraction, ...], ...]
    """Per part: length of every measure, in quarter lengths."""
    notes: tuple[tuple[tuple[Fraction, Fraction, int], ...], ...]
    """Per part: onset, duration (ties joined, quarter lengths) and MIDI pitch of every note."""
    chord_symbols: int
    """How many chord symbols it sees."""


def read_abc_with_music21(abc: str) -> SecondReading:
    """Parse ABC with music21. Raises NotationError when it cannot."""
    return _read(abc, "abc")


def read_musicxml_with_music21(musicxml: str) -> SecondReading:
    """Parse MusicXML with music21. Raises NotationError when it cannot."""
    return _read(musicxml, "musicxml")


def _read(text: str, form: str) -> SecondReading:
    from music21 import converter, harmony

    try:
        score = converter.parseData(text, format=form)
    except Exception as error:  # music21 raises whatever its parser stumbles over
        raise NotationError(f"music21 cannot read the score: {type(error).__name__}: {error}.") from error
    if not hasattr(score, "parts"):
        raise NotationError("music21 finds more than one tune.", hint="Give one tune.")
    parts = list(score.parts)
    return SecondReading(
        tuple(tuple(_length(measure) for measure in _measures(part)) for part in parts),
        tuple(_notes(part) for part in parts),
        len(list(score.recurse().getElementsByClass(harmony.Harmony))),
    )


def _measures(part: Any) -> list[Any]:
    """The measures of a part; music21 makes none by itself for a tune of one or two bars."""
    measures = list(part.getElementsByClass("Measure"))
    return measures or list(part.makeMeasures().getElementsByClass("Measure"))


def _length(measure: Any) -> Fraction:
    ends = [_exact(element.offset) + _exact(element.quarterLength) for element in measure.notesAndRests if _sounds(element)]
    return max(ends, default=Fraction(0))


def _sounds(element: Any) -> bool:
    return "Harmony" not in element.classes and "ChordSymbol" not in element.classes


def _exact(value: Any) -> Fraction:
    return Fraction(value).limit_denominator(960)


def _notes(part: Any) -> tuple[tuple[Fraction, Fraction, int], ...]:
    """Every note with its ties joined (`stripTies` loses count of chains that come from ABC)."""
    notes: list[tuple[Fraction, Fraction, int]] = []
    held: dict[int, int] = {}
    for note in part.recurse().notes:
        onset, length = _exact(note.getOffsetInHierarchy(part)), _exact(note.quarterLength)
        for one in (note.notes if note.isChord else [note]) if _sounds(note) else []:
            pitch = int(one.pitch.midi) if hasattr(one, "pitch") else 0
            first = held.pop(pitch, None)
            if first is not None and notes[first][0] + notes[first][1] == onset:
                notes[first] = (notes[first][0], notes[first][1] + length, pitch)
            else:
                first = len(notes)
                notes.append((onset, length, pitch))
            if one.tie is not None and one.tie.type in ("start", "continue"):
                held[pitch] = first
    return tuple(notes)

"""Roman numerals of progressions: degrees of the major scale on the tonic, upper case major, lower case minor."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_music_gen.errors import StyleError

_DEGREES = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
_NUMERAL = re.compile(r"^([b#]?)(VII|VI|V|IV|III|II|I|vii|vi|v|iv|iii|ii|i)([A-Za-z0-9+]*)(?:/([b#]?[1-7]))?$")
_MAJOR = {
    "": "", "7": "7", "M7": "maj7", "9": "9", "M9": "maj9", "13": "9", "6": "6", "69": "6", "add9": "", "sus4": "sus4",
    "sus2": "sus2", "sus": "sus4", "7sus4": "7sus4", "9sus": "7sus4", "9sus4": "7sus4", "11": "7sus4", "13sus": "7sus4",
    "13sus4": "7sus4",
    "5": "5", "+": "aug", "7b9": "7", "o7": "dim7", "o": "dim",
}  # fmt: skip
_MINOR = {
    "": "m", "7": "m7", "m7": "m7", "9": "m9", "m9": "m9", "m": "m", "6": "m6", "m6": "m6", "11": "m7", "m11": "m7", "o": "dim",
    "o7": "dim7", "0": "m7b5", "5": "5",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numeral:
    """One chord of a progression, relative to the tonic."""

    root: int
    """Semitones above the tonic."""
    quality: str
    """As in chord symbols."""
    bass: int | None = None
    """Semitones above the tonic, or None for the root."""


def parse_numeral(text: str) -> Numeral:
    """Read "IM7", "ii9", "bVII", "V/7" (bass on the seventh degree). Raises StyleError."""
    match = _NUMERAL.match(text.strip())
    table = _MAJOR if match and match[2].isupper() else _MINOR
    if match is None or match[3] not in table:
        raise StyleError(f"{text!r} is not a Roman numeral.", hint='Write for example "I", "vi9", "bVII", "V7" or "V/7".')
    shift = {"b": -1, "#": 1, "": 0}
    bass = None
    if match[4]:
        degree = int(match[4][-1])
        bass = (tuple(_DEGREES.values())[degree - 1] + shift[match[4][:-1]]) % 12
    return Numeral((_DEGREES[match[2].lower()] + shift[match[1]]) % 12, table[match[3]], bass)


def parse_progression(text: str) -> tuple[tuple[Numeral, ...], ...]:
    """Bars split by |, chords of a bar by spaces. Raises StyleError."""
    bars = tuple(tuple(parse_numeral(word) for word in bar.split()) for bar in text.split("|"))
    if not all(bars):
        raise StyleError(f"{text!r} has an empty bar.")
    return bars

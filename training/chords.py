"""Chord symbols: the canonical names of the composer text and how other spellings are brought to them."""

from __future__ import annotations

import re

QUALITIES = (
    "", "m", "7", "m7", "maj7", "dim", "dim7", "m7b5", "aug", "sus4", "sus2", "6", "m6", "9", "m9", "maj9", "7sus4", "5",
)  # fmt: skip
#: Semitones above the root of each quality's tones.
TONES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11), "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9), "m7b5": (0, 3, 6, 10), "aug": (0, 4, 8), "sus4": (0, 5, 7), "sus2": (0, 2, 7), "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9), "9": (0, 4, 7, 10, 2), "m9": (0, 3, 7, 10, 2), "maj9": (0, 4, 7, 11, 2), "7sus4": (0, 5, 7, 10),
    "5": (0, 7),
}  # fmt: skip
#: MusicXML `kind` -> canonical quality; altered and rare kinds go to the nearest that keeps their function.
MUSICXML_KINDS = {
    "major": "", "dominant": "7", "minor": "m", "minor-seventh": "m7", "diminished": "dim", "dominant-ninth": "9",
    "major-seventh": "maj7", "major-sixth": "6", "minor-sixth": "m6", "augmented": "aug", "diminished-seventh": "dim7",
    "augmented-seventh": "aug", "half-diminished": "m7b5", "suspended-fourth": "sus4", "suspended-second": "sus2",
    "dominant-13th": "9", "dominant-11th": "9", "minor-ninth": "m9", "minor-11th": "m9", "minor-13th": "m9",
    "major-ninth": "maj9",
    "major-minor": "m", "minor-major": "m", "augmented-ninth": "aug", "power": "5", "maj69": "6",
}  # fmt: skip
CHORD = re.compile(r"^([A-G][#b]?)([^/]*)(?:/([A-G][#b]?))?$")
_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_SHARP_ORDER = "FCGDAEB"


def note_fifths(name: str) -> int:
    """Place of a note name on the line of fifths, C = 0, F# = 6, Bb = -2."""
    return _FIFTHS[name[0]] + 7 * (name.count("#") - name.count("b"))


def fifths_note(fifths: int) -> str:
    """The note name at a place on the line of fifths, respelled so that it has at most one accidental."""
    while fifths > 11:
        fifths -= 12
    while fifths < -8:
        fifths += 12
    letter = _SHARP_ORDER[(fifths + 1) % 7]
    sharps = (fifths + 1) // 7
    return letter + ("#" * sharps if sharps > 0 else "b" * -sharps)


def transpose_chord(chord: str, fifths: int) -> str:
    """A canonical chord symbol moved along the line of fifths."""
    match = CHORD.match(chord)
    if match is None:
        raise ValueError(f"{chord!r} is not a chord symbol")
    root = fifths_note(note_fifths(match[1]) + fifths)
    bass = "/" + fifths_note(note_fifths(match[3]) + fifths) if match[3] else ""
    return f"{root}{match[2]}{bass}"

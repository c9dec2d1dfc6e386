"""The notation of style sheets: one character a step for drums and chords, `step:tone/length` for bass, one word a section.

Grids: `g16` one 4/4 bar of sixteenths, `g32` two of them, `g32e` four 4/4 bars of eighths, `g12t` one 4/4 bar of eighth
triplets, `g12w` one 3/4 bar of sixteenths, `g12j` two 6/8 bars of eighths. Drum rows: `K|x.....5...x.....|` with `.` rest,
`x` hit, `o` ghost, `1`-`9` loudness.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from llm_music_gen.errors import StyleError

#: Grid -> (steps, bars, length of a bar in quarter lengths).
GRIDS: dict[str, tuple[int, int, Fraction]] = {
    "g16": (16, 1, Fraction(4)), "g32": (32, 2, Fraction(4)), "g32e": (32, 4, Fraction(4)),
    "g12t": (12, 1, Fraction(4)), "g12w": (12, 1, Fraction(3)),
    "g12j": (12, 2, Fraction(3)),
}  # fmt: skip

#: Letter of a drum row -> General MIDI percussion note.
DRUM_NOTES: dict[str, int] = {
    "K": 36, "S": 38, "C": 39, "R": 37, "H": 42, "P": 44, "O": 46, "D": 51, "B": 53, "Y": 49, "L": 45, "F": 41, "M": 47, "U": 50,
    "G": 54, "W": 56, "Q": 70, "A": 69, "V": 75, "N": 76, "J": 77, "E": 63, "I": 62, "Z": 64, "X": 60, "b": 61, "T": 65, "t": 66,
    "a": 67, "d": 68, "g": 73, "r": 81, "m": 80, "s": 40,
}  # fmt: skip
_LEVELS = {".": 0, "-": 0, "x": 8, "o": 2, **{str(digit): digit for digit in range(1, 10)}}
_ROW = re.compile(r"^\s*([A-Za-z])\|([^|]*)\|\s*$")
_COMP = re.compile(r"^[x.\-1-9o]+$")
_BASS_TONES = frozenset(("R", "3", "5", "6", "7", "8", "9", "a", "d", "x", "b2", "b3", "b7", "rest"))
_BASS = re.compile(r"^(\d+):([A-Za-z0-9]+?)(-?)(?:/(\d+|hold))?([>!*]*)$")
_SECTION = re.compile(r"^([a-z]+):([A-Z])(\d+):(\d\.\d+|\d)$")
SECTION_ROLES = ("intro", "verse", "build", "chorus", "drop", "break", "bridge", "solo", "outro")


@dataclass(frozen=True, slots=True)
class DrumRow:
    """One percussion voice over one turn of a grid."""

    note: int
    """General MIDI percussion note."""
    levels: tuple[int, ...]
    """Loudness of each step, 0 (silent) to 9."""


@dataclass(frozen=True, slots=True)
class BassHit:
    """One note of a bass pattern."""

    step: int
    tone: str
    """R root, 3 5 6 7 9 members of the chord, 8 octave, a and d approach the next root, x dead, b2 b3 b7 above the tonic."""
    length: int
    """In steps; 0 = until the next note."""
    octave_down: bool = False
    accent: bool = False
    staccato: bool = False


@dataclass(frozen=True, slots=True)
class SectionTemplate:
    """One section of a form template."""

    role: str
    """intro, verse, build, chorus, drop, break, bridge, solo or outro."""
    label: str
    """Letter of the material."""
    bars: int
    energy: float
    """0 (bare) to 1 (everything plays)."""


def parse_drum_row(text: str) -> DrumRow:
    """Read `K|x...|`. Raises StyleError."""
    match = _ROW.match(text)
    if match is None or match[1] not in DRUM_NOTES or not match[2] or any(step not in _LEVELS for step in match[2]):
        raise StyleError(
            f"{text!r} is not a drum row.",
            hint=f"Write a letter of {''.join(DRUM_NOTES)}, then steps of . x o - 1-9 between bars.",
        )
    return DrumRow(DRUM_NOTES[match[1]], tuple(_LEVELS[step] for step in match[2]))


def parse_bass(text: str) -> tuple[BassHit, ...]:
    """Read `0:R/5 6:R/2 10:5/4`. Raises StyleError."""
    hits = []
    for word in text.split():
        match = _BASS.match(word)
        if match is None or match[2] not in _BASS_TONES:
            raise StyleError(
                f"{word!r} is not a bass note.", hint="Write step:tone/length with a tone of R 3 5 6 7 8 9 a d x b2 b3 b7."
            )
        if match[2] == "rest":
            continue
        length = 0 if match[4] in (None, "hold") else int(match[4])
        hits.append(BassHit(int(match[1]), match[2], length, bool(match[3]), "!" in match[5], "*" in match[5]))
    if not hits or any(later.step <= earlier.step for earlier, later in pairwise(hits)):
        raise StyleError(f"{text!r} is not a bass pattern.", hint="Its steps must rise, and something must sound.")
    return tuple(hits)


def parse_comp(text: str) -> str:
    """Check `x--..x..` (chords) or `1.3.5.3.` (arpeggio); bars at the ends are dropped. Raises StyleError."""
    steps = text.strip().strip("|")
    if not _COMP.match(steps):
        raise StyleError(f"{text!r} is not a pattern.", hint="Write one character a step: x . - for chords, 1-9 . for arpeggios.")
    return steps


def parse_form(text: str) -> tuple[SectionTemplate, ...]:
    """Read `intro:A8:0.2 verse:A16:0.4 ...` (role:letter+bars:energy). Raises StyleError."""
    sections = []
    for word in text.split():
        match = _SECTION.match(word)
        if match is None or match[1] not in SECTION_ROLES or not 1 <= int(match[3]) <= 64 or float(match[4]) > 1:
            raise StyleError(
                f"{word!r} is not a section.", hint=f"Write role:letter+bars:energy, with a role of {', '.join(SECTION_ROLES)}."
            )
        sections.append(SectionTemplate(match[1], match[2], int(match[3]), float(match[4])))
    if not sections:
        raise StyleError("A form needs at least one section.")
    return tuple(sections)

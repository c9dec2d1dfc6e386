"""Chord symbols: reading every common spelling, writing one canonical one."""

from __future__ import annotations

import re
from fractions import Fraction

from llm_music_gen.domain.key import LETTER_PC, Key
from llm_music_gen.domain.score import ChordSymbol
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.spelling import spell_pc

#: Canonical quality -> semitones above the root.
QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11), "dim": (0, 3, 6),
    "dim7": (0, 3, 6, 9), "m7b5": (0, 3, 6, 10), "aug": (0, 4, 8), "sus4": (0, 5, 7), "sus2": (0, 2, 7), "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9), "9": (0, 4, 7, 10, 14), "m9": (0, 3, 7, 10, 14), "maj9": (0, 4, 7, 11, 14), "7sus4": (0, 5, 7, 10),
    "5": (0, 7),
}  # fmt: skip

#: Other spellings, compared after `_plain`; a quality with more in it is reduced to the nearest canonical one.
_ALIASES: dict[str, str] = {
    "maj": "", "major": "", "M": "", "add9": "", "add2": "", "2": "sus2",
    "min": "m", "minor": "m", "-": "m", "mi": "m", "madd9": "m", "m2": "m", "m4": "m",
    "dom7": "7", "7th": "7", "x7": "7", "7b5": "7", "7#5": "7", "7+": "7", "+7": "7", "aug7": "7", "7b9": "7", "7#9": "7",
    "7#11": "7", "7b13": "7", "7alt": "7", "alt": "7", "7+5": "7", "7-5": "7", "7-9": "7", "7+9": "7", "7aug": "7",
    "min7": "m7", "-7": "m7", "mi7": "m7", "minor7": "m7", "m11": "m7", "m13": "m9", "min11": "m7", "-11": "m7",
    "M7": "maj7", "ma7": "maj7", "major7": "maj7", "^7": "maj7", "^": "maj7", "Δ": "maj7", "Δ7": "maj7", "j7": "maj7",
    "M7#11": "maj7", "maj7#11": "maj7", "maj13": "maj9", "M13": "maj9",
    "o": "dim", "°": "dim", "mb5": "dim", "m-5": "dim", "diminished": "dim",
    "o7": "dim7", "°7": "dim7", "diminished7": "dim7",
    "ø": "m7b5", "ø7": "m7b5", "-7b5": "m7b5", "min7b5": "m7b5", "m7-5": "m7b5", "h7": "m7b5", "half-dim": "m7b5", "m7o5": "m7b5",
    "+": "aug", "#5": "aug", "+5": "aug", "augmented": "aug",
    "sus": "sus4", "4": "sus4", "add4": "sus4", "maj6": "6", "M6": "6", "69": "6", "6/9": "6", "6add9": "6",
    "-6": "m6", "min6": "m6", "mi6": "m6", "m69": "m6",
    "11": "9", "13": "9", "9b5": "9", "9#5": "9", "13b9": "9", "7add13": "9",
    "min9": "m9", "-9": "m9", "mi9": "m9", "M9": "maj9", "ma9": "maj9", "major9": "maj9", "^9": "maj9", "Δ9": "maj9",
    "7sus": "7sus4", "sus7": "7sus4", "9sus4": "7sus4", "9sus": "7sus4", "13sus4": "7sus4", "11sus4": "7sus4", "7sus2": "7sus4",
    "power": "5", "no3": "5",
    "mmaj7": "m", "mM7": "m", "minmaj7": "m", "-maj7": "m", "m#7": "m", "m(maj7)": "m", "m+7": "m", "m#5": "m", "m+5": "m",
}  # fmt: skip
_SYMBOL = re.compile(r"^([A-G])([#b♯♭]?)(.*?)(?:/([A-Ga-g])([#b♯♭]?))?$")
_NO_CHORD = {"N.C.", "NC", "N.C", "n.c.", "N. C.", "no chord", "tacet"}
_SIGNS = str.maketrans({"♯": "#", "♭": "b", "△": "Δ", "–": "-", "−": "-", "(": "", ")": "", " ": "", ",": ""})
MAX_SYMBOL_LENGTH = 24


def is_no_chord(text: str) -> bool:
    """Whether a symbol says that no chord is played ("N.C.")."""
    return text.strip() in _NO_CHORD


def parse_chord(text: str, onset_ql: Fraction = Fraction(0)) -> ChordSymbol:
    """Read "Dm7", "Dmin7", "D-7", "CM7", "Bbmaj7", "F#7sus4/E". Richer chords lose what no canonical quality has.

    Raises NotationError when the text is no chord symbol, "N.C." (see `is_no_chord`) included.
    """
    symbol = text.strip()
    match = _SYMBOL.match(symbol) if len(symbol) <= MAX_SYMBOL_LENGTH else None
    quality = _canonical_quality(match[3]) if match else None
    if match is None or quality is None:
        raise NotationError(f"{text[:40]!r} is not a chord symbol.", hint='Write for example "Am", "G7" or "Cmaj7/E".')
    bass = _pitch_class(match[4].upper(), match[5]) if match[4] else None
    root = _pitch_class(match[1], match[2])
    return ChordSymbol(onset_ql, root, quality, None if bass == root else bass)


def _canonical_quality(text: str) -> str | None:
    quality = text.translate(_SIGNS)
    if quality in QUALITIES:
        return quality
    if quality in _ALIASES:
        return _ALIASES[quality]
    # Capitals matter only where M means major; "MIN7" and "Maj7" are read in any case.
    lowered = quality.lower()
    if not quality.startswith("M") or lowered.startswith(("maj", "min")):
        return lowered if lowered in QUALITIES else _ALIASES.get(lowered)
    return None


def _pitch_class(letter: str, sign: str) -> int:
    return (LETTER_PC[letter] + {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[sign]) % 12


def chord_text(chord: ChordSymbol, key: Key) -> str:
    """The canonical symbol, spelled by the key: Dm7, F#m7b5, Bb/D. Raises NotationError for an unknown quality."""
    if chord.quality not in QUALITIES:
        raise NotationError(f"{chord.quality!r} is not a chord quality.", hint=f"Known are {', '.join(filter(None, QUALITIES))}.")
    bass = "" if chord.bass_pc is None else f"/{spell_pc(chord.bass_pc, key)}"
    return f"{spell_pc(chord.root_pc, key)}{chord.quality}{bass}"


def chord_pcs(chord: ChordSymbol) -> frozenset[int]:
    """The pitch classes of a chord, slash bass included."""
    pcs = {(chord.root_pc + step) % 12 for step in QUALITIES[chord.quality]}
    return frozenset(pcs if chord.bass_pc is None else pcs | {chord.bass_pc})

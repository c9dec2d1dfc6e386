"""Musical keys and modes: parsing in both spellings, pitch classes, key signatures."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_music_gen.errors import NotationError

LETTER_PC = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
#: Letters in the order in which key signatures add sharps.
SHARP_ORDER = "FCGDAEB"
#: Position of each natural letter on the line of fifths, C = 0.
LETTER_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}

#: mode -> (semitones above the tonic, how many fifths its signature lies below the major key on the same tonic)
MODES: dict[str, tuple[tuple[int, ...], int]] = {
    "major": ((0, 2, 4, 5, 7, 9, 11), 0),
    "minor": ((0, 2, 3, 5, 7, 8, 10), 3),
    "dorian": ((0, 2, 3, 5, 7, 9, 10), 2),
    "phrygian": ((0, 1, 3, 5, 7, 8, 10), 4),
    "lydian": ((0, 2, 4, 6, 7, 9, 11), -1),
    "mixolydian": ((0, 2, 4, 5, 7, 9, 10), 1),
    "locrian": ((0, 1, 3, 5, 6, 8, 10), 5),
}
ABC_SUFFIX = {
    "major": "", "minor": "m", "dorian": "dor", "phrygian": "phr", "lydian": "lyd", "mixolydian": "mix", "locrian": "loc",
}  # fmt: skip
_MODE_NAMES = {
    "": "major", "maj": "major", "major": "major", "dur": "major", "ion": "major", "ionian": "major",
    "m": "minor", "min": "minor", "minor": "minor", "moll": "minor", "aeo": "minor", "aeolian": "minor",
    "dor": "dorian", "dorian": "dorian", "phr": "phrygian", "phrygian": "phrygian", "lyd": "lydian", "lydian": "lydian",
    "mix": "mixolydian", "mixolydian": "mixolydian", "loc": "locrian", "locrian": "locrian",
}  # fmt: skip
_KEY = re.compile(r"^\s*([A-Ga-g])([#b♯♭]|(?:-|\s+)?(?:sharp|flat))?\s*-?\s*([A-Za-z]*)\s*$")


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic and a mode. `Key("Bb", "major")`, `Key("F#", "minor")`."""

    tonic: str
    """Letter and at most one accidental: C, F#, Bb."""
    mode: str = "major"
    """One of `MODES`."""

    @staticmethod
    def parse(text: str) -> Key:
        """Read "A minor", "Am", "F# dorian", "Bbmaj", "bb minor", "Ddor". Raises NotationError."""
        match = _KEY.match(text)
        mode = None
        if match:
            word = match[3]
            # "M" alone means major and "m" minor; every other word is read in any case.
            mode = "major" if word == "M" else _MODE_NAMES.get(word.lower())
        if match is None or mode is None:
            raise NotationError(
                f"{text!r} is not a key.", hint='Write for example "C", "A minor", "Am", "F# major" or "D dorian".'
            )
        accidental = (match[2] or "").strip(" -").replace("♯", "#").replace("♭", "b").replace("sharp", "#").replace("flat", "b")
        key = Key(match[1].upper() + accidental, mode)
        if not -7 <= key.fifths <= 7:
            other = Key.from_pc(key.tonic_pc, mode)
            raise NotationError(f"{text!r} has no usable key signature.", hint=f"Write {other} instead.")
        return key

    @staticmethod
    def from_pc(tonic_pc: int, mode: str = "major") -> Key:
        """The key on a pitch class with the fewest accidentals (flats where sharps and flats tie)."""
        spellings = [
            Key(letter + accidental, mode)
            for letter, pc in LETTER_PC.items()
            for accidental, shift in (("", 0), ("b", -1), ("#", 1))
            if (pc + shift) % 12 == tonic_pc % 12
        ]
        return min(spellings, key=lambda key: (abs(key.fifths), key.fifths))

    @property
    def tonic_pc(self) -> int:
        """Pitch class of the tonic, C = 0."""
        return (LETTER_PC[self.tonic[0]] + self.tonic.count("#") - self.tonic.count("b")) % 12

    @property
    def fifths(self) -> int:
        """Sharps (positive) or flats (negative) in the key signature."""
        tonic = LETTER_FIFTHS[self.tonic[0]] + 7 * (self.tonic.count("#") - self.tonic.count("b"))
        return tonic - MODES[self.mode][1]

    @property
    def scale_pcs(self) -> tuple[int, ...]:
        """The seven pitch classes, from the tonic up."""
        return tuple((self.tonic_pc + step) % 12 for step in MODES[self.mode][0])

    @property
    def is_minor(self) -> bool:
        """Whether the third above the tonic is minor."""
        return 3 in MODES[self.mode][0]

    @property
    def signature(self) -> dict[str, int]:
        """Letter -> accidental (+1, -1) that the key signature puts on it."""
        if self.fifths >= 0:
            return dict.fromkeys(SHARP_ORDER[: self.fifths], 1)
        return dict.fromkeys(SHARP_ORDER[::-1][: -self.fifths], -1)

    def abc(self) -> str:
        """As written in a `K:` field and on every wire: C, Dm, F#m, Ddor."""
        return self.tonic + ABC_SUFFIX[self.mode]

    def __str__(self) -> str:
        return f"{self.tonic} {self.mode}"

"""Pitch spelling: MIDI pitch <-> letter, accidental and octave marks, in a key and after a bar's accidentals.

An accidental holds for its letter in every octave up to the bar line (ABC 2.1, `propagate-accidentals pitch`, the default).
"""

from __future__ import annotations

from dataclasses import dataclass

from llm_music_gen.domain.key import LETTER_FIFTHS, LETTER_PC, Key

ACCIDENTAL_TEXT = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
ACCIDENTAL_ALTER = {text: alter for alter, text in ACCIDENTAL_TEXT.items()}
_LETTERS_BY_FIFTHS = {fifths: letter for letter, fifths in LETTER_FIFTHS.items()}


@dataclass(frozen=True, slots=True)
class SpelledPitch:
    """A pitch as it is named."""

    letter: str
    """C to B."""
    alter: int
    """Semitones above the natural letter, -2 to 2."""
    octave: int
    """Scientific octave: 4 begins at middle C."""

    @property
    def midi(self) -> int:
        """MIDI pitch, 60 = middle C."""
        return 12 * (self.octave + 1) + LETTER_PC[self.letter] + self.alter

    @property
    def letter_text(self) -> str:
        """Letter with octave marks as ABC writes it, without the accidental: C, c', B,,."""
        if self.octave >= 5:
            return self.letter.lower() + "'" * (self.octave - 5)
        return self.letter + "," * (4 - self.octave)


def spell(pitch: int, key: Key) -> SpelledPitch:
    """Name a MIDI pitch: the chromatic scale on the tonic from the flat second to the raised fourth, on the line of fifths."""
    letter, alter = _name(pitch % 12, key)
    return SpelledPitch(letter, alter, (pitch - LETTER_PC[letter] - alter) // 12 - 1)


def spell_pc(pc: int, key: Key) -> str:
    """Name a pitch class as chord symbols do: C, F#, Bb; never a double accidental, nor Cb, Fb, B#, E# outside their keys."""
    letter, alter = _name(pc, key)
    if letter + "b#"[alter > 0] * abs(alter) in ("Cb", "Fb", "B#", "E#") and pc not in key.scale_pcs:
        letter, alter = next(name for name in ((name, 0) for name in LETTER_PC) if LETTER_PC[name[0]] == pc % 12)
    return letter + ("#" if alter > 0 else "b") * abs(alter)


def _name(pc: int, key: Key) -> tuple[str, int]:
    tonic_fifths = LETTER_FIFTHS[key.tonic[0]] + 7 * (key.tonic.count("#") - key.tonic.count("b"))
    for fifths in range(tonic_fifths - 5, tonic_fifths + 7):
        if fifths * 7 % 12 == pc % 12:
            letter, alter = _on_line_of_fifths(fifths)
            if abs(alter) <= 1:
                return letter, alter
            break
    # A double accidental is hard to read: take the plain neighbour instead.
    return next((name, shift) for shift in (0, -1, 1) for name in LETTER_PC if (LETTER_PC[name] + shift) % 12 == pc % 12)


def _on_line_of_fifths(fifths: int) -> tuple[str, int]:
    alter, position = divmod(fifths + 1, 7)
    return _LETTERS_BY_FIFTHS[position - 1], alter


def note_text(pitch: int, key: Key, bar_accidentals: dict[str, int]) -> str:
    """A pitch as ABC in a key, after the accidentals already written in the bar; records its own accidental there."""
    spelled = spell(pitch, key)
    sounding = bar_accidentals.get(spelled.letter, key.signature.get(spelled.letter, 0))
    if spelled.alter == sounding:
        return spelled.letter_text
    bar_accidentals[spelled.letter] = spelled.alter
    return ACCIDENTAL_TEXT[spelled.alter] + spelled.letter_text


def read_pitch(accidental: str, letter: str, marks: str, key: Key, bar_accidentals: dict[str, int]) -> int:
    """The MIDI pitch of an ABC note; records an explicit accidental in `bar_accidentals`. May lie outside 0 to 127."""
    name = letter.upper()
    if accidental:
        bar_accidentals[name] = ACCIDENTAL_ALTER[accidental]
    alter = bar_accidentals.get(name, key.signature.get(name, 0))
    octave = (5 if letter.islower() else 4) + marks.count("'") - marks.count(",")
    return SpelledPitch(name, alter, octave).midi

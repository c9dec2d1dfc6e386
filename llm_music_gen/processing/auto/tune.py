"""AutoPitchCorrector: a single voice brought into tune, vowels and vibrato kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from llm_music_gen.domain.key import LETTER_PC, Key
from llm_music_gen.errors import UsageError
from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.auto.choice import Choice
from llm_music_gen.processing.dsp.correct import Correction, carried_out, correction_of
from llm_music_gen.tools.spec import Range

_NOTE = re.compile(r"^\s*([A-Ga-g])([#b♯♭]?)(-?\d)\s*$")
#: So far off it is either sung by someone who needs all of the help or meant as it is.
_TRUE_CENTS, _FAR_CENTS = 8.0, 25.0


@dataclass(frozen=True, slots=True)
class PitchChoice(Choice):
    """How a voice is corrected."""

    key: str | None
    strength: float
    notes: tuple[str, ...] | None = None
    correction: Correction | None = None

    def arguments(self) -> dict[str, object]:
        """As the tool takes them."""
        pairs = {"key": self.key, "strength": self.strength, "notes": list(self.notes) if self.notes else None}
        return {name: value for name, value in pairs.items() if value is not None}


def auto_pitch_corrector(
    audio: Audio, key: str | None = None, strength: Annotated[float | None, Range(0, 1)] = None, notes: list[str] | None = None
) -> Audio:
    """Bring a single voice or lead instrument into tune; how it sounds and its vibrato stay.

    key: Such as Dm or F#; nothing finds it.
    strength: 1 moves every note all the way; nothing decides by how far off it is.
    notes: The notes of the melody in their order, such as A3, C4; then no key is needed.
    """
    return apply_pitch_correction(audio, pitch_choice(audio, key, strength, notes))


def pitch_choice(
    audio: Audio, key: str | None = None, strength: float | None = None, notes: list[str] | None = None
) -> PitchChoice:
    """Hears the voice. Raises NotationError for a key and UsageError for a note that does not exist."""
    given = [midi_pitch(note) for note in notes] if notes else None
    heard = correction_of(audio, Key.parse(key) if key else None, given)
    return choose_pitch(heard, strength, tuple(notes) if notes else None)


def choose_pitch(heard: Correction, strength: float | None = None, notes: tuple[str, ...] | None = None) -> PitchChoice:
    """All the way for what is clearly off, less for what is nearly true: there the rest is expression."""
    key = heard.key.abc() if heard.key is not None else None
    if not heard.notes:
        return PitchChoice("No single voice with a pitch was found; left as it is.", key, 0.0, notes, heard)
    away = heard.mean_error_cents
    chosen = strength
    if chosen is None:
        chosen = 1.0 if away >= _FAR_CENTS else 0.0 if away < 1.0 else round(0.8 + 0.2 * min(1.0, away / _TRUE_CENTS), 2)
    where = "on the given notes" if notes else f"in {heard.key}"
    reason = f"{len(heard.notes)} notes {where}, {away:.0f} cents off on average: corrected by {chosen:.0%}."
    return PitchChoice(reason, key, chosen, notes, heard)


def apply_pitch_correction(audio: Audio, choice: PitchChoice) -> Audio:
    """Carries it out."""
    return carried_out(audio, choice.correction, choice.strength) if choice.correction is not None else audio


def midi_pitch(note: str) -> float:
    """The MIDI pitch of a name such as C4 (60), F#3, Bb5. Raises UsageError."""
    match = _NOTE.match(note)
    if match is None:
        raise UsageError(f"{note!r} is not a note.", hint="Write letter and octave, such as A3, F#4 or Bb2.")
    shift = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}[match[2]]
    return float(LETTER_PC[match[1].upper()] + shift + 12 * (int(match[3]) + 1))

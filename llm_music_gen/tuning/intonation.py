"""Frequencies of pitches above a tonic: equal temperament, or just intonation by a table of ratios that ships as data."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib import resources

from llm_music_gen.domain.score import Intonation, System
from llm_music_gen.errors import UsageError
from llm_music_gen.units import midi_to_hz, ratio_to_cents

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class Ratios:
    """Just intonation as data."""

    steps: tuple[Fraction, ...]
    """Twelve ratios above the tonic, rising, the first 1."""
    over: dict[int, dict[int, Fraction]]
    """Chord root (semitones above the tonic) -> step -> the ratio it has over that chord instead."""


def frequency_of(
    midi_pitch: int, tonic_hz: float, tonic_pitch: int, system: System = "equal", *, chord_root: int | None = None
) -> float:
    """Frequency in Hz of a MIDI pitch where `tonic_pitch` (any octave of the tonic) sounds at `tonic_hz`.

    In just intonation `chord_root`, the semitones from the tonic up to the root of the chord, chooses the ratio where the
    table has another one over that chord: the second step is 10/9 instead of 9/8 over IV and vi, whose fifths and thirds
    would be a comma off otherwise. Raises UsageError for an unknown system.
    """
    steps = midi_pitch - tonic_pitch
    if system == "equal":
        return float(tonic_hz * 2.0 ** (steps / 12.0))
    if system != "just":
        raise UsageError(f"{system!r} is not a tuning system.", hint='Choose "equal" or "just".')
    octaves, step = divmod(steps, 12)
    table = ratios()
    ratio = table.steps[step] if chord_root is None else table.over.get(chord_root % 12, {}).get(step, table.steps[step])
    return float(tonic_hz * float(ratio) * 2.0**octaves)


def pitch_hz(midi_pitch: int, a4_hz: float, intonation: Intonation) -> float:
    """Frequency in Hz of a MIDI pitch in an arrangement: the tonic is where `a4_hz` puts it, the rest follows from it."""
    tonic_pitch = 60 + intonation.tonic_pc % 12
    return frequency_of(midi_pitch, midi_to_hz(tonic_pitch, a4_hz), tonic_pitch, intonation.system)


def cents_from_equal(midi_pitch: int, intonation: Intonation) -> float:
    """By how many cents a pitch lies above equal temperament on the same tonic; 0 in equal temperament."""
    if intonation.system == "equal":
        return 0.0
    return ratio_to_cents(pitch_hz(midi_pitch, 440.0, intonation) / midi_to_hz(midi_pitch))


def beating_hz(low_hz: float, high_hz: float, ratio: Fraction) -> float:
    """How fast two tones near a small whole ratio beat: the coinciding harmonics' difference in Hz, 0 when pure."""
    return abs(ratio.numerator * low_hz - ratio.denominator * high_hz)


@lru_cache(maxsize=1)
def ratios() -> Ratios:
    """The table of just intonation."""
    table = tomllib.loads(resources.files(__package__).joinpath("just.toml").read_text(encoding="utf-8"))
    over = {
        int(entry["chord_root"]): {int(step): Fraction(ratio) for step, ratio in entry["steps"].items()}
        for entry in table["over"]
    }
    return Ratios(tuple(Fraction(text) for text in table["steps"]), over)

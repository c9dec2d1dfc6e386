"""Which key and which reference pitch put a song's tonic exactly on a frequency, in equal temperament.

A global shift of less than half a semitone is enough for every frequency: the nearest key is taken, and A4 moved by what is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from llm_music_gen.domain.key import Key
from llm_music_gen.tuning.frequency import LOWEST_AUDIBLE_HZ, Frequency
from llm_music_gen.units import cents_to_ratio, hz_to_midi

CONCERT_PITCH_HZ = 440.0
#: Where a tonic is folded to by octaves when the number itself lies outside the musical range.
FOLD_CENTRE_HZ = 220.0
_LOWEST_TONIC_HZ, _HIGHEST_TONIC_HZ = 27.5, 2_100.0


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a song is tuned."""

    a4_hz: float
    """Reference pitch, between 427 and 453 Hz for a tonic."""
    tonic_pc: int | None
    """Pitch class the song's key must have, or None when any will do."""
    tonic_hz: float | None
    """The octave of the frequency that lies in the musical range, or None for a reference."""
    offset_cents: float
    """Distance from concert pitch."""
    label: str

    def key(self, wanted: Key | None, mode: str) -> Key:
        """The song's key: `wanted` where the tuning leaves the choice, else the tonic's pitch class in a mode."""
        if self.tonic_pc is None:
            return wanted if wanted is not None else Key("C", mode)
        return Key.from_pc(self.tonic_pc, wanted.mode if wanted is not None else mode)


#: A4 at 440 Hz, any key.
CONCERT_PITCH = Tuning(CONCERT_PITCH_HZ, None, None, 0.0, "concert pitch")


def tune_to(frequency: Frequency | None, wanted: Key | None = None) -> Tuning:
    """The tuning for a frequency, or concert pitch for None.

    With a key asked for as well, its tonic is put on the frequency's nearest octave and A4 moves as far as that takes
    (up to six semitones); without one the nearest key is chosen and A4 stays between 427.5 and 452.9 Hz.
    """
    if frequency is None:
        return CONCERT_PITCH
    if frequency.kind == "reference":
        offset = 1200.0 * math.log2(frequency.hz / CONCERT_PITCH_HZ)
        return Tuning(frequency.hz, None, None, offset, frequency.label)
    tonic_hz = fold_to_musical_range(frequency.hz)
    exact = hz_to_midi(tonic_hz)
    if wanted is None:
        nearest = math.floor(exact + 0.5)
    else:
        nearest = wanted.tonic_pc + 12 * math.floor((exact - wanted.tonic_pc) / 12.0 + 0.5)
    offset = 100.0 * (exact - nearest)
    return Tuning(CONCERT_PITCH_HZ * cents_to_ratio(offset), nearest % 12, tonic_hz, offset, frequency.label)


def fold_to_musical_range(frequency_hz: float) -> float:
    """The octave of a frequency that instruments can play; unchanged when it already is one."""
    if _LOWEST_TONIC_HZ <= frequency_hz <= _HIGHEST_TONIC_HZ:
        return frequency_hz
    octaves = math.floor(math.log2(FOLD_CENTRE_HZ / frequency_hz) + 0.5)
    return float(frequency_hz * 2.0**octaves)


def beat_hz(frequency: Frequency) -> float | None:
    """The rate at which a frequency below hearing pulses, or None for an audible one."""
    return frequency.hz if frequency.hz < LOWEST_AUDIBLE_HZ or frequency.kind == "pulse" else None

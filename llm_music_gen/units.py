"""Units as types, and the conversions between them: one tiny pure function each, named a_to_b."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NewType

Hz = NewType("Hz", float)
Cents = NewType("Cents", float)
Db = NewType("Db", float)
Lufs = NewType("Lufs", float)
Seconds = NewType("Seconds", float)
Frames = NewType("Frames", int)
Ticks = NewType("Ticks", int)
#: Musical time in quarter-note lengths (1 = a quarter note), whatever the metre. Names end in `_ql`.
QuarterLength = Fraction

SAMPLE_RATE_HZ = 44_100
TICKS_PER_QUARTER = 480


def db_to_gain(level_db: float) -> float:
    """Decibels -> linear amplitude factor."""
    return float(10.0 ** (level_db / 20.0))


def gain_to_db(gain: float) -> float:
    """Linear amplitude factor (> 0) -> decibels; 0 gives -inf."""
    return 20.0 * math.log10(gain) if gain > 0 else -math.inf


def midi_to_hz(pitch: float, a4_hz: float = 440.0) -> float:
    """MIDI pitch number (69 = A4, fractions allowed) -> frequency in Hz, equal temperament."""
    return float(a4_hz * 2.0 ** ((pitch - 69.0) / 12.0))


def hz_to_midi(frequency_hz: float, a4_hz: float = 440.0) -> float:
    """Frequency in Hz -> MIDI pitch number with fraction, equal temperament."""
    return 69.0 + 12.0 * math.log2(frequency_hz / a4_hz)


def ratio_to_cents(ratio: float) -> float:
    """Frequency ratio -> cents (1200 = one octave)."""
    return 1200.0 * math.log2(ratio)


def cents_to_ratio(cents: float) -> float:
    """Cents -> frequency ratio."""
    return float(2.0 ** (cents / 1200.0))


def ql_to_seconds(length_ql: float | Fraction, quarter_bpm: float) -> float:
    """Quarter lengths -> seconds at `quarter_bpm` quarter notes a minute."""
    return float(length_ql) * 60.0 / quarter_bpm


def seconds_to_ql(length_s: float, quarter_bpm: float) -> float:
    """Seconds -> quarter lengths at `quarter_bpm` quarter notes a minute."""
    return length_s * quarter_bpm / 60.0


def seconds_to_frames(length_s: float | Fraction, sample_rate_hz: int = SAMPLE_RATE_HZ) -> int:
    """Seconds -> frames, rounded half up."""
    return math.floor(Fraction(length_s) * sample_rate_hz + Fraction(1, 2))


def frames_to_seconds(frames: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> float:
    """Frames -> seconds."""
    return frames / sample_rate_hz


def ql_to_ticks(length_ql: float | Fraction, ticks_per_quarter: int = TICKS_PER_QUARTER) -> int:
    """Quarter lengths -> MIDI ticks, rounded half up."""
    return math.floor(Fraction(length_ql) * ticks_per_quarter + Fraction(1, 2))

"""Metres (time signatures) and what a beat is in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from llm_music_gen.errors import NotationError

_METER = re.compile(r"^\s*(\d{1,3})\s*/\s*(\d{1,3})\s*$")
_NAMED = {"C": (4, 4), "C|": (2, 2)}


@dataclass(frozen=True, slots=True)
class Meter:
    """A time signature."""

    numerator: int
    denominator: int

    @staticmethod
    def parse(text: str) -> Meter:
        """Read "4/4", "6/8", "C", "C|". Raises NotationError."""
        if text.strip() in _NAMED:
            return Meter(*_NAMED[text.strip()])
        match = _METER.match(text)
        if match:
            numerator, denominator = int(match[1]), int(match[2])
            if 1 <= numerator <= 32 and denominator in (1, 2, 4, 8, 16, 32):
                return Meter(numerator, denominator)
        raise NotationError(f"{text!r} is not a metre.", hint='Write for example "4/4", "3/4" or "6/8".')

    @property
    def bar_ql(self) -> Fraction:
        """Length of a bar in quarter lengths."""
        return Fraction(4 * self.numerator, self.denominator)

    @property
    def is_compound(self) -> bool:
        """6/8, 9/8, 12/8 and their like: beats of three."""
        return self.numerator % 3 == 0 and self.numerator > 3 and self.denominator >= 8

    @property
    def beat_ql(self) -> Fraction:
        """Length of the beat that BPM counts, in quarter lengths: a dotted note in compound metres."""
        return Fraction(4 * (3 if self.is_compound else 1), self.denominator)

    @property
    def beats_per_bar(self) -> int:
        """Beats in a bar."""
        return int(self.bar_ql / self.beat_ql)

    def quarter_bpm(self, tempo_bpm: float) -> float:
        """Quarter notes a minute at `tempo_bpm` beats a minute."""
        return tempo_bpm * float(self.beat_ql)

    def bar_seconds(self, tempo_bpm: float) -> float:
        """Length of a bar in seconds."""
        return self.beats_per_bar * 60.0 / tempo_bpm

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"

"""Reads the lengths that people write: `5`, `4-6`, `8:00`, `30s`, `3m20s`.

A bare number is minutes, a colon separates hours from minutes, and a dash makes a range. Ten seconds to a day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from llm_music_gen.errors import UsageError
from llm_music_gen.units import SAMPLE_RATE_HZ

MIN_LENGTH_S = 10
MAX_LENGTH_S = 24 * 3600

_EXAMPLES = 'Write for example "5" (minutes), "4-6", "8:00" (eight hours), "30s" or "3m20s".'
_MINUTES = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(?:\s*(?:m|min|minutes?))?$", re.IGNORECASE)
_CLOCK = re.compile(r"([0-9]{1,3}):([0-9]{2})$")
_UNITS = re.compile(
    r"(?=.)(?:([0-9]{1,4})\s*h)?\s*(?:([0-9]{1,5})\s*m(?:in)?)?\s*(?:([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*s(?:ec)?)?$", re.IGNORECASE
)
_BARE = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_IN_SECONDS = re.compile(r"[0-9.]+\s*(s(?:ec)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LengthRange:
    """How long a song shall be: exactly (`min_s == max_s`) or anything between."""

    min_s: Fraction
    max_s: Fraction

    @property
    def is_exact(self) -> bool:
        """Whether there is nothing to choose."""
        return self.min_s == self.max_s

    @property
    def min_frames(self) -> int:
        """Fewest frames at 44,100 Hz."""
        return -int(-self.min_s * SAMPLE_RATE_HZ // 1)

    @property
    def max_frames(self) -> int:
        """Most frames at 44,100 Hz."""
        return int(self.max_s * SAMPLE_RATE_HZ // 1)

    def __str__(self) -> str:
        if self.is_exact:
            return _spoken(self.min_s)
        low, high = _spoken(self.min_s), _spoken(self.max_s)
        if low.split()[1:] == high.split()[1:]:
            return f"{low.split()[0]}-{high}"
        return f"{low} to {high}"


def parse_length(text: str) -> LengthRange:
    """Read a length or a range of lengths. Raises UsageError in one sentence."""
    cleaned = text.strip().replace("–", "-")
    if cleaned.startswith("-"):
        raise UsageError(f"A length cannot be negative: {text!r}.", hint=_EXAMPLES)
    parts = [part.strip() for part in cleaned.split("-")]
    if len(parts) > 2:
        raise UsageError(f"{text!r} is not a length.", hint=_EXAMPLES)
    low, high = _seconds(parts[0], text), _seconds(parts[-1], text)
    if low > high and _BARE.fullmatch(parts[0]) and (match := _IN_SECONDS.fullmatch(parts[1])):
        low = _seconds(parts[0] + match[1], text)  # "10-15s": the unit stands once, behind both
    if low > high:
        raise UsageError(f"The range {text!r} runs backwards.", hint="Write the shorter length first.")
    for value in (low, high):
        if value < MIN_LENGTH_S:
            raise UsageError(f"{text!r} is too short: a song lasts at least {MIN_LENGTH_S} seconds.", hint=_EXAMPLES)
        if value > MAX_LENGTH_S:
            raise UsageError(f"{text!r} is too long: the limit is 24 hours.", hint=_EXAMPLES)
    return LengthRange(low, high)


def parse_fade(text: str) -> float:
    """How long something fades, in seconds, written as lengths are; up to an hour. Raises UsageError in one sentence."""
    fade_s = _seconds(text.strip(), text)
    if fade_s > 3600:
        raise UsageError(f"A fade of {text!r} is too long: the limit is an hour.", hint=_EXAMPLES)
    return float(fade_s)


def _seconds(part: str, whole: str) -> Fraction:
    if match := _MINUTES.match(part):
        return Fraction(match[1]) * 60
    if match := _CLOCK.match(part):
        hours, minutes = int(match[1]), int(match[2])
        if minutes > 59:
            raise UsageError(f"{whole!r} has {minutes} minutes after the hours.", hint="HH:MM goes up to 59 minutes.")
        return Fraction(hours * 3600 + minutes * 60)
    match = _UNITS.match(part)
    if match and any(match.groups()):
        in_hours, in_minutes, in_seconds = (Fraction(group or 0) for group in match.groups())
        return in_hours * 3600 + in_minutes * 60 + in_seconds
    raise UsageError(f"{whole!r} is not a length.", hint=_EXAMPLES)


def _spoken(length_s: Fraction) -> str:
    """As on the main menu: "5 minutes", "8:00 hours", "30 seconds", "3m20s long"."""
    if length_s >= 3600 and length_s % 60 == 0:
        return f"{int(length_s) // 3600}:{int(length_s) % 3600 // 60:02d} hours"
    if length_s % 60 == 0:
        return f"{int(length_s) // 60} minutes" if length_s != 60 else "1 minute"
    if length_s < 60:
        return f"{float(length_s):g} seconds"
    return f"{float(length_s / 60):g} minutes"

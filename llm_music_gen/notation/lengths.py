"""Note lengths as ABC writes them: multiples of the unit length, `A2`, `A/`, `A3/4`."""

from __future__ import annotations

from fractions import Fraction

from llm_music_gen.errors import NotationError

#: Shortest part of the unit length that can be written.
FINEST_DENOMINATOR = 16


def length_text(length: Fraction) -> str:
    """A length in units, as ABC: 1 -> "", 2 -> "2", 1/2 -> "/", 1/4 -> "/4", 3/2 -> "3/2".

    Raises NotationError for a length that is not positive or needs a denominator that is no power of two up to 16.
    """
    if length <= 0 or not is_plain(length):
        raise NotationError(f"A note cannot last {length} of the unit length.", hint="Use another unit length or a triplet.")
    numerator, denominator = length.numerator, length.denominator
    if denominator == 1:
        return "" if numerator == 1 else str(numerator)
    if numerator == 1:
        return "/" if denominator == 2 else f"/{denominator}"
    return f"{numerator}/{denominator}"


def is_plain(length: Fraction) -> bool:
    """Whether a length or position (in units) needs no tuplet."""
    denominator = length.denominator
    return denominator <= FINEST_DENOMINATOR and denominator & (denominator - 1) == 0


def parse_length(text: str) -> Fraction:
    """ABC length text -> length in units. Reads the long forms too: "//" = 1/4, "3//" = 3/4, "2/2" = 1.

    Raises NotationError for zero, for a missing number and for numbers of more than four digits.
    """
    numerator_text, slash, denominator_text = text.partition("/")
    halves = len(denominator_text) - len(denominator_text.lstrip("/"))
    denominator_text = denominator_text[halves:]
    if len(numerator_text) > 4 or len(denominator_text) > 4 or halves > 6 or (halves and denominator_text):
        raise NotationError(f"{text!r} is not a note length.", hint='Write for example "2", "/" or "3/2".')
    try:
        numerator = int(numerator_text) if numerator_text else 1
        denominator = int(denominator_text) if denominator_text else (2 if slash else 1)
        return positive(Fraction(numerator, denominator * 2**halves), text)
    except (ValueError, ZeroDivisionError):
        raise NotationError(f"{text!r} is not a note length.", hint='Write for example "2", "/" or "3/2".') from None


def positive(length: Fraction, text: str) -> Fraction:
    """The length itself; raises NotationError if it is not above zero."""
    if length <= 0:
        raise NotationError(f"The note length {text!r} is zero.", hint="Every note lasts longer than nothing.")
    return length

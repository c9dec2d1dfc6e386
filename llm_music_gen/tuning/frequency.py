"""Reads what people type as a frequency: a number in Hz, a reference ("A4=432"), or a name from the table that ships as data."""

from __future__ import annotations

import difflib
import math
import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal

from llm_music_gen.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LOWEST_HZ = 0.1
HIGHEST_HZ = 20_000.0
#: Below this a tone is not heard as a pitch: it becomes a beat or pulse.
LOWEST_AUDIBLE_HZ = 20.0
#: A reference outside this range is another key rather than another tuning.
REFERENCE_RANGE_HZ = (380.0, 500.0)

Kind = Literal["tonic", "reference", "pulse"]
_NUMBER = re.compile(r"^([+-]?(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:e[+-]?\d+)?)\s*(hz|hertz|khz)?$", re.IGNORECASE)
_REFERENCE = re.compile(r"^a4?\s*[=:]\s*(.+)$", re.IGNORECASE)
_HOW = 'Write a number from 0.1 to 20000 such as 528, "A4=432" for a reference pitch, or a name such as "om" or "schumann".'


@dataclass(frozen=True, slots=True)
class Frequency:
    """A frequency that was asked for."""

    hz: float
    kind: Kind
    """tonic: the song's tonic lies on it in some octave; reference: it is A4; pulse: below hearing."""
    label: str
    """As people read it: "528 Hz", "A4 = 432 Hz", "om (136.102 Hz)"."""
    origin: str = ""
    """Where a named number comes from."""


def parse_frequency(text: str, *, meaning: Literal["tonic", "reference"] = "tonic") -> Frequency:
    """Read a request such as "528", "528Hz", "A4=442", "om". `meaning` is how a bare number is taken.

    Raises UsageError in one sentence for anything else.
    """
    wanted = " ".join(text.split()).lower()
    reference = _REFERENCE.match(wanted)
    if reference:
        return _reference(_number(reference[1], text), text)
    if _NUMBER.match(wanted):
        return _bare_number(_number(wanted, text), text, meaning)
    names = _names()
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.7)
    raise UsageError(f"{text!r} is not a frequency.", hint=f"Did you mean {near[0]!r}?" if near else _HOW)


def frequency_names() -> dict[str, Frequency]:
    """Every name in the table, in its order."""
    return dict(_names())


def _number(text: str, whole: str) -> float:
    match = _NUMBER.match(text.strip())
    value = float(match[1].replace(",", ".")) * (1000.0 if (match[2] or "").lower() == "khz" else 1.0) if match else math.nan
    if not math.isfinite(value):
        raise UsageError(f"{whole!r} is not a frequency.", hint=_HOW)
    if not LOWEST_HZ <= value <= HIGHEST_HZ:
        raise UsageError(f"{whole!r} is outside 0.1 to 20000 Hz.", hint=_HOW)
    return value


def _reference(hz: float, text: str) -> Frequency:
    low, high = REFERENCE_RANGE_HZ
    if not low <= hz <= high:
        raise UsageError(
            f"{text!r}: a reference pitch A4 lies between {low:g} and {high:g} Hz.", hint="Leave out A4= to put the tonic there."
        )
    return Frequency(hz, "reference", f"A4 = {hz:g} Hz")


def _bare_number(hz: float, text: str, meaning: str) -> Frequency:
    if hz < LOWEST_AUDIBLE_HZ:
        return Frequency(hz, "pulse", f"{hz:g} Hz")
    if meaning == "reference":
        return _reference(hz, text)
    return Frequency(hz, "tonic", f"{hz:g} Hz")


@lru_cache(maxsize=1)
def _names() -> dict[str, Frequency]:
    table = tomllib.loads(resources.files(__package__).joinpath("frequencies.toml").read_text(encoding="utf-8"))
    found: dict[str, Frequency] = {}
    for entry in table["name"]:
        for name in entry["names"]:
            if not _NUMBER.match(name):
                label = f"{name} ({entry['hz']:g} Hz)"
                found[name] = Frequency(float(entry["hz"]), entry["kind"], label, entry["origin"])
    return found

"""File names that every system accepts, made from titles that may hold anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

MAX_UTF16_UNITS = 80
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"] + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_SPACES = re.compile(r"\s+")


def safe_name(text: str, fallback: str = "song") -> str:
    """`text` as a file or folder name for Windows, macOS and Linux; applying it again changes nothing.

    Forbidden characters become `-`, control and direction characters go, reserved names get a `_`, at most 80 UTF-16 units.
    """
    name = unicodedata.normalize("NFC", text)
    name = _SPACES.sub(" ", name)
    name = "".join(letter for letter in name if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    name = _FORBIDDEN.sub("-", _SPACES.sub(" ", name))
    # A leading dash would read as an option, a leading dot hides the file.
    name = _trimmed(name.lstrip("-. ")) or fallback
    if name.split(".")[0].rstrip().casefold() in _RESERVED:
        name = _trimmed("_" + name)
    return name


def free_name(wanted: str, taken: Collection[str]) -> str:
    """`wanted`, or `wanted (2)` and so on, so that it is not among `taken` however its letters are cased."""
    used = {name.casefold() for name in taken}
    number, name = 1, wanted
    while name.casefold() in used:
        number += 1
        suffix = f" ({number})"
        name = _trimmed(wanted, MAX_UTF16_UNITS - len(suffix)) + suffix
    return name


def _trimmed(name: str, units: int = MAX_UTF16_UNITS) -> str:
    name = name.strip(". ")
    while len(name.encode("utf-16-le", "surrogatepass")) // 2 > units:
        name = name[:-1]
    # Cutting may have left a combining mark's base or a dot at the end.
    return unicodedata.normalize("NFC", name).strip(". ")


def stem_names(title: str, parts: Sequence[str]) -> tuple[str, ...]:
    """File names of a song's parts, without endings: "title - part", each its own."""
    names: list[str] = []
    for part in parts:
        names.append(free_name(safe_name(f"{_trimmed(safe_name(title), MAX_UTF16_UNITS // 2)} - {part}"), names))
    return tuple(names)

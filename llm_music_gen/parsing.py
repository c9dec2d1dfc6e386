"""Reads TOML and JSON that somebody else wrote: whatever is wrong with it is a ValueError, and no depth exhausts the stack."""

from __future__ import annotations

import json
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Of a whole number in JSON; as a float it is finite then, which much code behind relies on.
_MOST_DIGITS = 100


def parse_toml(text: str) -> dict[str, Any]:
    """The table that `text` holds. Raises ValueError, of one line, for text that is no TOML or is nested absurdly."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parse_json(text: str | bytes) -> Any:
    """The value that `text` holds. Raises ValueError, of one line, for text that is no JSON or is nested absurdly."""
    try:
        return json.loads(text, parse_int=_whole_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"it holds a number of {len(digits)} digits")
    return int(digits)

"""Damages files as disks, editors and malice do: cut off, single bytes changed, whole stretches moved, values of another kind."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

#: Bytes that mean something to a reader of text.
_TELLING = b"\x00\n\r\t \"'[]{}=:,.#\\/-+0159eE\x7f\x80\xff\xfe"
#: What no reader of JSON expects in a place.
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -0.0, 0.5, 1e308, float("inf"), float("nan"), "", "x", "9" * 50, "\x00",
    "\u202e", "../../x", "C:\\x", "Cm", "4/4", "0/0", "1/8", [], [[]], [None], [1, 2], {}, {"a": 1}, {"": {}}, "é" * 2_000,
)  # fmt: skip


def cuts(data: bytes, most: int) -> Iterator[bytes]:
    """The file cut off at every byte, or at `most` places spread over it."""
    step = max(1, -(-len(data) // most))
    for length in range(0, len(data), step):
        yield data[:length]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """One to four random changes of bytes."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(out) + 1) if out else 0
        kind = chance.randrange(7)
        if kind == 0 and place < len(out):
            out[place] = chance.randrange(256)
        elif kind == 1 and place < len(out):
            out[place] ^= 1 << chance.randrange(8)
        elif kind == 2:
            out[place:place] = bytes([chance.choice(_TELLING)]) * chance.choice((1, 1, 2, 50))
        elif kind == 3:
            del out[place : place + chance.choice((1, 2, 10, 200))]
        elif kind == 4:
            start = chance.randrange(len(out) + 1)
            out[place:place] = out[start : start + chance.choice((5, 50, 500))]
        elif kind == 5:
            out[place : place + 64] = bytes(64)
        else:
            out[place : place + 1] = bytes([chance.choice(_TELLING)])
    return bytes(out)


def odd(value: Any, chance: random.Random) -> Any:
    """A copy of a JSON value in which one or two entries are of another kind, gone, or there twice over."""
    changed = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 2))):
        places = list(_places(changed))
        if not places:
            return chance.choice(ODD_VALUES)
        holder, key = chance.choice(places)
        kind = chance.randrange(5)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.extend(copy.deepcopy(holder[:50]))
        elif kind == 1:
            holder[f"{key}_"] = copy.deepcopy(holder[key])
        else:
            holder[key] = copy.deepcopy(chance.choice(ODD_VALUES))
    return changed


def odd_json(value: Any, chance: random.Random) -> bytes:
    """The same as the text of a file."""
    return json.dumps(odd(value, chance), ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield value, key
        yield from _places(inner)

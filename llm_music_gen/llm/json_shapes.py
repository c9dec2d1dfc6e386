"""What JSON a model may be asked for: a small tree of shapes, everything in it bounded; and the same as JSON Schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Text:
    """A string of printable characters without quotes and backslashes that begins with a letter or digit."""

    most: int
    """Most characters, at least 1."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer from `low` to `high`, both included; neither is negative."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these strings."""

    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Shape
    fewest: int
    most: int


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with exactly these keys in this order."""

    fields: tuple[tuple[str, Shape], ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A number of at most five digits before the point and `decimals` behind it, which may be negative."""

    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""


@dataclass(frozen=True, slots=True)
class Maybe:
    """This shape, or null."""

    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class OneOf:
    """An object that names one of several kinds and then holds what belongs to it: {"tool": "gain", "args": {...}}.

    Compared by identity: it may be large, and states that hold it are looked up for every character.
    """

    tag: str
    body: str
    options: tuple[tuple[str, Shape], ...]


Shape: TypeAlias = "Text | Whole | Choice | Items | Fields | Number | Flag | Maybe | OneOf"


def json_schema(shape: Shape) -> dict[str, Any]:
    """The shape as JSON Schema, for servers that take one."""
    if isinstance(shape, Text):
        return {"type": "string", "minLength": 1, "maxLength": shape.most}
    if isinstance(shape, Whole):
        return {"type": "integer", "minimum": shape.low, "maximum": shape.high}
    if isinstance(shape, Choice):
        return {"type": "string", "enum": list(shape.options)}
    if isinstance(shape, Items):
        return {"type": "array", "items": json_schema(shape.item), "minItems": shape.fewest, "maxItems": shape.most}
    if isinstance(shape, Number):
        return {"type": "number"}
    if isinstance(shape, Flag):
        return {"type": "boolean"}
    if isinstance(shape, Maybe):
        return {"anyOf": [json_schema(shape.shape), {"type": "null"}]}
    if isinstance(shape, OneOf):
        return {"anyOf": [_object({shape.tag: {"const": name}, shape.body: json_schema(part)}) for name, part in shape.options]}
    return _object({name: json_schema(part) for name, part in shape.fields})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}

"""The things that can be had by a short name: `known.toml`, as values."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal, cast

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Kind = Literal["model", "soundfont", "voice"]
KINDS: tuple[Kind, ...] = ("model", "soundfont", "voice")


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that can be had."""

    kind: Kind
    name: str
    about: str
    """One line for people."""
    licence: str
    repo: str = ""
    """Of the hub, or "" for what has an address of its own."""
    files: tuple[str, ...] = ()
    """Paths in the repository; `{quant}` stands for the quantization, `*` for anything."""
    folder: str = ""
    """Where the files go below the usual folder, "" for that itself."""
    address: str = ""
    size_bytes: int = 0
    """Of everything; 0 where it depends on the quantization."""
    sha256: str = ""
    role: str = ""
    default_quant: str = ""
    sizes_bytes: Mapping[str, int] = field(default_factory=dict)
    """Of each quantization that is known, as its place states it (three digits)."""


@functools.cache
def known(kind: Kind) -> tuple[Known, ...]:
    """Everything of a kind, in the order of the file."""
    return tuple(_entry(kind, entry) for entry in _table()[kind])


def find_known(kind: Kind, name: str) -> Known | None:
    """What `name` means: a short name, or one of the family that an entry stands for; None if it is neither."""
    wanted = name.strip()
    for entry in known(kind):
        if entry.name.lower() == wanted.lower():
            return entry
    families = (values for values in _table()[kind] if "pattern" in values)
    return next((_entry(kind, values, wanted) for values in families if re.fullmatch(values["pattern"], wanted)), None)


@functools.cache
def _table() -> Mapping[Kind, Sequence[Mapping[str, Any]]]:
    text = resources.files("llm_music_gen.fetching").joinpath("known.toml").read_text(encoding="utf-8")
    return cast(Mapping[Kind, Sequence[Mapping[str, Any]]], tomllib.loads(text))


def _entry(kind: Kind, entry: Mapping[str, Any], name: str = "") -> Known:
    """The value of an entry; with a `name` of its family that member, whose size nobody has written down."""
    member = name and name != entry["name"]
    chosen = name or entry["name"]
    match = re.fullmatch(entry["pattern"], chosen) if "pattern" in entry else None
    words = {"name": chosen, "quant": "{quant}", **(match.groupdict() if match else {})}
    files = [entry["file"]] if "file" in entry else entry["files"]
    return Known(
        kind=kind,
        name=chosen,
        about=chosen if member else entry["about"],
        licence=entry["licence"],
        repo=entry.get("repo", "").format(**words),
        files=tuple(file.format(**words) for file in files),
        folder=entry.get("folder", "").format(**words),
        address=entry.get("address", ""),
        size_bytes=0 if member else entry.get("size_bytes", round(entry.get("size_gb", 0) * 1e9)),
        sha256=entry.get("sha256", ""),
        role=entry.get("role", ""),
        default_quant=entry.get("default", ""),
        sizes_bytes={quant: round(size * 1e9) for quant, size in entry.get("sizes_gb", {}).items()},
    )

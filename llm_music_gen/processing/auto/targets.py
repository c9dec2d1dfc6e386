"""The named long-term spectra that AutoEQ aims at, read from targets.toml."""

from __future__ import annotations

import difflib
import sys
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from llm_music_gen.errors import UsageError
from llm_music_gen.processing.dsp.spectrum import ThirdOctaves

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True, slots=True)
class Target:
    """A spectrum to aim at."""

    name: str
    words: str
    """What it sounds like, to be read after "towards"."""
    bands: ThirdOctaves


def target(name: str) -> Target:
    """The target of this name. Raises UsageError that names the nearest."""
    found = targets()
    key = name.strip().lower()
    if key not in found:
        near = difflib.get_close_matches(key, found, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(found)}."
        raise UsageError(f"AutoEQ knows no target {name!r}.", hint=hint)
    return found[key]


@cache
def targets() -> dict[str, Target]:
    """All targets by name."""
    text = resources.files(__package__).joinpath("targets.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    centres = tuple(float(hz) for hz in data["centres_hz"])
    return {
        name: Target(name, entry["words"], _bands(entry, centres, data["targets"])) for name, entry in data["targets"].items()
    }


def _bands(entry: dict[str, Any], centres: tuple[float, ...], entries: dict[str, Any]) -> ThirdOctaves:
    if "like" in entry:
        levels = np.array(_bands(entries[entry["like"]], centres, entries).levels_db)
    else:
        levels = np.array(entry["levels_db"], dtype=np.float64)
    if "change" in entry:
        hz, db = np.array(entry["change"], dtype=np.float64).T
        levels = levels + np.interp(np.log(centres), np.log(hz), db)
    return ThirdOctaves(centres, tuple(float(level) for level in levels))

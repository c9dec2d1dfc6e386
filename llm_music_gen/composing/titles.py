"""Titles from word tables (`titles.toml`): readable, fitting the mood, and hardly ever the same twice."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from importlib import resources

import numpy as np

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Draws before a number is put behind a title that is taken.
MAX_DRAWS = 50
_ARTICLE = re.compile(r"\bA (?=[AEIOU])")
_SLOT = re.compile(r"\{(\w+)\}")


@lru_cache(maxsize=1)
def _tables() -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    text = (resources.files("llm_music_gen.composing") / "titles.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    return tuple(data["patterns"]), {name: tuple(words) for name, words in data["tables"].items()}


def make_title(tones: Sequence[str], rng: np.random.Generator, taken: Collection[str] = ()) -> str:
    """A title in the mood of `tones` (names of word tables) that is not in `taken`."""
    title = _draw(tones, rng)
    for _ in range(MAX_DRAWS):
        if title not in taken:
            return title
        title = _draw(tones, rng)
    return numbered(title, taken)


def numbered(title: str, taken: Collection[str]) -> str:
    """The title, with the first number behind it that is not in `taken`, where it is taken itself."""
    if title not in taken:
        return title
    number = 2
    while f"{title} {number}" in taken:
        number += 1
    return f"{title} {number}"


def _draw(tones: Sequence[str], rng: np.random.Generator) -> str:
    patterns, tables = _tables()
    used: set[str] = set()

    def word(slot: re.Match[str]) -> str:
        name = slot[1]
        # "tone" is no table of its own: it stands for those that the mood picks.
        sources = (*tones, "neutral") if name == "tone" else (name,)
        words = tuple(word for source in sources for word in tables.get(source, ()))
        words = tuple(word for word in words if word not in used)
        chosen = words[int(rng.integers(len(words)))]
        used.add(chosen)
        return chosen

    title = _SLOT.sub(word, patterns[int(rng.integers(len(patterns)))])
    return _ARTICLE.sub("An ", title)

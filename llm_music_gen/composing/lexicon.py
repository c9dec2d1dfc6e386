"""Understands style and mood words: which style sheets they name, how they bend them, and what an unknown word resembles.

The words are data (`lexicon.toml`); styles bring their own names and aliases from their sheets. Any mixture gives music.
"""

from __future__ import annotations

import difflib
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Longest run of words that is looked up as one name: "lo-fi hip hop beats".
MAX_PHRASE_WORDS = 4
MAX_WORDS = 64
_WORD = re.compile(r"[^\s,;/+&]+")


class MoodWord(BaseModel):
    """What one word changes; see the head of lexicon.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tempo: float = Field(default=1.0, ge=0.5, le=1.6)
    density: float = Field(default=0.0, ge=-0.5, le=0.5)
    energy: float = Field(default=0.0, ge=-0.5, le=0.5)
    tilt_db: float = Field(default=0.0, ge=-6, le=6)
    reverb: float = Field(default=0.0, ge=-0.5, le=0.5)
    modes: tuple[str, ...] = ()
    tone: str = "neutral"
    character: str = ""
    base: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bend:
    """How all mood words of a request together bend a style. The identity changes nothing."""

    tempo: float = 1.0
    """Factor on the tempo range."""
    density: float = 0.0
    energy: float = 0.0
    tilt_db: float = 0.0
    reverb: float = 0.0
    modes: tuple[str, ...] = ()
    """Modes that suit, best first; empty leaves the style's own."""
    tones: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What was understood of the words a person typed."""

    styles: tuple[str, ...]
    """Names of style sheets, in the order typed, each once."""
    moods: tuple[str, ...]
    """Words of the lexicon, in the order typed, each once."""
    unknown: tuple[str, ...]
    """Words that are neither, as typed."""
    hints: tuple[str, ...] = field(default=())
    """A sentence for each unknown word."""


@lru_cache(maxsize=1)
def mood_words() -> Mapping[str, MoodWord]:
    """The lexicon: word -> what it changes."""
    text = (resources.files("llm_music_gen.composing") / "lexicon.toml").read_text(encoding="utf-8")
    return {name: MoodWord(**entry) for name, entry in tomllib.loads(text)["words"].items()}


def normalised(word: str) -> str:
    """For comparing: small letters and digits only, accents dropped. "Lo-Fi" and "lofi" become the same."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def split_words(text: str) -> tuple[str, ...]:
    """The styles in "Styles, separated, by, commas", as typed. Empty parts are dropped."""
    return tuple(part.strip() for part in re.split(r"[,;\n]", text) if normalised(part))


def read_words(parts: Sequence[str], style_aliases: Mapping[str, Iterable[str]]) -> Reading:
    """Find styles and moods in what was typed. `style_aliases` maps each style's name to its other names."""
    names: dict[str, tuple[str, str]] = {}
    for mood, entry in mood_words().items():
        for alias in (mood, *entry.aliases):
            names.setdefault(normalised(alias), ("mood", mood))
    for style, aliases in style_aliases.items():
        for alias in aliases:
            names[normalised(alias)] = ("style", style)
    for style in style_aliases:
        names[normalised(style)] = ("style", style)
    styles: dict[str, None] = {}
    moods: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for part in parts:
        words = _WORD.findall(part)[:MAX_WORDS]
        while words:
            size = next(
                (n for n in range(min(MAX_PHRASE_WORDS, len(words)), 0, -1) if normalised("".join(words[:n])) in names), 0
            )
            if size:
                kind, name = names[normalised("".join(words[:size]))]
                (styles if kind == "style" else moods)[name] = None
            elif normalised(words[0]) not in ("", "and", "music", "song", "songs", "style", "mood", "very", "a", "with", "the"):
                unknown[words[0]] = None
            words = words[max(1, size) :]
    hints = tuple(_hint(word, list(names)) for word in unknown)
    return Reading(tuple(styles), tuple(moods), tuple(unknown), hints)


def bend_of(moods: Sequence[str]) -> Bend:
    """Several words at once: factors multiply, additions add, each held in bounds; modes that most words share come first."""
    entries = [mood_words()[mood] for mood in moods]
    tempo = 1.0
    for entry in entries:
        tempo *= entry.tempo
    votes: dict[str, float] = {}
    for entry in entries:
        for rank, mode in enumerate(entry.modes):
            votes[mode] = votes.get(mode, 0.0) + 1.0 / (rank + 1)
    return Bend(
        tempo=min(1.5, max(0.6, tempo)),
        density=_bounded(sum(entry.density for entry in entries), 0.45),
        energy=_bounded(sum(entry.energy for entry in entries), 0.4),
        tilt_db=_bounded(sum(entry.tilt_db for entry in entries), 5.0),
        reverb=_bounded(sum(entry.reverb for entry in entries), 0.4),
        modes=tuple(sorted(votes, key=lambda mode: (-votes[mode], mode))),
        tones=tuple(dict.fromkeys(entry.tone for entry in entries)),
        characters=tuple(entry.character for entry in entries if entry.character),
    )


def _bounded(value: float, limit: float) -> float:
    return min(limit, max(-limit, value))


def _hint(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(normalised(word), known, n=1, cutoff=0.6)
    shown = word if len(word) <= 40 else word[:39] + "…"
    if near:
        return f'I do not know "{shown}"; did you mean "{near[0]}"?'
    return f'I do not know "{shown}" and did without it; "llm-music-gen styles" lists the words I know.'

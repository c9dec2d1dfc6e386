"""The vocabularies (TOML) as Python sees them, and the search for their phrases in a request."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Generic, TypeVar

from llm_music_gen.requests.text import NUMBER_WORDS, UNITS, Speller, Token
from llm_music_gen.styles import Style, load_styles
from llm_music_gen.styles.sounds import ALIASES as INSTRUMENT_ALIASES
from llm_music_gen.styles.sounds import GM_NAMES
from llm_music_gen.tuning.frequency import frequency_names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """A phrase that was found."""

    start: int
    """Index of its first token."""
    end: int
    """One past its last token."""
    value: T
    text: str


class Phrases(Generic[T]):
    """Phrases of one or more words, each with what it stands for; the longest one wins, and none overlap."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        for phrase, value in entries:
            parts = words_of(phrase)
            if parts:
                self._by_first.setdefault(parts[0], []).append((parts, value))
        for found in self._by_first.values():
            found.sort(key=lambda item: -len(item[0]))

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return (parts for found in self._by_first.values() for parts, _ in found)

    def find(self, tokens: Sequence[Token]) -> list[Hit[T]]:
        """All phrases in the tokens, in order."""
        texts = [token.text if token.kind in ("word", "number") else "" for token in tokens]
        if self._by_first.keys().isdisjoint(texts):
            return []
        hits: list[Hit[T]] = []
        index = 0
        while index < len(texts):
            for parts, value in self._by_first.get(texts[index], ()):
                if tuple(texts[index : index + len(parts)]) == parts:
                    hits.append(Hit(index, index + len(parts), value, " ".join(parts)))
                    index += len(parts)
                    break
            else:
                index += 1
        return hits


def words_of(phrase: str) -> tuple[str, ...]:
    """The words of a phrase as tokens have them."""
    return tuple(phrase.lower().replace("-", " ").replace("&", " & ").split())


@lru_cache(maxsize=8)
def vocabulary(name: str) -> dict[str, Any]:
    """One TOML file of this package."""
    return tomllib.loads(resources.files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def sheets() -> Mapping[str, Style]:
    """The built-in styles."""
    return load_styles()


@dataclass(frozen=True, slots=True)
class SoundWord:
    """One entry of sound_words.toml."""

    kind: str
    """wish, fault, deed or picture."""
    call: str
    args: dict[str, Any]
    rank: int = 50
    auto: str = ""
    opposite: dict[str, Any] | None = None
    scaled: tuple[str, ...] = ()
    scaled_around: dict[str, float] | None = None
    cannot: str = ""
    weak: bool = False
    helpers: tuple[str, ...] = ()
    calls: tuple[dict[str, Any], ...] = ()
    """Of a picture."""


@lru_cache(maxsize=1)
def sound_words() -> Phrases[SoundWord]:
    """Every word about sound."""
    return Phrases(_sound_entries())


def _sound_entries() -> Iterator[tuple[str, SoundWord]]:
    data = vocabulary("sound_words")
    for entry in data["word"]:
        word = SoundWord(
            entry["is"], entry["call"], entry["args"], entry["rank"], entry.get("auto", ""), entry.get("opposite"),
            tuple(entry.get("scaled", ())), entry.get("scaled_around"), entry.get("cannot", ""), entry.get("weak", False),
            tuple(entry.get("helpers", ())),
        )  # fmt: skip
        for phrase in entry["words"]:
            yield phrase, word
    for entry in data["picture"]:
        word = SoundWord("picture", "", {}, weak=entry.get("weak", False), calls=tuple(entry["calls"]))
        for phrase in entry["words"]:
            yield phrase, word


@lru_cache(maxsize=1)
def ranks() -> dict[str, int]:
    """Tool -> place in the chain."""
    return {entry["call"]: entry["rank"] for entry in vocabulary("sound_words")["word"]} | {"enhance": 35}


@lru_cache(maxsize=32)
def table(file: str, name: str) -> Phrases[Any]:
    """A table `phrase = value` of a vocabulary."""
    return Phrases(vocabulary(file)[name].items())


@lru_cache(maxsize=32)
def listed(file: str, name: str) -> Phrases[str]:
    """A list of phrases of a vocabulary, each standing for itself."""
    found = vocabulary(file)[name]
    return Phrases((phrase, phrase) for phrase in (found["words"] if isinstance(found, dict) else found))


@lru_cache(maxsize=1)
def style_words() -> Phrases[str]:
    """What people call styles -> the style's name, or for unknown music the word itself."""
    entries: dict[str, str] = {}
    for style in sheets().values():
        for alias in style.aliases:
            entries[" ".join(words_of(alias))] = alias
        entries[" ".join(words_of(style.name))] = style.name
    making = vocabulary("making_words")
    entries |= {" ".join(words_of(word)): word for word in making["nearest_styles"]}
    entries |= {" ".join(words_of(word)): name for word, name in making["spellings"].items()}
    return Phrases(entries.items())


def sheet_of(style: str) -> Style | None:
    """The sheet behind a word of `style_words`."""
    nearest = vocabulary("making_words")["nearest_styles"].get(style, style)
    for sheet in sheets().values():
        if nearest == sheet.name or nearest in sheet.aliases:
            return sheet
    return None


@lru_cache(maxsize=1)
def instrument_words() -> Phrases[str]:
    """What people call instruments -> what the studio plays."""
    making = vocabulary("making_words")
    entries = {
        name: name for name in GM_NAMES if name not in ("bird", "telephone", "helicopter", "applause", "gunshot", "bottle")
    }
    entries |= dict.fromkeys(making["percussion"]["words"], "drums")
    entries |= {alias: alias for alias in INSTRUMENT_ALIASES if alias not in ("ep", "voice")}
    entries |= making["nearest_instruments"]
    return Phrases(entries.items())


@lru_cache(maxsize=1)
def frequency_words() -> Phrases[float]:
    """Frequencies by name, in Hz; everyday words of the tuning table only with "frequency" beside them."""
    everyday = {"re", "mi", "fa", "sol", "la", "ut", "day", "year", "moon", "concert pitch", "solfeggio", "full moon"}
    entries = {name: item.hz for name, item in frequency_names().items() if name not in everyday and item.kind != "pulse"}
    entries |= {f"{name} frequency": item.hz for name, item in frequency_names().items() if name in everyday}
    return Phrases((entries | vocabulary("making_words")["frequency_names"]).items())


@lru_cache(maxsize=1)
def rewrites() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What is read as something else before tokens are made."""
    return tuple((re.compile(pattern, re.IGNORECASE), new) for pattern, new in vocabulary("grammar")["rewrite"])


def _frame_words() -> list[str]:
    data = vocabulary("frames")
    says = " ".join(say for entry in data["frame"] for say in entry["say"])
    says += " " + " ".join(word for words in data["classes"].values() for word in words)
    return [word for word in re.findall(r"[a-z]+", re.sub(r"\{.*?\}|\\w", " ", says)) if len(word) > 2]


@lru_cache(maxsize=1)
def speller() -> Speller:
    """Mends typos towards the words that mean something here."""
    grammar, making, studio = vocabulary("grammar"), vocabulary("making_words"), vocabulary("studio_words")
    known: set[str] = set()
    for phrases in (sound_words(), style_words(), instrument_words(), frequency_words()):
        known |= {word for parts in phrases for word in parts}
    spoken: list[str] = [*making["verbs"], *making["nouns"], *making["moods"]["words"], *grammar["more"], *grammar["less"]]
    for name in ("meters", "occasions", "speeds", "ensembles", "frequency_sets", "waves", "noises", "layers"):
        spoken += making[name]
    for rule in (*studio["refusal"], *studio["command"]):
        spoken += rule.get("words", [])
        for group in rule.get("all", []):
            spoken += group
    for group in (*studio["metrics"].values(), *studio["aspects"].values()):
        spoken += group
    spoken += [*grammar["degrees"], *vocabulary("sound_words")["rooms"], *vocabulary("sound_words")["places"]]
    spoken += _frame_words()
    spoken += [*grammar["polite"], *studio["question"]["asks"]]
    spoken += [
        "sine",
        "tone",
        "tones",
        "carrier",
        "brainwave",
        "brainwaves",
        "entrainment",
        "tanpura",
        "shruti",
        "oscillator",
        "pulses",
        "reiki",
    ]
    spoken += ["binaural", "isochronic", "monaural", "crossfade", "minor", "major", "without", "frequency", "before", "instead"]
    known |= {word for phrase in spoken for word in words_of(phrase)}
    ordinary = set(grammar["ordinary"]["words"].split()) | set(UNITS) | set(NUMBER_WORDS) | set(grammar["negators"])
    return Speller(known, ordinary)

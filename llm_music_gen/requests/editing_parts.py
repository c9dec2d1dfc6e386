"""Which players of a song's band a clause means, and what becomes of them: "drums out", "add strings", "flute for the violin"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_music_gen.domain.edit import AddPart, Operation, PlayOn, Silence
from llm_music_gen.errors import StyleError
from llm_music_gen.requests.editing_places import one_range
from llm_music_gen.requests.text import Token
from llm_music_gen.requests.words import instrument_words, vocabulary
from llm_music_gen.styles import instrument_named

_WORD = re.compile(r"[\w'&-]+")
#: Instruments that hold chords, and those that play a bass.
_PADS = re.compile(r"\b(?:strings|pad|choir|organ|voice|oohs|synth strings)\b")
_CHORDAL = re.compile(r"\b(?:piano|guitar|organ|harp|harpsichord|clavinet|banjo|accordion|celesta)\b")
_COLOURS = ("counter", "pad", "arp")


@dataclass(frozen=True, slots=True)
class Named:
    """A player that a clause names."""

    word: str
    start: int
    stop: int
    role: str = ""
    """Where a role is named: drums, bass, melody."""
    instrument: str = ""
    """Where an instrument is: what `styles.instrument_named` reads."""


def parts_named(text: str) -> list[Named]:
    """The roles and instruments in a clause, in order."""
    found: list[Named] = []
    taken: list[tuple[int, int]] = []
    roles = {name: role for role, names in vocabulary("editing_words")["roles"].items() for name in names}
    for name in sorted(roles, key=len, reverse=True):
        for match in re.finditer(rf"\b{re.escape(name)}\b", text):
            # "A bass guitar" and "a synth bass" are instruments.
            if not any(start < match.end() and match.start() < stop for start, stop in taken):
                taken.append(match.span())
                found.append(Named(name, match.start(), match.end(), role=roles[name]))
    words = [Token(_singular(match[0].lower()), "word", match.start(), match[0]) for match in _WORD.finditer(text)]
    for hit in instrument_words().find(words):
        last = words[hit.end - 1]
        start, stop = words[hit.start].start, last.start + len(last.raw)
        over = [part for part in found if part.start < stop and start < part.stop]
        if over and (hit.end - hit.start == 1 or hit.value == "drums"):
            continue
        if hit.value == "drums":
            found.append(Named(text[start:stop], start, stop, role="drums"))
            continue
        try:
            instrument = instrument_named(hit.value).name
        except StyleError:
            continue
        found = [part for part in found if part not in over]
        found.append(Named(text[start:stop], start, stop, instrument=instrument))
    return sorted(found, key=lambda part: part.start)


def with_lists(text: str) -> str:
    """The text with "plus" for every "and" between two players, which divides no sentence."""
    named = parts_named(text.lower())
    for left, right in zip(named[-2::-1], named[:0:-1], strict=True):
        if re.fullmatch(r"\s*,?\s*(?:and|&)\s+(?:the |an? )?|\s*,\s*(?:the |an? )?", text[left.stop : right.start]):
            text = f"{text[: left.stop]} plus {text[right.start :]}"
    return text


def _singular(word: str) -> str:
    kept = ("strings", "brass", "bells", "drums", "pads", "vibes", "pipes", "oohs", "steel drums", "effects", "horns", "bass")
    return word if word in kept or not word.endswith("s") or len(word) < 4 else word[:-1]


@dataclass(frozen=True, slots=True)
class Band:
    """Who plays in a song."""

    parts: tuple[tuple[str, str], ...]
    """(role, name of the instrument) of each part."""

    def roles_of(self, part: Named) -> list[str]:
        """The roles that a name means in this band; none where nobody of that name plays."""
        if part.role == "bass":
            return [role for role, _ in self.parts if role in ("bass", "sub")]
        if part.role:
            return [part.role] if any(role == part.role for role, _ in self.parts) else []
        wanted = part.instrument.lower()
        exact = [role for role, name in self.parts if _plain(name) == wanted]
        family = [role for role, name in self.parts if wanted in _plain(name) or part.word.rstrip("s") in _plain(name)]
        return list(dict.fromkeys(exact or family))

    def swapped(self, old: Named, new: Named, spans: Sequence[tuple[int, int]]) -> Iterator[Operation | str]:
        """Another instrument for a part."""
        roles = [role for role in self.roles_of(old) if role not in ("sub",)]
        if not new.instrument:
            if new.role == "bass":
                new = Named(new.word, new.start, new.stop, instrument="finger bass")
            else:
                yield f'"{new.word}" is no instrument; name one, such as piano, flute or strings.'
                return
        if not roles:
            yield self.missing(old)
            return
        for role in roles:
            if role in ("drums", "fx"):
                yield "Drums and effects keep their sounds; another style brings other drums."
                continue
            for bars in one_range(spans):
                yield PlayOn(role, new.instrument, bars)

    def removed(self, part: Named, spans: Sequence[tuple[int, int]]) -> Iterator[Operation | str]:
        """A part out."""
        roles = self.roles_of(part)
        if not roles:
            yield self.missing(part)
        elif not spans and not {role for role, _ in self.parts} - set(roles) - {"fx"}:
            yield "Nobody else plays in this song; remove a section instead."
        else:
            for bars in one_range(spans):
                yield Silence(tuple(roles), bars)

    def added(self, part: Named, spans: Sequence[tuple[int, int]]) -> Iterator[Operation | str]:
        """A part in, in a role that suits it and is free where one is."""
        roles = {role for role, _ in self.parts}
        for bars in one_range(spans):
            if part.role:
                yield AddPart(part.role, "", bars)
                continue
            name = part.instrument
            if "bass" in name or name in ("tuba", "contrabass"):
                role = "bass"
            elif _PADS.search(name) or (_CHORDAL.search(name) and "pad" not in roles):
                role = "pad"
            else:
                role = next((colour for colour in _COLOURS if colour not in roles and colour != "pad"), "counter")
            yield AddPart(role, name, bars)

    def missing(self, part: Named) -> str:
        """Why a part cannot be changed."""
        players = ", ".join(f"{_plain(name)} ({role})" for role, name in self.parts)
        return f"Nobody plays {part.instrument or part.role} in this song; there are {players}."


def _plain(name: str) -> str:
    return re.sub(r" \(.*\)$", "", name).lower()

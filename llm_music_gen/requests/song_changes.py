"""Whether a request changes the notes of a song of the library: one of its sections, its key, its instruments."""

# ruff: noqa: E501 - patterns are easier to read whole

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_music_gen.requests.text import Token
from llm_music_gen.requests.words import instrument_words, vocabulary

_LAST = re.compile(
    r"\b(?:last|latest|previous|newest|recent|second to last) (?:song|track|piece|tune|composition|lullaby|waltz)\b|\bmy (?:song|piece|composition|tune)\b|\bsong \d+\b",
    re.IGNORECASE,
)
_NAMED = re.compile(r"\b(?:of|in|from|to|for) (?:the song |the piece |my song |song )?[\"']?([A-Z][\w']+(?: [A-Z][\w']+){0,4})")
#: The chorus as an effect rather than as a part of a song.
_EFFECT = re.compile(
    r"\bchorus(?:es)? (?:effect|pedal|depth|fx|rate|on|to|at|with|,|and)\b|\b(?:a|some|more|less|with|add|light|slight|gentle|deep|lush|of) chorus\b",
    re.IGNORECASE,
)
_WHICH = "(?:the|first|second|third|last|final|each|every|that|its|whole)"
_NOT_NAMES = frozenset(
    ("hz", "db", "lufs", "youtube", "spotify", "a", "b", "c", "d", "e", "f", "g", "i", "bpm", "mp3", "wav", "flac")
)


def song_referred_to(text: str, songs: Sequence[str]) -> str:
    """The song a request speaks of: its name, "last", or ""."""
    low = text.lower()
    known = next((name for name in reversed(songs) if len(name) > 2 and name.lower() in low), "")
    if known or _LAST.search(text):
        return known or "last"
    return ""


def section_named(tokens: Sequence[Token], text: str) -> str:
    """The section of a song that is meant ("the second verse"), or ""."""
    spoken = f" {' '.join(token.text for token in tokens)} "
    for kind, words in vocabulary("editing_words")["sections"].items():
        for word in words:
            if kind == "chorus" and word.startswith("chorus") and _EFFECT.search(text):
                continue
            if f" {word} " not in spoken:
                continue
            if word in ("drop", "drops", "break", "build", "bridge", "start", "hook", "solo") and not re.search(
                rf" {_WHICH} (?:\w+ )?{word} ", spoken
            ):
                continue  # a verb: "drop the last 20 seconds"
            return str(kind)
    return ""


def changes_a_song(tokens: Sequence[Token], text: str, songs: Sequence[str] = ()) -> bool:
    """Whether the notes of a song are to be changed rather than the sound of a file, and no new song is wanted."""
    words = {token.text for token in tokens}
    changing = vocabulary("editing_words")["changing"]
    if any(token.kind == "file" for token in tokens) or words & set(changing["other"]):
        return False
    song = song_referred_to(text, songs)
    section = section_named(tokens, text)
    named = _NAMED.search(text) if section and not text.isupper() else None
    of_named = named is not None and named[1].split()[0].lower() not in _NOT_NAMES and not named[1].isupper()
    if section and (song or of_named):
        return True
    certain = section in changing["certain_sections"]
    if certain and words & set(changing["verbs"]) and (section != "chorus" or "the" in words):
        return not words & set(changing["sounds"])
    if not song:
        return False
    about_notes = bool(words & set(changing["notes"])) or bool(instrument_words().find(tokens))
    return about_notes and bool(words & set(changing["verbs"])) and not words & set(changing["sounds"])

"""Musical keys in running text."""

# ruff: noqa: E501 - patterns are easier to read whole

from __future__ import annotations

import re

from llm_music_gen.domain.key import Key
from llm_music_gen.errors import StudioError

_KEY = re.compile(
    r"\b(?:(?:in|key of|key|key:|into)\s+(?:the key of\s+)?)?([A-Ga-g])(\s?[#♯]|[b♭](?![a-z])|[ -](?:sharp|flat))?[ -]?"
    r"(major|minor|maj|min|dorian|phrygian|lydian|mixolydian|locrian|dur|moll|m)\b"
)
_PLAIN_KEY = re.compile(
    r"\b(?:in|key of|in the key of|key)[: ]+([A-G])(#|b|♯|♭| sharp| flat)?(?![\w#'♯♭-])(?! ?(?:major|minor|few|bit|lot|song|track))"
)


def key_named(text: str) -> str:
    """The key, as in ABC, or ""."""
    for match in _KEY.finditer(text):
        letter, sign, mode = match[1], (match[2] or "").strip(), match[3]
        if letter == "a" and not match[0].lower().startswith(("in", "key")) and mode == "m":
            continue
        if mode == "m" and not letter.isupper():
            continue
        return _abc(letter, sign, mode)
    plain = _PLAIN_KEY.search(text)
    return _abc(plain[1], (plain[2] or "").strip(), "") if plain else ""


def _abc(letter: str, sign: str, mode: str) -> str:
    sign = sign.replace("-", "").strip().lower().replace("sharp", "#").replace("flat", "b").replace("♯", "#").replace("♭", "b")
    try:
        return Key.parse(f"{letter.upper()}{sign} {mode}".strip()).abc()
    except StudioError:
        try:  # a key with more than seven accidentals is written the other way round
            sharps = {"G#": "Ab", "D#": "Eb", "A#": "Bb", "E#": "F", "B#": "C", "Fb": "E", "Cb": "B"}
            return Key.parse(f"{sharps.get(letter.upper() + sign, letter.upper())} {mode}".strip()).abc()
        except StudioError:
            return ""

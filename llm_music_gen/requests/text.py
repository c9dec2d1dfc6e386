"""A request as tokens: words with typos mended, numbers with units and file names, each with its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

MOST_CHARACTERS = 4_000

#: unit as written -> (unit, factor)
UNITS: dict[str, tuple[str, float]] = {
    "hz": ("hz", 1.0), "hertz": ("hz", 1.0), "khz": ("hz", 1000.0),
    "db": ("db", 1.0), "decibel": ("db", 1.0), "decibels": ("db", 1.0), "dbtp": ("dbtp", 1.0), "dbfs": ("db", 1.0),
    "lufs": ("lufs", 1.0), "lu": ("db", 1.0),
    "%": ("percent", 1.0), "percent": ("percent", 1.0),
    "ms": ("s", 0.001), "millisecond": ("s", 0.001), "milliseconds": ("s", 0.001),
    "s": ("s", 1.0), "sec": ("s", 1.0), "secs": ("s", 1.0), "second": ("s", 1.0), "seconds": ("s", 1.0),
    "m": ("s", 60.0), "min": ("s", 60.0), "mins": ("s", 60.0), "minute": ("s", 60.0), "minutes": ("s", 60.0),
    "h": ("s", 3600.0), "hr": ("s", 3600.0), "hrs": ("s", 3600.0), "hour": ("s", 3600.0), "hours": ("s", 3600.0),
    "bpm": ("bpm", 1.0), "kbps": ("kbps", 1.0), "kbit": ("kbps", 1.0), "bit": ("bits", 1.0), "bits": ("bits", 1.0),
    "cent": ("cents", 1.0), "cents": ("cents", 1.0), "st": ("semitones", 1.0),
    "semitone": ("semitones", 1.0), "semitones": ("semitones", 1.0),
    "octave": ("semitones", 12.0), "octaves": ("semitones", 12.0), "tone": ("semitones", 2.0), "tones": ("semitones", 2.0), "x": ("times", 1.0), "times": ("times", 1.0),
}  # fmt: skip
NUMBER_WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60,
    "hundred": 100, "half": 0.5, "dozen": 12,
}  # fmt: skip
_TOKEN = re.compile(
    r"""
    (?P<quoted>"[^"\n]{1,200}"|'(?=[^'\n]*[\s.][^'\n]*')[^'\n]{1,200}')
  | (?P<file>[\w()\-./\\~]*[\w)]\.(?:wav|mp3|flac|ogg|opus|m4a|aac|aiff?|mid|abc)\b)
  | (?P<clock>\b\d{1,2}:\d{2}(?::\d{2})?\b)
  | (?P<ratio>\b\d{1,2}\s?/\s?\d{1,2}\b)
  | (?P<number>(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:[.]\d+)?)
  | (?P<word>[^\W\d_][\w'’#]*(?:-[^\W\d_][\w]*)*|%|\d+\w+|&)
  | (?P<stop>[,;.!?:\n])
    """,
    re.VERBOSE,
)
_NUMBER_UNIT = re.compile(r"^([a-z%]+)")


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a request."""

    text: str
    """Lower case, typos mended; for files and quotes as typed."""
    kind: str
    """word, number, clock, ratio, file, quoted, stop."""
    start: int
    """Place in the normalised request."""
    value: float = 0.0
    """Of a number or clock, in the unit's base (Hz, seconds, dB ...)."""
    unit: str = ""
    """hz, s, db, lufs, percent, bpm, ... or "" for a bare number."""


def normalised(request: str) -> str:
    """The request without control characters and fancy signs. Cut at MOST_CHARACTERS."""
    text = unicodedata.normalize("NFKC", request[:MOST_CHARACTERS])
    text = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"').replace("–", "-").replace("—", " , ")
    return "".join(character if character.isprintable() else " " for character in text)


def tokens(request: str, vocabulary: Collection[str]) -> list[Token]:
    """The tokens of a request; words that no table knows are taken for the nearest that one knows."""
    text = normalised(request)
    raw = [_token(match) for match in _TOKEN.finditer(text)]
    return [_mended(token, vocabulary) for token in _with_units(_with_number_words(raw))]


def _token(match: re.Match[str]) -> Token:
    kind, text = str(match.lastgroup), match.group()
    if kind in ("file", "quoted"):
        return Token(text.strip("\"'"), kind, match.start())
    if kind == "number":
        number = text.replace(",", "").replace("−", "-")
        return Token(text, kind, match.start(), float(number))
    if kind == "clock":
        return Token(text, kind, match.start(), _clock_s(text), "s")
    return Token(text.lower(), kind, match.start())


def _clock_s(text: str) -> float:
    """`8:00` is eight hours, as everywhere in the studio; with three parts hours, minutes, seconds."""
    parts = [int(part) for part in text.split(":")]
    return float(parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) == 3 else 0))


def _with_number_words(raw: Sequence[Token]) -> list[Token]:
    out: list[Token] = []
    for index, token in enumerate(raw):
        if token.kind == "word" and token.text in NUMBER_WORDS:
            following = raw[index + 1].text if index + 1 < len(raw) else ""
            if following in UNITS or following in ("a", "an", "songs", "tracks", "pieces", "tunes"):
                out.append(Token(token.text, "number", token.start, float(NUMBER_WORDS[token.text])))
                continue
        glued = re.match(r"^(\d+(?:\.\d+)?)([a-z]+)$", token.text) if token.kind == "word" else None
        if glued and glued[2] in UNITS:
            out += [Token(glued[1], "number", token.start, float(glued[1])), Token(glued[2], "word", token.start + len(glued[1]))]
        elif glued and glued[2] == "k":
            out.append(Token(token.text, "number", token.start, float(glued[1]) * 1000.0, "hz"))
        else:
            out.append(token)
    return out


def _with_units(raw: Sequence[Token]) -> list[Token]:
    out: list[Token] = []
    index = 0
    while index < len(raw):
        token = raw[index]
        following = raw[index + 1] if index + 1 < len(raw) else None
        if token.kind == "number" and not token.unit and following is not None:
            text = following.text
            if text in ("a", "an") and index + 2 < len(raw):  # half an hour
                text, skipped = raw[index + 2].text, 2
            else:
                skipped = 1
            if following.kind == "word" and text == "k" and following.start <= token.start + len(token.text) + 1:
                out.append(replace(token, value=token.value * 1000.0, unit="hz"))
                index += 2
                continue
            if text in UNITS and (skipped == 1 or token.value == 0.5):
                unit, factor = UNITS[text]
                out.append(replace(token, value=token.value * factor, unit=unit))
                index += 1 + skipped
                continue
        out.append(token)
        index += 1
    return _ranges_share_units(out)


def _ranges_share_units(raw: list[Token]) -> list[Token]:
    """In `4-6 minutes` the first number has the unit of the second."""
    out = list(raw)
    for index in range(len(out) - 1):
        one, two = out[index], out[index + 1]
        touching = two.start == one.start + len(one.text) + 1
        if one.kind == two.kind == "number" and not one.unit and two.unit and touching and float(two.text):
            out[index] = replace(one, value=one.value * two.value / float(two.text), unit=two.unit)
    return out


def _mended(token: Token, vocabulary: Collection[str]) -> Token:
    if token.kind != "word" or token.text in vocabulary or len(token.text) < 4 or not token.text.isalpha():
        return token
    near = nearest_word(token.text, vocabulary)
    return replace(token, text=near) if near else token


def nearest_word(word: str, vocabulary: Iterable[str]) -> str:
    """The known word one slip of the fingers away (two from eight letters on), or ""."""
    allowed = 1 if len(word) < 8 else 2
    best, best_distance = "", allowed + 1
    for known in vocabulary:
        if abs(len(known) - len(word)) > allowed or len(known) < 4 or (known[0] != word[0] and known[1:2] != word[1:2]):
            continue
        distance = slips(word, known, allowed)
        if distance < best_distance:
            best, best_distance = known, distance
    return best


def slips(one: str, two: str, most: int) -> int:
    """Letters left out, put in, changed or swapped (optimal string alignment distance); stops counting past `most`."""
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, letter in enumerate(one, start=1):
        row, before, above = [i], row, before
        for j, other in enumerate(two, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == two[j - 2] and one[i - 2] == other:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]

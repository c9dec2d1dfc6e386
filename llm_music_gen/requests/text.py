"""A request as tokens: words (typos mended), numbers with their units, clocks, metres and file names, each with its place."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

MOST_CHARACTERS = 4_000
AUDIO_ENDINGS = "wav|wave|mp3|flac|ogg|opus|m4a|aac|aiff?|wma"
_ENDINGS = rf"{AUDIO_ENDINGS}|midi?|abc|txt"

#: Unit as written -> (unit, factor to it).
UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("hz", "hertz", "herz", "htz"), ("hz", 1.0)),
    **dict.fromkeys(("khz", "kilohertz"), ("hz", 1000.0)),
    **dict.fromkeys(("db", "dbs", "decibel", "decibels", "dbfs", "lu"), ("db", 1.0)),
    "dbtp": ("dbtp", 1.0), "lufs": ("lufs", 1.0), "lkfs": ("lufs", 1.0),
    **dict.fromkeys(("%", "percent", "pct"), ("percent", 1.0)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), ("s", 0.001)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("s", 1.0)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), ("s", 60.0)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), ("s", 3600.0)),
    "bpm": ("bpm", 1.0), **dict.fromkeys(("kbps", "kbit", "kbits", "kbs"), ("kbps", 1.0)),
    **dict.fromkeys(("bit", "bits"), ("bits", 1.0)),
    **dict.fromkeys(("semitone", "semitones", "semi", "semis", "halftone", "halftones", "st"), ("semitones", 1.0)),
    **dict.fromkeys(("octave", "octaves"), ("semitones", 12.0)),
    **dict.fromkeys(("cent", "cents"), ("cents", 1.0)),
    **dict.fromkeys(("x", "times"), ("times", 1.0)),
}  # fmt: skip

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
)
NUMBER_WORDS: dict[str, int] = {
    **{word: value for value, word in enumerate(_SMALL.split())},
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100, "dozen": 12, "couple": 2,
}  # fmt: skip
_COUNTED = "songs?|tracks?|pieces?|tunes?|versions?|loops?|melodies|beats|steps?|more|jingles?|files|changes?|edits?|lullabies|variations|ideas|waltzes|jigs|reels|minuets|cues|ringtones|drafts|takes|remixes|instrumentals|compositions|arrangements|anthems|ballads|nocturnes|preludes|etudes|different|short|new|times|things|actions|operations|edits"
_TIME = r"hours?|hrs?|minutes?|mins?|seconds?|secs?"
_UNIT_WORDS = rf"{_TIME}|semitones?|octaves?|cents?|db|decibels?|hz|hertz|percent|bpm|milliseconds?|{_COUNTED}"
_NUMBERS = "|".join(NUMBER_WORDS)
#: Numbers in words become digits before anything else is read.
_SPOKEN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (rf"\bthree quarters of an ({_TIME})\b", r"0.75 \1"),
        (rf"\b(?:a )?quarter (?:of an? )?({_TIME})\b", r"0.25 \1"),
        (rf"\b(?:an?|one|1) ({_TIME}) and a half\b", r"1.5 \1"),
        (rf"\b(\d+) ({_TIME}) and a half\b", r"\1.5 \2"),
        (rf"\b(\d+) and a half ({_UNIT_WORDS})\b", r"\1.5 \2"),
        (rf"\b(\d+) (?:1/2|½) ({_UNIT_WORDS})\b", r"\1.5 \2"),
        (rf"\b(?:half an?|half|0?[.,]5 of an|a half|1/2 an?) ({_TIME})\b", r"0.5 \1"),
        (rf"\ba (?:couple|dozen) (?:of )?({_UNIT_WORDS})\b", r"2 \1"),
        (rf"(?<!per )(?<!times )(?<!once )\b(?:an?) ({_TIME}|semitone|octave)\b", r"1 \1"),
        (rf"\b(first|last|final|opening) ({_TIME})\b", r"\1 1 \2"),
        (r"(?<![\w.])(\d{1,2})h(\d{1,2})(?:m(?:in)?)?\b", r"\1 h \2 min"),
        (r"(?<![\w.])(\d{1,3})m(?:in)?(\d{1,2})s?\b", r"\1 min \2 s"),
    )
)
_NUMBER_WORD = re.compile(
    rf"\b({_NUMBERS})(?:[ -](?=(?:of )?(?:{_UNIT_WORDS})\b)|(?= and a half (?:{_UNIT_WORDS})\b)|(?= (?:to|or) (?:\\w+) (?:{_UNIT_WORDS})\b)|[ -](?=(?:\w+ ){{1,2}}(?:{_COUNTED})\b))",
    re.IGNORECASE,
)
#: "One minute thirty".
_MINUTES_AND = re.compile(
    r"\b((?:\d+|one|two|three|four|five|six|seven|eight|nine|ten) minutes?),? (ten|fifteen|twenty|thirty|forty|fifty|[1-5]\d)\b(?! ?(?:-|to|s\b|sec|min|hour|bpm|hz|db|%|percent|\w+ songs?|tracks?))",
    re.IGNORECASE,
)
_TENS = re.compile(
    r"\b(twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)[ -](one|two|three|four|five|six|seven|eight|nine)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    rf"""
    (?P<quoted>"[^"\n]{{1,200}}"|(?<!\w)'(?=[^'\n]*[\s.][^'\n]*'(?!\w))[^'\n]{{1,200}}')
  | (?P<file>(?<![\w.])[\w~.\\/][\w()\-./\\~&+]{{0,200}}?\.(?:{_ENDINGS})(?!\w)|[A-Za-z]:[\\/][\w()\-./\\~ ]{{1,200}}?\.(?:{_ENDINGS})(?!\w))
  | (?P<clock>(?<![\w:.])\d{{1,2}}:\d{{2}}(?::\d{{2}})?(?![\w:]))
  | (?P<ratio>(?<![\w:./])\d{{1,2}}\s?[/:]\s?\d{{1,2}}(?![\w:/]))
  | (?P<number>(?<![\w.])[-+]?(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d{{1,9}})(?:[.]\d{{1,6}})?)
  | (?P<word>[^\W\d_][\w'\#♯♭]*|%|\d+\w+|&)
  | (?P<stop>[,;.!?:\n])
    """,
    re.VERBOSE | re.IGNORECASE,
)

_CONTRACTED = frozenset(("it", "that", "what", "how", "who", "where", "let", "there", "here", "s", "this", "she", "he"))


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a request."""

    text: str
    """Lower case, typos mended; for files and quotes as typed."""
    kind: str
    """word, number, clock, ratio, file, quoted, stop."""
    start: int
    """Place in the text that was tokenized."""
    raw: str = ""
    """As typed."""
    value: float = 0.0
    """Of a number, in the base of its unit (Hz, seconds, dB ...); of a clock, its seconds read as hours and minutes."""
    unit: str = ""
    """hz, s, db, dbtp, lufs, percent, bpm, kbps, bits, semitones, cents, times, or "" for a bare number."""
    factor: float = 1.0
    """What the number was multiplied by for its unit."""


def normalised(request: str) -> str:
    """The request without control characters and fancy signs, numbers in digits. Cut at MOST_CHARACTERS."""
    text = unicodedata.normalize("NFKC", request[:MOST_CHARACTERS])
    for fancy, plain in (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("−", "-"), ("–", "-"), ("—", " , ")):
        text = text.replace(fancy, plain)
    return "".join(character if character.isprintable() else " " for character in text)[: 2 * MOST_CHARACTERS]


def with_digits(text: str) -> str:
    """`two and a half hours` -> `2.5 hours`, `an hour` -> `1 hour`, `forty-five minutes` -> `45 minutes`."""
    text = _TENS.sub(lambda match: str(NUMBER_WORDS[match[1].lower()] + NUMBER_WORDS[match[2].lower()]), text)
    text = _MINUTES_AND.sub(lambda match: f"{match[1]} {NUMBER_WORDS.get(match[2].lower(), match[2])} seconds", text)
    text = _NUMBER_WORD.sub(lambda match: f"{NUMBER_WORDS[match[1].lower()]} ", text)
    text = re.sub(r"(\d)  +", r"\1 ", text)
    for pattern, replacement in _SPOKEN:
        text = pattern.sub(replacement, text)
    return text


def tokenize(text: str) -> list[Token]:
    """The tokens of a normalised text; nothing is mended yet."""
    raw: list[Token] = []
    for match in _TOKEN.finditer(text):
        raw += _tokens(match)
    return _sums_of_lengths(_ranges_share_units(_with_units(raw)))


def _tokens(match: re.Match[str]) -> Iterable[Token]:
    kind, text, start = str(match.lastgroup), match.group(), match.start()
    if kind in ("file", "quoted"):
        inner = text[1:-1].strip() if kind == "quoted" else text
        named_file = re.search(rf"\.(?:{_ENDINGS})$", inner, re.IGNORECASE)
        yield Token(inner, "file" if named_file else "quoted", start, text)
    elif kind == "number":
        yield Token(text, kind, start, text, float(text.replace(",", "")))
    elif kind == "clock":
        yield Token(text, kind, start, text, _clock_s(text), "s")
    elif kind == "word" and (digits := re.match(r"\d+", text)) is not None:
        yield Token(digits[0], "number", start, digits[0], float(digits[0][:9]))
        yield Token(text[digits.end() :].lower(), "word", start + digits.end(), text[digits.end() :])
    else:
        word = text.lower()
        owner = kind == "word" and word.endswith("'s") and word[:-2] not in _CONTRACTED
        yield Token(word[:-2] if owner else word, kind, start, text)


def _clock_s(text: str) -> float:
    """`8:00` is eight hours, as everywhere in the studio; with three parts hours, minutes, seconds."""
    parts = [int(part) for part in text.split(":")]
    return float(parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) == 3 else 0))


def clock_as_minutes(token: Token) -> float:
    """Seconds of a clock read as minutes and seconds, as places within a file are written."""
    parts = [int(part) for part in token.text.split(":")]
    return float(parts[0] * 60 + parts[1]) if len(parts) == 2 else token.value


def _with_units(raw: Sequence[Token]) -> list[Token]:
    out: list[Token] = []
    index = 0
    while index < len(raw):
        token = raw[index]
        following = raw[index + 1] if index + 1 < len(raw) else None
        if token.kind == "number" and following is not None and following.kind == "word":
            touching = following.start == token.start + len(token.raw)
            if following.text == "k" and touching:
                out.append(replace(token, value=token.value * 1000.0, unit="hz", factor=1000.0))
                index += 2
                continue
            if following.text in UNITS and not (following.text == "st" and touching and token.value == 1):
                unit, factor = UNITS[following.text]
                out.append(replace(token, value=token.value * factor, unit=unit, factor=factor))
                index += 2
                continue
        out.append(token)
        index += 1
    return out


def _ranges_share_units(tokens: list[Token]) -> list[Token]:
    """In `4-6 minutes` and `5 to 10 minutes` the first number has the unit of the second."""
    out = list(tokens)
    for index in range(len(out) - 1):
        one = out[index]
        if one.kind != "number" or one.unit:
            continue
        two = out[index + 1]
        if two.text in ("to", "or", "and") and index + 2 < len(out):
            two = out[index + 2]
        elif two.start != one.start + len(one.raw) + 1:
            continue
        if two.kind == "number" and two.unit in ("s", "hz", "bpm", "db", "semitones"):
            out[index] = replace(one, value=one.value * two.factor, unit=two.unit, factor=two.factor)
    return out


def _sums_of_lengths(tokens: list[Token]) -> list[Token]:
    """`1 hour 30 minutes` and `1 hour and 30 minutes` are one length."""
    out: list[Token] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        while token.kind == "number" and token.unit == "s":
            step = 2 if index + 2 < len(tokens) and tokens[index + 1].text == "and" else 1
            other = tokens[index + step] if index + step < len(tokens) else None
            if other is None or other.kind != "number" or other.unit != "s" or other.factor >= token.factor or other.value < 0:
                break
            token = replace(token, value=token.value + other.value, factor=other.factor)
            index += step
        out.append(token)
        index += 1
    return out


class Speller:
    """Takes a word that no table knows for the one that is a slip of the fingers away."""

    def __init__(self, vocabulary: Iterable[str], ordinary: Collection[str]) -> None:
        self._known = frozenset(vocabulary)
        self._ordinary = frozenset(ordinary) | self._known
        self._shortened: dict[str, list[str]] = {}
        for word in sorted(self._known):
            if len(word) >= 4 and word.isalpha():
                for short in {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}:
                    self._shortened.setdefault(short, []).append(word)

    def is_word(self, word: str) -> bool:
        """Whether the word is left as it is."""
        return word in self._ordinary

    def knows(self, word: str) -> bool:
        """Whether a table has the word."""
        return word in self._known

    def mended(self, token: Token) -> Token:
        """The token, its word mended where it is needed and possible."""
        word = token.text
        if token.kind != "word" or word in self._ordinary or not word.isalpha() or len(word) > 30:
            return token
        stem = self._stem(word)
        near = stem or (self.nearest(word) if len(word) >= 4 else "")
        return replace(token, text=near) if near else token

    def _stem(self, word: str) -> str:
        """The known word that this is a form of: `compressing`, `hisses`."""
        for ending in ("s", "es", "ed", "ing", "er", "ly", "d"):
            body = word.removesuffix(ending)
            if body != word and len(body) >= (3 if ending in ("s", "es", "d") else 4):
                for form in (body, body + "e", body[:-1] if body[-1:] == body[-2:-1] else body):
                    if form in self._known:
                        return form
                if body in self._ordinary:
                    return ""
        return ""

    def nearest(self, word: str) -> str:
        """The known word one slip away (two from eight letters on), or ""."""
        allowed = 1 if len(word) < 8 else 2
        best, best_slips = "", allowed + 1
        seen: set[str] = set()
        for short in (word, *(word[:i] + word[i + 1 :] for i in range(len(word)))):
            for known in self._shortened.get(short, ()):
                if known in seen:
                    continue
                seen.add(known)
                if known[0] != word[0] and (known[1:2] != word[:1] or len(known) < 5):
                    continue
                if len(word) == 4 and len(known) == 4 and sorted(word) != sorted(known):
                    continue  # so many four-letter words differ by one letter
                count = slips(word, known, allowed)
                if count < best_slips:
                    best, best_slips = known, count
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

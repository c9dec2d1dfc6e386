"""Cuts any ABC, the user's or a model's, into fields and music tokens with positions. Linear time, whatever the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from llm_music_gen.errors import NotationError

MAX_CHARACTERS = 100_000
_LENGTH = r"[0-9]{0,9}/{0,8}[0-9]{0,9}"
_MUSIC = re.compile(
    rf"""(?P<comment>%.*)
    |(?P<field>\[[A-Za-z]:[^\]\n]{{0,60}}\])
    |(?P<bar>\[\|[\]:]?|:{{0,4}}\|{{1,4}}\]?:{{0,4}}|:{{2,4}})(?P<numbers>[0-9][0-9,\-]{{0,16}})?
    |\[(?P<ending>[0-9][0-9,\-]{{0,16}})
    |"(?P<quoted>[^"\n]{{0,100}})"
    |(?P<grace>\{{[^}}\n]{{0,60}}\}})
    |(?P<decoration>![^!\n]{{1,30}}!|\+[A-Za-z().<>]{{1,30}}\+|[.~HLMOPSTuvJRy`](?![:])|y[0-9]*)
    |\((?P<tuplet>[2-9])(?::(?P<time>[0-9]?)(?::(?P<count>[0-9]?))?)?
    |(?P<accidental>\^{{1,2}}|_{{1,2}}|=)?(?P<letter>[A-Ga-g])(?P<marks>[',]{{0,12}})(?P<length>{_LENGTH})
    |\[(?P<chord>[\^_=A-Ga-g',0-9/ \-]{{1,60}})\](?P<chord_length>{_LENGTH})
    |(?P<rest>[zx])(?P<rest_length>{_LENGTH})
    |(?P<bars_rest>[ZX])(?P<bars>[0-9]{{0,12}})
    |(?P<broken>>{{1,3}}|<{{1,3}})
    |(?P<tie>-)
    |(?P<overlay>&)
    |(?P<space>[ \t\\$*]+|[()\]])
    |(?P<junk>.)""",
    re.VERBOSE,
)
_FIELD_LINE = re.compile(r"([A-Za-z+]):[ \t]*(.*)")
CHORD_NOTE = re.compile(rf"(?P<accidental>\^{{1,2}}|_{{1,2}}|=)?(?P<letter>[A-Ga-g])(?P<marks>[',]{{0,12}})(?P<length>{_LENGTH})")


@dataclass(frozen=True, slots=True)
class Token:
    """One field line, inline field or piece of music."""

    kind: str
    """"field", "bar", "ending", "quoted", "tuplet", "note", "chord", "rest", "bars_rest", "broken", "tie", "overlay", "junk"."""
    line: int
    """From 1."""
    column: int
    """From 1."""
    match: re.Match[str]
    letter: str = ""
    """Of a field."""
    value: str = ""
    """Of a field."""


def tokens(abc: str) -> Iterator[Token]:
    """The tokens of the first tune. Raises NotationError for text that is too long."""
    if len(abc) > MAX_CHARACTERS:
        raise NotationError(f"The ABC text is longer than {MAX_CHARACTERS:,} characters.", hint="Cut the tune out of it.")
    in_tune = False
    for number, line in enumerate(abc.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        field = _FIELD_LINE.match(line)
        if field and not line.startswith("|"):
            if field[1] == "X" and in_tune:
                return
            in_tune = in_tune or field[1] == "X"
            yield Token("field", number, 1, field, field[1], field[2].split("%")[0].strip())
        elif not line.startswith("%"):
            yield from _music(line, number)


def _music(line: str, number: int) -> Iterator[Token]:
    for match in _MUSIC.finditer(line):
        kind = match.lastgroup or "junk"
        if kind == "field":
            yield Token("field", number, match.start() + 1, match, match["field"][1], match["field"][3:-1].strip())
            continue
        if kind in ("comment", "space", "grace", "decoration"):
            continue
        kind = _KIND.get(kind, kind)
        yield Token(kind, number, match.start() + 1, match)


#: Last named group of the pattern -> kind of token.
_KIND = {
    "numbers": "bar", "time": "tuplet", "count": "tuplet", "length": "note", "chord_length": "chord", "rest_length": "rest",
    "bars": "bars_rest",
}  # fmt: skip

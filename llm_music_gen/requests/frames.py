"""Turns of phrase in which the place of a word gives its meaning: "lay A under B at -10 dB", "skip the first minute".

The frames are data (frames.toml): regular expressions over the request's words, in which numbers, files and lists of verbs
have names. What a frame has read is taken out; the words about sound are looked for in the rest.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llm_music_gen.requests.text import Token, clock_as_minutes
from llm_music_gen.requests.words import table, vocabulary
from llm_music_gen.tools.plan import Call

#: Kind of a name in a frame -> the marks that stand for its tokens.
_KINDS = {
    **dict.fromkeys(("time", "length"), "§s|§clock"),
    **{
        name: f"§{name}"
        for name in ("s", "hz", "n", "percent", "times", "file", "semitones", "cents", "lufs", "bpm", "kbps", "bits")
    },
    "db": "§db|§dbtp",
    "level": "§db|§dbtp|§n",
    "rate": "§hz|§n",
    "edge": "§hz|§n",
    "pulses": "§times|§n",
    "s_or_n": "§s|§n",
    "bpm_or_n": "§bpm|§n",
}
#: One frame reads so many places of a request.
_MOST_OF_ONE = 4
_NAME = re.compile(r"\{(?:(\w+):)?(\w+)\}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of frames.toml."""

    pattern: re.Pattern[str]
    call: str
    args: dict[str, Any]
    """Argument -> the name of a group ("-name": negative), a list of names or of such tables, `=text`, or a number."""
    usual: dict[str, Any]
    """What stands where a table's group took no part."""
    between: dict[str, list[float]]
    """Argument -> the lowest and highest value with which the frame makes sense."""
    needs: frozenset[str]
    """Words of which one must be said somewhere."""
    scaled: bool
    """Whether "a bit" and "much" make its decibels smaller and larger."""
    weak: bool
    """Whether music that is ordered may be described so too."""


@dataclass(frozen=True, slots=True)
class Framed:
    """What the frames found in a request."""

    calls: list[tuple[int, Call]]
    """Each with the place in the text where it was said."""
    rest: list[Token]
    """The tokens no frame has read; a stop stands where one was taken out."""
    strong: bool


@lru_cache(maxsize=1)
def _frames() -> tuple[Frame, ...]:
    data = vocabulary("frames")
    classes = {name: _alternatives(words) for name, words in data["classes"].items()}
    out = []
    for entry in data["frame"]:
        for say in entry["say"]:
            out.append(
                Frame(
                    re.compile(rf"(?:(?<= )|^){_spelled_out(say, classes)}(?= |$)"),
                    entry["call"],
                    entry.get("args", {}),
                    entry.get("usual", {}),
                    entry.get("between", {}),
                    frozenset(entry.get("needs", ())),
                    entry.get("scaled", False),
                    entry.get("weak", False),
                )
            )
    return tuple(out)


def _alternatives(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _spelled_out(say: str, classes: dict[str, str]) -> str:
    """The regular expression behind a frame: names become groups, `~` any number of little words."""

    def named(match: re.Match[str]) -> str:
        name, kind = match[1], match[2]
        inner = _KINDS.get(kind) or classes[kind]
        return f"(?P<{name}>{inner})" if name else f"(?:{inner})"

    little = f"(?:(?:{classes['little']}) )*"
    return _NAME.sub(named, say.replace("~", "\0")).replace("\0", little)


def _marked(token: Token) -> str:
    if token.kind == "number":
        return f"§{token.unit or 'n'}"
    if token.kind in ("file", "quoted", "clock", "ratio"):
        return f"§{token.kind}"
    return token.text.replace(" ", "_")


def read_frames(tokens: Sequence[Token]) -> Framed:
    """The calls that the frames give, and what is left of the tokens."""
    found = _read_once(tuple(tokens))
    return Framed(
        [(start, Call(call.tool, copy.deepcopy(call.args))) for start, call in found.calls], list(found.rest), found.strong
    )


@lru_cache(maxsize=64)
def _read_once(tokens: tuple[Token, ...]) -> Framed:
    left = list(tokens)
    spoken = " ".join(_marked(token) for token in left)
    calls: list[tuple[int, Call]] = []
    strong = False
    words = {token.text for token in tokens}
    for frame in _frames():
        if frame.needs and not frame.needs & words:
            continue
        for _ in range(_MOST_OF_ONE):
            match = frame.pattern.search(spoken)
            if match is None:
                break
            call = Call(frame.call, _arguments(frame.args, frame.usual, match, left))
            if any(not low <= call.args.get(name, low) <= high for name, (low, high) in frame.between.items()):
                break
            first = spoken.count(" ", 0, match.start())
            stop = spoken.count(" ", 0, match.end()) + 1
            if frame.scaled and (degrees := table("grammar", "degrees").find(left[first : stop + 2])):
                for band in call.args["bands"]:
                    band["db"] = round(band["db"] * float(degrees[-1].value), 2)
            calls.append((left[first].start, _settled(call)))
            strong |= not frame.weak
            left = [*left[:first], Token(",", "stop", left[first].start, ","), *left[stop:]]
            spoken = " ".join(_marked(token) for token in left)
    return Framed(calls, left, strong)


def _settled(call: Call) -> Call:
    """Ratios and milliseconds from what is said in other terms."""
    args = dict(call.args)
    if "to_bpm" in args:
        args["ratio"] = round(args.pop("to_bpm") / max(1.0, args.pop("from_bpm")), 5)
    for name, sign in (("faster", 1), ("slower", -1)):
        if name in args:
            args["ratio"] = round(1 + sign * args.pop(name), 4)
    if call.tool == "delay":
        args["ms"] = round(args.pop("s") * 1000, 3)
    for name in ("bits", "rate", "kbps"):
        if name in args:
            args[name] = round(args[name])
    return Call(call.tool, args)


def _arguments(wanted: dict[str, Any], usual: dict[str, Any], match: re.Match[str], tokens: Sequence[Token]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, source in wanted.items():
        value = _read(source, usual, match, tokens)
        if value is None:
            value = usual.get(name)
        if value is not None and value != []:
            out[name] = value * 1000 if name == "rate" and value < 400 else value  # "48" of a rate is kilohertz
    return out


def _read(source: Any, usual: dict[str, Any], match: re.Match[str], tokens: Sequence[Token]) -> Any:
    if isinstance(source, dict):
        return _arguments(source, usual, match, tokens)
    if isinstance(source, list):
        return [value for item in source if (value := _read(item, usual, match, tokens)) is not None]
    if isinstance(source, str):
        return source[1:] if source.startswith("=") else _value(source, match, tokens)
    return source


def _value(source: str, match: re.Match[str], tokens: Sequence[Token]) -> Any:
    """The value of a group's token; None where the group took no part."""
    name = source.lstrip("-+")
    if match.groupdict().get(name) is None:
        return None
    token = tokens[match.string.count(" ", 0, match.start(name))]
    if token.kind in ("file", "quoted", "word"):
        return token.text
    value = clock_as_minutes(token) if token.kind == "clock" else token.value / (100 if token.unit == "percent" else 1)
    return -abs(value) if source.startswith("-") else abs(value) if source.startswith("+") else value

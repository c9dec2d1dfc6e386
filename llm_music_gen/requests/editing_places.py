"""Which bars of a song a clause means: "the second part", "bars 9-16", "the last chorus", "from 1:00 to 1:30", "the end"."""

# ruff: noqa: E501 - patterns are easier to read whole

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from llm_music_gen.domain.edit import Bars, spoken_bars
from llm_music_gen.domain.theme import Theme
from llm_music_gen.requests.words import vocabulary

#: "The end" is the last section where it is this short, otherwise its last phrase.
_ENDING_BARS = 8
_PHRASE_BARS = 4
_ORDINALS = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "fifth": 5, "5th": 5, "sixth": 6,
    "6th": 6, "seventh": 7, "7th": 7, "eighth": 8, "8th": 8, "ninth": 9, "9th": 9, "tenth": 10, "10th": 10, "last": -1, "final": -1, "closing": -1, "penultimate": -2,
}  # fmt: skip
_ORDINAL = "|".join(_ORDINALS)
_NUMBER = r"(\d{1,4})"
_CLOCK = r"(\d{1,3}):(\d{2})"
_EVERYWHERE = re.compile(r"\b(?:everywhere|throughout|(?:whole|entire|all of the|full) (?:song|track|piece|thing))\b")


@dataclass(frozen=True, slots=True)
class Place:
    """What a clause says about where."""

    spans: tuple[tuple[int, int], ...]
    """Ranges of bars; none for the whole song."""
    rest: str
    """The clause without the words that said so."""
    named: bool = True
    """Whether anything was said about it."""
    complaint: str = ""
    """Why it cannot be found, or ""."""


def place_of(clause: str, theme: Theme) -> Place:
    """The place that a clause (lower case, but for section letters) names."""
    for find in (_by_bars, _by_time, _by_half, _by_section, _by_label, _by_end):
        found = find(clause, theme)
        if found is not None:
            return found
    everywhere = _EVERYWHERE.search(clause)
    if everywhere:
        return Place((), _without(clause, everywhere))
    return Place((), clause, named=False)


def sections_line(theme: Theme) -> str:
    """The sections of a song for people: "intro A (bars 1-4), verse B (bars 5-12)"."""
    out, start = [], 0
    for plan in theme.form:
        out.append(f"{plan.role} {plan.label} ({spoken_bars((start, start + plan.bars))})")
        start += plan.bars
    return ", ".join(out)


def spans_of(theme: Theme) -> list[tuple[int, int]]:
    """The range of bars of each section of the form."""
    out, start = [], 0
    for plan in theme.form:
        out.append((start, start + plan.bars))
        start += plan.bars
    return out


def _by_bars(clause: str, theme: Theme) -> Place | None:
    match = re.search(rf"\b(?:in |from |between |of )?(?:the )?(?:bars?|measures?) {_NUMBER}(?:\s*(?:-|–|to|through|and|until)\s*(?:bar )?{_NUMBER})?\b", clause)  # fmt: skip
    if match:
        first, last = int(match[1]), int(match[2] or match[1])
        first, last = min(first, last), max(first, last)
        if not 1 <= first <= theme.bars or last > theme.bars:
            return Place((), clause, complaint=f"The song has {theme.bars} bars.")
        return Place(((first - 1, last),), _without(clause, match))
    match = re.search(rf"\b(?:in |for |of )?(?:the )?(first|last|final) {_NUMBER} (?:bars|measures)\b", clause)
    if match:
        count = min(theme.bars, max(1, int(match[2])))
        span = (0, count) if match[1] == "first" else (theme.bars - count, theme.bars)
        return Place((span,), _without(clause, match))
    match = re.search(r"\b(?:in |of )?(?:the )?(first|last|final) (?:bar|measure)\b", clause)
    if match:
        span = (0, 1) if match[1] == "first" else (theme.bars - 1, theme.bars)
        return Place((span,), _without(clause, match))
    return None


def _by_time(clause: str, theme: Theme) -> Place | None:
    match = re.search(rf"\b(?:from |between |in )?{_CLOCK}\s*(?:-|–|to|and|until|till)\s*{_CLOCK}", clause)
    after = re.search(rf"\b(after|before|from|until|since) {_CLOCK}(?: on| onwards?)?", clause) if match is None else None
    bar_s = theme.meter.bar_seconds(theme.tempo_bpm)
    music_s = theme.bars * bar_s
    if match:
        start_s, stop_s = float(int(match[1]) * 60 + int(match[2])), float(int(match[3]) * 60 + int(match[4]))
        found = match
    elif after:
        at_s = int(after[2]) * 60 + int(after[3])
        start_s, stop_s = (0.0, at_s) if after[1] in ("before", "until") else (at_s, music_s)
        found = after
    else:
        return None
    if not 0 <= start_s < min(stop_s, music_s):
        minutes, seconds = divmod(int(music_s), 60)
        return Place((), clause, complaint=f"Its music lasts {minutes}:{seconds:02d}, and a time goes forwards.")
    # Edits keep to bars: those of which at least half is meant.
    first = min(theme.bars - 1, round(start_s / bar_s))
    stop = min(theme.bars, max(first + 1, math.floor(stop_s / bar_s + 0.5)))
    return Place(((first, stop),), _without(clause, found))


def _by_half(clause: str, theme: Theme) -> Place | None:
    match = re.search(r"\b(?:in |of )?(?:the )?(first|second|last|1st|2nd) half\b(?: of the (?:song|track|piece))?", clause)
    if match is None or theme.bars < 2:
        return None
    middle = min(spans_of(theme), key=lambda span: abs(span[0] - theme.bars / 2))[0] or theme.bars // 2
    span = (0, middle) if match[1] in ("first", "1st") else (middle, theme.bars)
    return Place((span,), _without(clause, match))


def _by_section(clause: str, theme: Theme) -> Place | None:
    spans = spans_of(theme)
    match = re.search(rf"\b(?:in |of |during |for )?(?:the )?({_ORDINAL}) (?:part|section|movement)\b", clause) or re.search(
        r"\b(?:in |of |during |for )?(?:part|section|movement) (\d{1,2})\b", clause
    )
    if match:
        number = int(match[1]) if match[1].isdigit() else _ORDINALS[match[1]]
        if number == 0 or abs(number) > len(spans):
            return Place((), clause, complaint=f"The song has {len(spans)} parts: {sections_line(theme)}.")
        return Place((spans[number - 1 if number > 0 else number],), _without(clause, match))
    for role, names in vocabulary("editing_words")["sections"].items():
        words = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
        match = re.search(rf"\b(?:in |of |during |for |at |to )?(?:the |every |each |all )?(?:({_ORDINAL}) )?(?:the )?({words})(?: part| section)?(?: (\d))?(?! (?:bpm|kit))\b", clause)  # fmt: skip
        if match is None:
            continue
        if (
            role == "drop"
            and re.match(r"drop\b(?! (?:section|part))", match[2])
            and re.search(r"\bdrop (?:the|all|its|out)\b", clause)
        ):
            continue  # the verb
        wanted = next(
            (kind for kind in (role, *vocabulary("editing_words")["section_stand_ins"].get(role, ())) if _having(theme, kind)),
            None,
        )
        if wanted is None and match[2] in ("start", "beginning", "opening", "introduction"):
            return Place((spans[0],), _without(clause, match))
        if wanted is None and role == "outro":
            return Place((spans[-1],), _without(clause, match))
        if wanted is None:
            return Place((), clause, complaint=f"This song has no {role}; its parts are {sections_line(theme)}.")
        found = [spans[index] for index in _having(theme, wanted)]
        number = _ORDINALS[match[1]] if match[1] else int(match[3]) if match[3] else 0
        if abs(number) > len(found):
            return Place((), clause, complaint=f"The song has {len(found)} of the kind {wanted}: {sections_line(theme)}.")
        if number:
            found = [found[number - 1 if number > 0 else number]]
        return Place(tuple(found), _without(clause, match))
    return None


def _by_label(clause: str, theme: Theme) -> Place | None:
    match = re.search(r"\b(?:in |of )?(?:the )?(?:part|section) ([A-Za-z])\b", clause) or re.search(
        r"\b(?:in |of )?(?:the )?([A-Z]|[a-z](?= (?:part|section)))(?:[- ](?:part|section)s?)\b", clause
    )
    if match is None and re.fullmatch(r"(?:(?:put|play|have|make|transpose) )?(?:it |this |everything )?(?:in|to) [A-G]", clause):
        return None  # a key
    match = match or re.search(
        r"(?:^|\b(?:in|of|make|the) )([B-HJ-Z])(?= |$)(?! (?:major|minor|dorian|flat|sharp|m\b))",
        clause,
    )
    match = match or re.search(r"(?<!\bin )(?<!\bto )(?<!\binto )(?<!\bof )(?<=\w )([B-HJ-Z])$", clause)
    if match is None:
        return None
    label = match[1].upper()
    found = [span for span, plan in zip(spans_of(theme), theme.form, strict=True) if plan.label == label]
    if not found:
        return Place((), clause, complaint=f"The song has no part {label}; its parts are {sections_line(theme)}.")
    return Place(tuple(found), _without(clause, match))


def _by_end(clause: str, theme: Theme) -> Place | None:
    match = re.search(
        r"\b(?:at |in |for |of )?(?:the |its )?(?:very )?(?:end|ending|close)\b(?=$| in\b| on\b| with\b| to\b| [a-z])", clause
    )
    if match is None:
        return None
    first, stop = spans_of(theme)[-1]
    if stop - first > _ENDING_BARS:
        first = stop - _PHRASE_BARS
    return Place(((first, stop),), _without(clause, match))


def _having(theme: Theme, role: str) -> list[int]:
    return [index for index, plan in enumerate(theme.form) if plan.role == role]


def _without(clause: str, match: re.Match[str]) -> str:
    return " ".join((clause[: match.start()] + " " + clause[match.end() :]).split())


def one_range(spans: Sequence[tuple[int, int]]) -> list[Bars]:
    """The ranges for operations: neighbours joined, None for the whole song."""
    if not spans:
        return [None]
    out: list[tuple[int, int]] = []
    for span in sorted(spans):
        if out and out[-1][1] == span[0]:
            out[-1] = (out[-1][0], span[1])
        else:
            out.append(span)
    return list(out)

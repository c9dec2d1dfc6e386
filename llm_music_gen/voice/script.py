"""The text of a narration: paragraphs, when each begins, and how long it is quiet before it.

Plain text. An empty line ends a paragraph; `[10:00]` or `[1:05:00]` at the start of a line says when one begins; `[pause 20]`
anywhere is a pause of so many seconds. What is not marked follows after the usual pause.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from llm_music_gen.errors import StorageError, UsageError

MOST_CHARACTERS = 200_000
MOST_PARTS = 4_000
RATE_WPM = (80, 400)
#: Marked in the text, and as the usual one between paragraphs.
MOST_PAUSE_S, MOST_USUAL_PAUSE_S = 4 * 3_600.0, 600.0
#: Where nothing else is said: when the first word is spoken, and how long it is quiet between paragraphs and sentences.
FIRST_S, USUAL_PAUSE_S, SENTENCE_PAUSE_S = 20.0, 8.0, 0.8
#: What is heard of the music alone after the last word.
END_S = 5.0
#: Everything lies on this grid, so that times in a recipe are exact and loudness meters of speech and music step together.
GRID_S = 0.1
_HOW = 'Write times as [10:00] or [1:05:00] at the start of a line, and pauses of so many seconds as "[pause 20]".'
_TIME = re.compile(r"^\s*\[(\d[^\]\n]{0,20})\]")
_CLOCK = re.compile(r"^(?:(\d{1,2}):([0-5]\d)|(\d{1,3})):([0-5]\d)$")
_PAUSE = re.compile(r"\[\s*pause\b([^\]\n]{0,40})\]", re.IGNORECASE)
_SECONDS = re.compile(r"^(\d{1,5}(?:\.\d{1,3})?)\s*(?:s|sec|seconds)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """What is spoken in one go: a paragraph, or what lies between two of its pauses."""

    text: str
    """In one line."""
    line: int
    """Where it stands in the text, from 1."""
    at_s: float | None = None
    """When it begins, where that is marked."""
    pause_s: float | None = None
    """How long it is quiet before it, where that is marked."""


@dataclass(frozen=True, slots=True)
class Place:
    """When a sentence is spoken."""

    start_s: float
    length_s: float
    text: str


def read_script(text: str) -> tuple[Part, ...]:
    """The parts of a narration in their order. Raises UsageError in one sentence for a text that cannot be spoken so."""
    if len(text) > MOST_CHARACTERS:
        raise UsageError(
            f"The narration has {len(text)} characters, and {MOST_CHARACTERS} are the most.", hint="Make it several tracks."
        )
    if "\x00" in text:
        raise UsageError("The narration is no plain text.", hint="Give a text file in UTF-8.")
    parts: list[Part] = []
    collected = Part("", 0)
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        rest = _plain(line)
        if not rest:
            collected = _ended(parts, collected)
            continue
        if match := _TIME.match(rest):
            collected = _ended(parts, collected)
            collected = Part("", number, _clock_s(match[1], number), None)
            rest = rest[match.end() :].strip()
        while match := _PAUSE.search(rest):
            collected = _ended(parts, _longer(collected, rest[: match.start()], number))
            before = (collected.pause_s or 0.0) if collected.at_s is None else 0.0
            collected = replace(collected, pause_s=min(MOST_PAUSE_S, before + _pause_s(match[1], number)))
            rest = rest[match.end() :].strip()
        collected = _longer(collected, rest, number)
    _ended(parts, collected)
    if not parts:
        raise UsageError("The narration has no words.", hint="Write what shall be spoken into the text file.")
    if len(parts) > MOST_PARTS:
        raise UsageError(f"The narration has {len(parts)} paragraphs, and {MOST_PARTS} are the most.", hint="Join some of them.")
    times = [(part.at_s, part.line) for part in parts if part.at_s is not None]
    for (before_s, _), (at_s, place) in pairwise(times):
        if at_s <= before_s:
            raise UsageError(
                f"Line {place} of the narration begins at {clock(at_s)}, which is not after {clock(before_s)} before it.",
                hint="Put the times in order.",
            )
    return tuple(parts)


def read_script_file(path: Path) -> str:
    """The text of a narration. Raises StorageError for what is no text, UsageError for one that cannot be spoken so."""
    try:
        if path.stat().st_size > 4 * MOST_CHARACTERS:
            raise UsageError(f"{path.name} is over {4 * MOST_CHARACTERS // 1000} kB.", hint="A narration is a plain text.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StorageError(f"{path.name} is not text in UTF-8.", hint="Save it as plain text in UTF-8.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"The narration {str(path)!r} cannot be read ({reason}).", hint="Give a text file.") from error
    read_script(text)
    return text


def checked_pause(text: str) -> float:
    """Seconds between paragraphs. Raises UsageError."""
    try:
        pause_s = float(text)
    except ValueError:
        pause_s = -1.0
    if not 0.0 <= pause_s <= MOST_USUAL_PAUSE_S:
        raise UsageError(
            f"{text[:20]!r} is no pause.", hint=f"Give seconds from 0 to {MOST_USUAL_PAUSE_S:g}, such as {USUAL_PAUSE_S:g}."
        )
    return pause_s


def checked_rate(text: str) -> int:
    """Words a minute of a narration. Raises UsageError."""
    low, high = RATE_WPM
    try:
        rate_wpm = int(text)
    except ValueError:
        rate_wpm = 0
    if not low <= rate_wpm <= high:
        raise UsageError(
            f"{text[:20]!r} is no rate of a narration.", hint=f"Give words a minute from {low} to {high}, such as 110."
        )
    return rate_wpm


def placed(
    parts: Sequence[Part], spoken: Sequence[Sequence[tuple[str, float]]], pause_s: float = USUAL_PAUSE_S
) -> tuple[Place, ...]:
    """When every sentence is spoken. `spoken` holds (sentence, length in seconds) for each part; lengths are rounded up to 0.1 s.

    Raises UsageError where a part is not over when the next one has to begin.
    """
    places: list[Place] = []
    for number, (part, sentences) in enumerate(zip(parts, spoken, strict=True)):
        free = places[-1].start_s + places[-1].length_s if places else 0.0
        usual = FIRST_S if number == 0 else pause_s
        at_s = on_grid(part.at_s if part.at_s is not None else free + (usual if part.pause_s is None else part.pause_s))
        if at_s < free - 1e-6:
            raise UsageError(
                f"What is spoken before line {part.line} of the narration takes until {clock(math.ceil(free))}, but the line "
                f"begins at {clock(at_s)}.",
                hint="Move its time, shorten what is before it, or speak faster with --narration-rate.",
            )
        for text, length_s in sentences:
            length_s = up_to_grid(length_s)
            places.append(Place(on_grid(at_s), length_s, text))
            at_s += length_s + SENTENCE_PAUSE_S
    return tuple(places)


def check_fits(places: Sequence[Place], length_s: float) -> None:
    """Raises UsageError where the narration is longer than its track."""
    needed = needed_s(places)
    if needed > length_s + 1e-6:
        raise UsageError(
            f"The narration takes {clock(needed)} with its pauses, but the track is {clock(length_s)} long.",
            hint=f"Make the track longer (--length {math.ceil(needed / 60)}), speak faster (--narration-rate) or pause less "
            "(--narration-pause).",
        )  # fmt: skip


def needed_s(places: Sequence[Place]) -> float:
    """How long a track has to be for it."""
    return math.ceil(places[-1].start_s + places[-1].length_s + END_S) if places else 0.0


def on_grid(time_s: float) -> float:
    """The nearest tenth of a second."""
    return round(round(time_s / GRID_S) * GRID_S, 1)


def up_to_grid(length_s: float) -> float:
    """The next tenth of a second, at least one."""
    return round(max(1, math.ceil(length_s / GRID_S - 1e-6)) * GRID_S, 1)


def clock(time_s: float) -> str:
    """As people write it: 1:05, 1:05:00."""
    seconds = round(time_s)
    if seconds < 3_600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    return f"{seconds // 3_600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _ended(parts: list[Part], part: Part) -> Part:
    """Keep a part that has words; what follows begins anew, or waits longer where only a mark was read so far."""
    if any(letter.isalnum() for letter in part.text):
        parts.append(part)
        return Part("", 0)
    return replace(part, text="")


def _longer(part: Part, text: str, line: int) -> Part:
    text = text.strip()
    if not text:
        return part
    return replace(part, text=f"{part.text} {text}".strip(), line=part.line or line)


def _plain(line: str) -> str:
    """Without what is no text."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in line).split())


def _clock_s(text: str, line: int) -> float:
    match = _CLOCK.match(text.strip())
    if match is None:
        raise UsageError(f"[{text}] in line {line} of the narration is no time.", hint=_HOW)
    hours, minutes = (int(match[1]), int(match[2])) if match[1] else (0, int(match[3]))
    return float(3_600 * hours + 60 * minutes + int(match[4]))


def _pause_s(text: str, line: int) -> float:
    match = _SECONDS.match(text.strip())
    if match is None or not 0.0 < float(match[1]) <= MOST_PAUSE_S:
        raise UsageError(f"[pause{text}] in line {line} of the narration is no pause.", hint=_HOW)
    return float(match[1])

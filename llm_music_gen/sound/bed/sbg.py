"""Reads SBaGen `.sbg` schedules: the part that says which tone-sets sound when, so existing sessions can lie under the music.

Understood: tone-set definitions (`name: 200+10/20 pink/40`), clock or NOW-relative times, `->` slides and `off`. Other voices
(spin, bell, mix) are refused by name rather than played wrongly. The text is untrusted: lengths and counts are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_music_gen.errors import NotationError

MOST_CHARACTERS = 200_000
MOST_LINES = 5_000
_DAY_S = 24 * 3600
_TONE = re.compile(r"^(\d+(?:\.\d+)?)(?:([+-])(\d+(?:\.\d+)?)|@(\d+(?:\.\d+)?))?/(\d+(?:\.\d+)?)$")
_NOISE = re.compile(r"^(pink|white|brown)/(\d+(?:\.\d+)?)$")
_NAME = re.compile(r"^[A-Za-z][\w-]*$")
_TIME = re.compile(r"^(NOW)?\+?(?:(\d{1,2}):(\d{2})(?::(\d{2}))?)?$")


@dataclass(frozen=True, slots=True)
class SbgTone:
    """One voice of a tone-set."""

    kind: str
    """tone, binaural, isochronic, pink, white, brown."""
    carrier_hz: float
    beat_hz: float
    amplitude: float
    """0 to 1."""


@dataclass(frozen=True, slots=True)
class SbgStep:
    """From a time on, these tones sound."""

    at_s: float
    tones: tuple[SbgTone, ...]
    slide: bool
    """Whether it glides into the next step."""


def read_sbg(text: str) -> tuple[SbgStep, ...]:
    """The schedule, starting at 0 s. Raises NotationError with the line for what is not understood."""
    if len(text) > MOST_CHARACTERS or text.count("\n") > MOST_LINES:
        raise NotationError("The .sbg file is too long to be a schedule.", hint=f"{MOST_LINES} lines are the most.")
    sets: dict[str, tuple[SbgTone, ...]] = {"off": ()}
    steps: list[tuple[bool, int, SbgStep]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("#", 1)[0].strip()
        if not line or line.startswith("-"):
            continue  # command-line options do not change the tones
        name, colon, rest = line.partition(":")
        if colon and _NAME.match(name) and name.upper() != "NOW":
            sets[name] = tuple(_tone(word, number) for word in rest.split() if word != "-")
        else:
            steps.append(_step(line, number, sets))
    if not steps:
        raise NotationError("The .sbg file has no times.", hint='It needs lines such as "NOW alpha" and "+00:10:00 theta".')
    return _from_zero(steps)


def _tone(word: str, line: int) -> SbgTone:
    noise = _NOISE.match(word)
    if noise:
        return SbgTone(noise[1], 0.0, 0.0, _amplitude(noise[2], line))
    tone = _TONE.match(word)
    if tone is None:
        raise NotationError(f"Line {line} of the .sbg file: {word!r} is not a voice that can be played here.")
    carrier, sign, beat, pulses, amplitude = tone.groups()
    if pulses is not None:
        return SbgTone("isochronic", float(carrier), float(pulses), _amplitude(amplitude, line))
    if beat is None:
        return SbgTone("tone", float(carrier), 0.0, _amplitude(amplitude, line))
    return SbgTone("binaural", float(carrier), float(beat) * (-1.0 if sign == "-" else 1.0), _amplitude(amplitude, line))


def _amplitude(text: str, line: int) -> float:
    percent = float(text)
    if percent > 100.0:
        raise NotationError(f"Line {line} of the .sbg file: {text} % is louder than full.")
    return percent / 100.0


def _step(line: str, number: int, sets: dict[str, tuple[SbgTone, ...]]) -> tuple[bool, int, SbgStep]:
    words = line.split()
    when = _TIME.match(words[0].upper())
    if when is None or len(words) < 2:
        raise NotationError(f"Line {number} of the .sbg file is neither a tone-set nor a time: {line[:40]!r}.")
    relative = when[1] is not None or words[0].startswith("+")
    hours, minutes, seconds = (int(part or 0) for part in when.groups()[1:])
    slide = words[-1] == "->"
    name = words[1]
    if name not in sets:
        raise NotationError(f"Line {number} of the .sbg file: there is no tone-set {name!r}.")
    at_s = hours * 3600 + minutes * 60 + seconds
    return relative, number, SbgStep(float(at_s), sets[name], slide)


def _from_zero(steps: list[tuple[bool, int, SbgStep]]) -> tuple[SbgStep, ...]:
    """Absolute clock times may pass midnight; everything is counted from the first step."""
    first_is_relative, origin = steps[0][0], steps[0][2].at_s
    out: list[SbgStep] = []
    for relative, number, step in steps:
        at_s = step.at_s if relative and not first_is_relative else step.at_s - origin
        while not relative and out and at_s < out[-1].at_s:
            at_s += _DAY_S
        if out and at_s <= out[-1].at_s:
            raise NotationError(f"Line {number} of the .sbg file goes back in time.")
        out.append(SbgStep(at_s, step.tones, step.slide))
    return tuple(out)

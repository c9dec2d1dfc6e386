"""Key, mode, metre, tempo and swing in a clause about a song: the changes that have numbers."""

# ruff: noqa: E501 - patterns are easier to read whole

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llm_music_gen.domain.edit import Operation, SetMeter, SetMode, SetSwing, SetTempo, Transpose
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import NotationError
from llm_music_gen.requests.editing_parts import Band
from llm_music_gen.requests.editing_places import Place, one_range
from llm_music_gen.requests.words import vocabulary

MIN_BPM, MAX_BPM = 20.0, 400.0
#: Where a swing of its own begins, and none, in percent.
_SWUNG, STRAIGHT_PERCENT = 62.0, 50.0
_INTERVALS = {
    "semitone": 1, "half tone": 1, "half step": 1, "halftone": 1, "minor second": 1, "whole tone": 2, "whole step": 2, "tone": 2,
    "step": 2, "major second": 2, "minor third": 3, "major third": 4, "third": 4, "fourth": 5, "tritone": 6, "fifth": 7,
    "minor sixth": 8, "sixth": 9, "seventh": 10, "octave": 12,
}  # fmt: skip
_COUNTS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "half a": 0.5,
    "couple of": 2,
}
_METERS = {"waltz": "3/4", "three four": "3/4", "three quarter": "3/4", "four four": "4/4", "common time": "4/4", "triple": "3/4"}
_KEY = re.compile(
    r"(?:^|\b(?:in|to|into|key of|key)\s+)(?:the key of )?([A-Ga-g](?:#|b|♯|♭| sharp| flat|-sharp|-flat)?)[ -]?"
    r"(major|minor|maj|min|dorian|phrygian|lydian|mixolydian|m)\b"
    r"|\b(?:key of|key to|transpose (?:it |this |everything )?to|in|into|to) ([A-G](?:#|b|♯|♭)?m?)(?=$|[ ,.])(?! (?:bit|part|section))"
)


Found = Iterator[Operation | str]


@dataclass
class Reading:
    """A request while it is read."""

    theme: Theme
    band: Band
    swing: float
    operations: list[Operation] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    spans: tuple[tuple[int, int], ...] = ()
    """Where the clause before was meant."""
    theirs: bool = False
    """Whether the clause before named a place."""


def key_changes(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    now = reading.theme.key
    match = _KEY.search(place.rest)
    if match:
        try:
            key = Key.parse(f"{match[1]} {match[2]}" if match[1] else match[3])
        except NotationError as error:
            yield str(error)
            return
        if match[3] and not match[3].endswith("m"):
            key = Key.from_pc(key.tonic_pc, now.mode)
        semitones = (key.tonic_pc - now.tonic_pc + 5) % 12 - 5
        if key.is_minor == now.is_minor and match[2] in (None, "major", "minor", "m", "maj", "min"):
            key = Key(key.tonic, now.mode) if now.mode not in ("major", "minor") else key
        if semitones == 0 and key.mode == now.mode:
            yield f"It is in {now} already."
            return
        for bars in one_range(spans):
            if semitones:
                yield Transpose(semitones, Key.from_pc(key.tonic_pc, now.mode).abc(), bars)
            if key.mode != now.mode:
                yield SetMode(key.mode, bars)
        return
    yield from interval_changes(place, spans, now)
    mode = re.search(r"\b(major|minor|dorian|phrygian|lydian|mixolydian)\b", place.rest)
    if mode and not re.search(r"\b(?:a|an|the|of|\w+) (?:major|minor) (?:second|third|sixth|seventh)\b", place.rest):
        if now.mode == mode[1] and not spans:
            yield f"It is in {now} already."
            return
        for bars in one_range(spans):
            if now.mode == mode[1]:
                yield f"It is in {now} there already."
            else:
                yield SetMode(mode[1], bars)


def interval_changes(place: Place, spans: Sequence[tuple[int, int]], now: Key) -> Found:
    """Up a tone, down two semitones, an octave higher, transpose by 3."""
    names = "|".join(sorted(_INTERVALS, key=len, reverse=True))
    counts = "|".join(sorted(_COUNTS, key=len, reverse=True))
    text = place.rest
    match = re.search(rf"\b(?:({counts}|\d{{1,2}}) )?({names})s?\b", text)
    way = re.search(r"\b(up|higher|raise|down|lower|below|above)\b", text) or re.search(r"(?<![\w.])([-+])(?=\d)", text)
    by = re.search(r"\btranspose\w*\b.*?([-+]?\d{1,2})\b", text)
    if match and way:
        count = float(match[1]) if (match[1] or "").isdigit() else float(_COUNTS.get(match[1] or "a", 1))
        semitones = round(count * _INTERVALS[match[2]])
    elif by:
        semitones = abs(int(by[1]))
    elif (
        re.search(r"\b(?:higher|transpose up|key up|pitch up)\b", text) and not re.search(r"\b(?:hat|energy|volume)\b", text)
    ) or (re.search(r"\b(?:lower|transpose down|key down|pitch down)\b", text) and not re.search(r"\b(?:energy|volume)\b", text)):
        semitones = 2
    else:
        return
    if re.search(r"\b(?:down|lower|below)\b", text) or re.search(r"(?<![\w.])-\d", text):
        semitones = -semitones
    if not -12 <= semitones <= 12 or semitones == 0:
        yield "Songs can be moved by up to an octave: say how many semitones, up or down."
        return
    key = Key.from_pc(now.tonic_pc + semitones, now.mode).abc()
    for bars in one_range(spans):
        yield Transpose(semitones, key, bars)


def meter_changes(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    match = re.search(r"\b(\d{1,2}) ?/ ?(\d{1,2})\b", place.rest)
    word = next((meter for name, meter in _METERS.items() if re.search(rf"\b{name}\b", place.rest)), "")
    if match is None and not word:
        return
    now = reading.theme.meter
    try:
        meter = Meter.parse(f"{match[1]}/{match[2]}" if match else word)
    except NotationError as error:
        yield str(error)
        return
    if meter == now:
        yield f"It is in {now} already."
    elif {str(meter), str(now)} != {"3/4", "4/4"}:
        yield f'{now} cannot become {meter} bar by bar, only 3/4 and 4/4 can be exchanged: make another with "like SONG --meter {meter}".'
    elif spans:
        yield "A song keeps one metre from beginning to end; the whole song can change it."
    else:
        yield SetMeter(str(meter))


def tempo_changes(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    text, now = place.rest, reading.theme.tempo_bpm
    bpm = _asked_tempo(text, now)
    if bpm is None:
        return
    if place.named and spans:
        yield "Songs keep one tempo from beginning to end; the whole song can be faster or slower, or that part bigger or calmer."
    elif not MIN_BPM <= bpm <= MAX_BPM:
        yield f"{bpm:g} BPM is no tempo; it goes from {MIN_BPM:g} to {MAX_BPM:g}."
    elif bpm == now:
        yield f"It is at {now:g} BPM already."
    else:
        yield SetTempo(bpm)


def _asked_tempo(text: str, now: float) -> float | None:
    """Beats a minute, or None where a text does not ask for a tempo."""
    exact = re.search(r"\b(\d{1,4}(?:\.\d{1,2})?) ?(?:bpm|beats (?:per|a) minute)\b", text) or re.search(
        r"\b(?:tempo|speed)\b\D{0,12}?(\d{2,4}(?:\.\d{1,2})?)(?! ?(?:%|percent))\b", text
    )
    if exact:
        value = float(exact[1])
        by = re.search(r"\b(faster|quicker|slower)\b", text)
        return now + value * (-1 if by[1] == "slower" else 1) if by else value
    slower = re.search(
        r"\b(?:slower|slow(?:s|ing)? (?:it )?down|slow|reduce the tempo|decrease the tempo|lower the tempo)\b", text
    )
    faster = re.search(r"\b(?:faster|quicker|speed(?:ier)?(?: it)? up|increase the tempo|raise the tempo|speedier|fast)\b", text)
    if re.search(r"\bdouble (?:the )?(?:tempo|speed|time)\b|\btwice as (?:fast|quick)\b", text):
        return 2 * now
    if re.search(r"\b(?:half (?:the )?(?:tempo|speed|time)|half as fast|halve the (?:tempo|speed)|twice as slow)\b", text):
        return now / 2
    if not slower and not faster:
        return None
    percent = re.search(r"(\d{1,3}(?:\.\d)?) ?(?:%|percent)", text)
    words = vocabulary("editing_words")
    step = abs(words["tempo"]["faster"] - 1)
    for name, factor in (("little", 0.5), ("much", 2.0)):
        if any(re.search(rf"\b{re.escape(word)}\b", text) for word in words["amounts"][name]):
            step *= factor
            break
    share = float(percent[1]) / 100 if percent else step
    return float(max(1.0, round(now * (1 - share if slower else 1 + share))))


def swing_changes(place: Place, spans: Sequence[tuple[int, int]], reading: Reading) -> Found:
    text = place.rest
    straight = re.search(r"\b(?:straight(?:en)?|no swing|without swing|unswung|less swing)\b", text)
    swung = re.search(r"\b(?:swing|swung|shuffle|swinging|groovier)\b", text)
    if not straight and not swung:
        return
    percent = re.search(r"(\d{2}(?:\.\d)?) ?(?:%|percent)", text)
    if spans:
        yield "Swing is the same in the whole song; the whole song can have more or less of it."
        return
    if percent:
        wanted = float(percent[1])
    elif re.search(r"\bless swing\b", text):
        wanted = max(STRAIGHT_PERCENT, reading.swing - 6)
    elif straight:
        wanted = STRAIGHT_PERCENT
    else:
        wanted = min(72.0, reading.swing + 6) if reading.swing >= _SWUNG - 6 else _SWUNG
    if not 50 <= wanted <= 75:
        yield "Swing goes from 50 % (straight) to 75 %."
    elif wanted == reading.swing:
        yield "It is straight already." if wanted == STRAIGHT_PERCENT else f"Its swing is {wanted:g} % already."
    else:
        yield SetSwing(wanted)

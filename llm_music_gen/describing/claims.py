"""What a caption claims, held against the facts: numbers, kinds of sound, places, moods. Reads the text alone.

It shares nothing with whoever wrote the caption, so that the studio's own words and a model's are judged alike.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from llm_music_gen.describing.facts import Facts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Unit as written -> the kind of number.
_UNITS = (
    ("LUFS", "lufs"), ("dBTP", "dbtp"), ("dB(A)", "db"), ("dBA", "db"), ("dBFS", "db"), ("dB", "db"), ("LU", "lu"),
    ("sones", "sone"), ("sone", "sone"), ("acum", "acum"), ("asper", "asper"), ("kHz", "khz"), ("Hz", "hz"), ("bpm", "bpm"),
    ("BPM", "bpm"), ("beats per minute", "bpm"), ("beats a minute", "bpm"), ("%", "percent"), ("percent", "percent"),
    ("minutes", "minutes"), ("minute", "minutes"), ("seconds", "seconds"), ("second", "seconds"), ("s", "seconds"),
    ("hours", "hours"), ("hour", "hours"), ("bars", "bars"), ("chapters", "chapters"), ("samples", "samples"),
    ("sections", "sections"), ("channels", "channels"),
)  # fmt: skip
_NUMBER = re.compile(
    r"(?<![\w.])(?P<clock>\d+(?::\d\d){1,2})(?![\w:])"
    r"|(?<![\w.])(?P<meter>\d+/\d+)(?!\w)"
    r"|(?<![\w.,])(?P<sign>[-+−–])?(?P<number>\d+(?:[.,]\d+)?)(?P<range>\s*(?:to|-|–)\s*(?P<end>\d+(?:[.,]\d+)?))?"
)
_SPELLED = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100, "thousand": 1000,
}  # fmt: skip
_KEY = re.compile(r"(?<![\w'])([A-G](?:[#b♯♭]|[- ]sharp|[- ]flat)?)[ -](major|minor|dorian|phrygian|lydian|mixolydian|locrian)\b")
_SILENCE = re.compile(r"\bsilence of [\d.,]+ s\b")
#: Loudness that is exceeded for a part of the time.
_EXCEEDED = re.compile(r"(?P<sone>\d+(?:\.\d+)?) sones?\b[^.%]*?(?P<percent>\d+) ?(?:%|percent)")
_NEGATED = re.compile(r"\b(?:neither|nor|not|no|never|without|isn't|hardly)\s+(?:\w+\s+){0,2}$")
#: Near the middle of an axis no word is wrong by its sign.
_MIDDLE = 0.1
_LEAST_MEASURED = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """A claim that the facts do not hold, or a fact that is missing."""

    text: str
    """The words concerned."""
    reason: str

    def __str__(self) -> str:
        return f"{self.text!r}: {self.reason}"


def faults(caption: str, facts: Facts) -> list[Fault]:
    """Everything wrong with a caption: what the facts do not hold, and what it had to name and does not."""
    quoted = _without_titles(caption, facts)
    out = [*_numbers(quoted, facts), *_keys(quoted, facts), *_sounds(quoted, facts), *_places(quoted, facts)]
    return [*out, *_moods(quoted, facts), *_qualities(quoted, facts), *_missing(quoted, facts)]


def _without_titles(caption: str, facts: Facts) -> str:
    """Own titles, styles and names of instruments and sections are facts, whatever words they hold."""
    own = facts.own
    known = [] if own is None else [own.title, *own.styles, *own.instruments, *own.layers, *own.form, *own.mood]
    for text in sorted(filter(None, known), key=len, reverse=True):
        caption = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "“”", caption, flags=re.IGNORECASE)
    return caption


def _numbers(caption: str, facts: Facts) -> Iterator[Fault]:
    allowed = _allowed(facts)
    for match in _NUMBER.finditer(caption):
        if match["clock"]:
            parts = [int(part) for part in match["clock"].split(":")]
            seconds = sum(part * 60**place for place, part in enumerate(reversed(parts)))
            if abs(seconds - facts.length_s) > 1.0:
                yield Fault(match[0], "no such length")
            continue
        if match["meter"]:
            if facts.own is None or match["meter"] != facts.own.meter:
                yield Fault(match[0], "no such metre")
            continue
        kind = _unit(caption[match.end() :])
        sign = -1 if match["sign"] in ("-", "−", "–") else 1
        for text, signed in ((match["number"], sign), (match["end"], 1)):
            if text and not _is_known(text, signed, kind, allowed):
                yield Fault(match[0].strip(), f"no such number of {kind}" if kind else "a number that is no fact")
    for match in _EXCEEDED.finditer(caption):
        sones = {5: facts.n5_sone, 50: facts.n50_sone}
        sone = sones.get(int(match["percent"]), facts.loudness.get(f"n{match['percent']}_sone"))
        if sone is None or not _is_known(match["sone"], 1, "sone", {"sone": (float(sone),)}):
            yield Fault(match[0], "another share of the time")
    for word, number in _SPELLED.items():
        for match in re.finditer(rf"\b{word}\b", caption, flags=re.IGNORECASE):
            kind = _unit(caption[match.end() :])
            if not _is_known(str(number), 1, kind or "count", allowed):
                yield Fault(match[0], "a number that is no fact")


def _unit(rest: str) -> str:
    rest = rest.lstrip()
    for unit, kind in _UNITS:
        if rest.startswith(unit) and not re.match(r"\w", rest[len(unit) :]):
            return kind
    return ""


def _is_known(text: str, sign: int, kind: str, allowed: Mapping[str, tuple[float, ...]]) -> bool:
    """Whether a number, as exactly as it is written, is a fact of its kind."""
    plain = text.replace(",", ".")
    digits = len(plain.partition(".")[2])
    value = sign * float(plain)
    tolerance = 0.5001 * 10.0**-digits
    candidates = allowed.get(kind or "plain", ())
    if kind in ("lufs", "dbtp"):  # levels under full scale are often said without their sign
        candidates = (*candidates, *(-one for one in candidates))
    return any(abs(one - value) <= tolerance for one in candidates)


def _allowed(facts: Facts) -> dict[str, tuple[float, ...]]:
    """Kind -> the numbers of this kind that are facts."""
    own, beat, affect, loudness = facts.own, facts.beat, facts.affect, facts.loudness

    def some(*values: float | None) -> tuple[float, ...]:
        return tuple(float(value) for value in values if value is not None)

    hertz = [hz for tone in facts.tones for hz in (tone.frequency_hz, tone.lowest_hz, tone.highest_hz)]
    if beat is not None:
        hertz += [beat.beat_hz, beat.lowest_hz, beat.highest_hz, beat.carrier_hz]
    hertz += some(facts.centroid_hz, facts.sample_rate_hz)
    if own is not None:
        hertz += some(own.a4_hz, own.tonic_hz)
    sones = [value for name, value in loudness.items() if name.endswith("_sone")]
    levels = [value for name, value in loudness.items() if name.endswith("_db")]
    percents = [5.0, 10.0, 50.0, 90.0, 95.0] + [round(100 * event.share) for event in facts.events]
    out = {
        "lufs": some(facts.lufs),
        "dbtp": some(facts.true_peak_dbtp),
        "lu": some(facts.lra_lu),
        "db": some(facts.calibration_db, facts.laeq_db, facts.level_range_db, facts.true_peak_dbtp, *levels)
        + tuple(tone.level_dbfs for tone in facts.tones),
        "sone": some(facts.n5_sone, facts.n50_sone, *sones),
        "acum": some(facts.sharpness_acum),
        "asper": some(facts.roughness_asper),
        "hz": tuple(hertz),
        "khz": tuple(hz / 1000 for hz in hertz),
        "bpm": some(facts.tempo_bpm, own.tempo_bpm if own else None),
        "percent": some(*percents, facts.low_percent),
        "seconds": some(facts.length_s, facts.longest_silence_s),
        "minutes": some(facts.length_s / 60),
        "hours": some(facts.length_s / 3600),
        "samples": some(facts.clipping),
        "channels": some(facts.channels),
        "bars": some(own.bars if own else None),
        "chapters": some(own.chapters if own else None),
        "sections": some(len(own.form) if own else None),
        "count": (),
        "plain": some(facts.correlation),
    }
    if affect is not None:
        out["plain"] += some(affect.pleasantness, affect.eventfulness, 0.4, *affect.ratings.values())
    return out


def _keys(caption: str, facts: Facts) -> Iterator[Fault]:
    known = {key for key in (facts.key, facts.own.key if facts.own else None) if key}
    for match in _KEY.finditer(caption):
        tonic = re.sub(r"[- ]sharp|♯", "#", re.sub(r"[- ]flat|♭", "b", match[1]))
        if f"{tonic} {match[2]}" not in known:
            yield Fault(match[0], "no such key")


def _sounds(caption: str, facts: Facts) -> Iterator[Fault]:
    present = {event.label for event in facts.events}
    if facts.own is not None and facts.own.music:
        present.add("Music")
    if facts.lufs is None:
        present.add("Silence")
    caption = _SILENCE.sub("", caption)  # its length is checked as a number
    for word, labels in _words().sounds.items():
        for match in re.finditer(rf"\b{word}\b", caption, flags=re.IGNORECASE):
            if not present.intersection(labels) and not _denied(caption, match.start()):
                yield Fault(match[0], "not among the events")
    for match in re.finditer(r"\b[a-z]+\b", caption, flags=re.IGNORECASE):
        if match[0].lower() in _words().instruments:
            yield Fault(match[0], "an instrument that is no fact")


def _places(caption: str, facts: Facts) -> Iterator[Fault]:
    scene = facts.soundscape.scene if facts.soundscape is not None else None
    for word, needed in _words().places.items():
        for match in re.finditer(rf"\b{word}\b", caption, flags=re.IGNORECASE):
            if needed == "" or needed != scene:
                yield Fault(match[0], "not the scene")


def _moods(caption: str, facts: Facts) -> Iterator[Fault]:
    affect = facts.affect
    for word, (pleasant, eventful) in _words().moods.items():
        for match in re.finditer(rf"\b{word}\b", caption, flags=re.IGNORECASE):
            if _denied(caption, match.start()):
                continue
            if affect is None:
                yield Fault(match[0], "the mood is not known")
            elif affect.pleasantness * pleasant < -_MIDDLE or affect.eventfulness * eventful < -_MIDDLE:
                yield Fault(match[0], "the estimate says otherwise")


def _qualities(caption: str, facts: Facts) -> Iterator[Fault]:
    """Loud, bright, steady and the like."""
    # Both words at once say that it changes.
    caption = re.sub(r"\bloud and soft\b|\bloud and quiet\b", "", caption, flags=re.IGNORECASE)
    for word, (name, least, most) in _words().qualities.items():
        for match in re.finditer(rf"\b{word}\b", caption, flags=re.IGNORECASE):
            value = float(getattr(facts, name))
            # A beat or tone may change while the level does not.
            about_level = name != "level_range_db" or not (facts.beat is not None and facts.beat.glides)
            if about_level and not least <= value <= most and not _denied(caption, match.start()):
                yield Fault(match[0], f"the {name.split('_')[0]} says otherwise")


def _missing(caption: str, facts: Facts) -> Iterator[Fault]:
    for event in facts.events:
        words = [word for word, labels in _words().sounds.items() if labels[:1] == (event.label,)]
        if not any(re.search(rf"\b{word}\b", caption, flags=re.IGNORECASE) for word in words):
            yield Fault(event.label, "an event that is not named")
    measured = sum(1 for match in _NUMBER.finditer(caption) if match["clock"] or _unit(caption[match.end() :]))
    if measured < _LEAST_MEASURED:
        yield Fault("", "fewer than two measured facts")


def _denied(caption: str, at: int) -> bool:
    """Whether what stands right before says that it is not so."""
    return bool(_NEGATED.search(caption[max(0, at - 40) : at].lower()))


@dataclass(frozen=True, slots=True)
class _Words:
    """The tables of claims.toml, word by word."""

    sounds: Mapping[str, tuple[str, ...]]
    places: Mapping[str, str]
    moods: Mapping[str, tuple[int, int]]
    qualities: Mapping[str, tuple[str, float, float]]
    instruments: frozenset[str]


@lru_cache(maxsize=1)
def _words() -> _Words:
    tables = tomllib.loads(resources.files(__package__).joinpath("claims.toml").read_text(encoding="utf-8"))
    return _Words(
        {word.replace("_", " "): tuple(row["labels"]) for row in tables["sounds"] for word in row["words"].split()},
        {word: row["scene"] for row in tables["places"] for word in row["words"].split()},
        {word: tuple(row["signs"]) for row in tables["moods"] for word in row["words"].split()},
        {
            word: (row["fact"], row.get("least", -math.inf), row.get("most", math.inf))
            for row in tables["qualities"]
            for word in row["words"].split()
        },
        frozenset(tables["instruments"]["words"].split()),
    )

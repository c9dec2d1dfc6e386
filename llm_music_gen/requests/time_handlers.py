"""How the tools of pitch, time, cutting and files read their numbers from a clause."""

# ruff: noqa: E501 - tables of numbers are easier to read whole

from __future__ import annotations

import re
from typing import Any

from llm_music_gen.requests.clauses import Clause, Meaning
from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.text import Token, clock_as_minutes

Args = dict[str, Any]

_UP = frozenset(("up", "higher", "raise", "increase", "boost", "chipmunk", "chipmunks", "sharper", "lift", "louder"))
_DOWN = frozenset(
    ("down", "off", "knock", "flat", "lower", "deeper", "reduce", "decrease", "drop", "flatter", "quieter", "darth", "less")
)


#: Intervals of two words, in semitones; they are looked for before the single words.
_INTERVALS = {
    "minor second": 1, "major second": 2, "minor third": 3, "major third": 4, "perfect fourth": 5, "perfect fifth": 7, "minor sixth": 8,
    "major sixth": 9, "minor seventh": 10, "major seventh": 11, "half tone": 1, "half step": 1, "whole tone": 2, "whole step": 2,
}  # fmt: skip
_STEPS = {
    "tritone": 6,
    "sixth": 9,
    "seventh": 10,
    "tone": 2,
    "whole": 2,
    "third": 4,
    "fourth": 5,
    "fifth": 7,
    "octave": 12,
    "half": 1,
    "semitone": 1,
}


def pitch(clause: Clause, meant: Meaning, _args: Args, text: str, _at: Situation) -> Args | None:
    """Semitones or cents, up or down."""
    down = any(token.text in _DOWN for token in clause.tokens)
    sign = -1 if down and not (text == "higher" or clause.has("up", "higher")) else 1
    semitones, cents = clause.number("semitones"), clause.number("cents")
    if semitones is not None:
        return {"semitones": semitones if semitones < 0 else sign * semitones}
    if cents is not None:
        return {"cents": cents if cents < 0 else sign * cents}
    if text.startswith("chipmunk"):
        return {"semitones": 7.0}
    if text == "darth vader":
        return {"semitones": -6.0}
    keys = re.search(r"\bfrom ([a-g](?:#|b)?) (?:\w+ )?to ([a-g](?:#|b)?)\b", " ".join(token.text for token in clause.tokens))
    if keys:
        steps = _pitch_class(keys[2]) - _pitch_class(keys[1])
        return {"semitones": float((steps + 6) % 12 - 6)}
    wide = next((steps for words, steps in _INTERVALS.items() if clause.says(words)), None)
    named = wide if wide is not None else next((_STEPS[token.text] for token in clause.tokens if token.text in _STEPS), None)
    bare = clause.number("")
    moved = (
        down
        or (sign > 0 and any(token.text in _UP for token in clause.tokens))
        or text not in ("pitch", "transpose", "transposed")
    )
    if named is None and bare is None and not moved:
        return None
    steps_up = named if named is not None else abs(bare) if bare is not None and abs(bare) <= 24 else max(1.0, 2.0 * meant.degree)
    return {"semitones": float(sign * steps_up * (-1 if bare is not None and bare < 0 else 1))}


def _pitch_class(name: str) -> int:
    return {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}[name[0]] + name.count("#") - name[1:].count("b")


def retune(clause: Clause, _meant: Meaning, _args: Args, _text: str, _at: Situation) -> Args | None:
    """From one reference pitch to another; one number alone is where it shall go."""
    places = [value for value in clause.numbers("hz", "") if 380 <= value <= 560]
    if len(places) >= 2:
        backwards = re.search(r"\bto \d\S* (?:\w+ )?from \d", " ".join(token.text for token in clause.tokens))
        return {"from_hz": places[1 if backwards else 0], "to_hz": places[0 if backwards else 1]}
    if places:
        # 528 Hz as a tone of a scale in equal temperament puts A on 444 Hz.
        goal = 444.0 if places[0] == 528 else places[0]
        return {"from_hz": 432.0 if goal == 440 else 440.0, "to_hz": goal}
    if clause.says("concert pitch"):
        return {"from_hz": 432.0, "to_hz": 440.0}
    return {"from_hz": 440.0, "to_hz": 432.0} if clause.says("verdi tuning") else None


def tempo(clause: Clause, meant: Meaning, _args: Args, text: str, at: Situation) -> Args | None:
    """A ratio of speed; above 1 is faster. A tempo or length to reach is left to the Auto tool by `bpm` or `length_s`."""
    slower = text.startswith(("slow", "half")) or clause.has(
        "slower", "slow", "down", "half", "reduce", "decrease", "lower", "slowed"
    )
    slower = slower and not clause.has("faster", "speed up", "quicker", "double")
    slower = slower != (meant.sign < 0 and text in ("slow", "fast") and not clause.has("down"))
    bpms = clause.numbers("bpm") or [value for value in clause.numbers("") if clause.has("bpm") and 30 <= value <= 300]
    if len(bpms) == 2 and bpms[0] > 0:
        return {"ratio": round(bpms[1] / bpms[0], 5)}
    if bpms and clause.has("by") and at.tempo_bpm:
        return {"ratio": round((at.tempo_bpm + (-bpms[0] if slower else bpms[0])) / at.tempo_bpm, 5)}
    if bpms:
        return {"ratio": round(bpms[0] / at.tempo_bpm, 5)} if at.tempo_bpm else {"bpm": bpms[0]}
    seconds = clause.number("s")
    if seconds is not None and clause.has("to", "into", "last", "lasts", "fit"):
        return {"length_s": seconds}
    percent, times = clause.number("percent"), clause.number("times")
    if percent is not None:
        if clause.says("to") or clause.says("at") or percent > 100:
            return {"ratio": round(percent / 100, 4)}
        return {"ratio": round(1 + (-percent if slower else percent) / 100, 4)}
    if times:
        return {"ratio": round(1 / times if slower and times > 1 else times, 4)}
    if (clause.has("half") and not clause.has("time")) or text in ("half speed", "half time"):
        return {"ratio": 0.5}
    if clause.has("double", "twice"):
        return {"ratio": 0.5 if clause.has("slow", "slower") else 2.0}
    if text in ("stretch", "stretched", "time stretch", "tempo", "speed", "bpm", "pace") and not slower and meant.sign == 0:
        return None
    if text == "nightcore":
        return {"ratio": 1.25}
    return {"ratio": round(1 + (-0.1 if slower else 0.1) * meant.degree, 3)}


def fade(clause: Clause, meant: Meaning, _args: Args, text: str, _at: Situation) -> Args:
    """Seconds at the start and at the end: each number belongs to the "in" or "out" nearest before it."""
    starts, ends = (
        ("in", "start", "beginning", "intro", "starts", "opening", "front", "first", "gradually"),
        ("out", "end", "ending", "ends", "outro", "away", "off", "last"),
    )
    out: Args = {}
    side = ""
    waiting: float | None = None
    for token in clause.tokens:
        if token.text in starts and token.kind == "word":
            side = "in_s"
        elif token.text in ends and token.kind == "word":
            side = "out_s"
        length = token.value if token.unit == "s" else 0.0
        if token.kind == "number" and not token.unit:
            length = token.value
        if length > 0 and side and side not in out:
            out[side] = length
        elif length > 0:
            waiting = length
        if waiting is not None and side and side not in out:
            out[side], waiting = waiting, None
    usual = (
        15.0
        if clause.has("slow", "slowly", "long", "gradually", "scare", "gentle", "gently")
        else 10.0
        if "fade" not in text
        else 5.0
    )
    usual = round(usual * meant.degree, 1)
    for name, words in (("in_s", starts[:6]), ("out_s", ends[:6])):
        if name not in out and clause.has(*words):
            out[name] = usual if not out or len(clause.numbers("s", "")) > 1 else max(out.values())
    return out or {"in_s": waiting or usual, "out_s": waiting or usual}


def _moment(token: Token) -> float | None:
    if token.kind == "clock":
        return clock_as_minutes(token)
    return token.value if token.kind == "number" and token.unit in ("s", "") else None


def trim(clause: Clause, meant: Meaning, _args: Args, text: str, at: Situation) -> Args | None:
    """What stays: between two moments, or what is left when a length is taken from one end."""
    moments = [moment for token in clause.tokens if (moment := _moment(token)) is not None]
    keeps = clause.has("keep", "only", "just", "extract", "take", "excerpt", "use", "leave") and not clause.has(
        "remove", "cut", "off", "out"
    )
    duration = at.measurements.get("duration")
    if not moments:
        if clause.has("half") and duration:
            first = clause.has("first") == keeps or text == "cut it"
            return {"start_s": 0.0, "end_s": round(duration / 2, 3)} if first else {"start_s": round(duration / 2, 3)}
        return None
    if clause.has("last", "end", "final", "ending") and (len(moments) == 1):
        if clause.has("from") and clause.has("to", "till", "until"):
            return {"start_s": moments[0]}
        return {"start_s": -moments[0]} if keeps else {"end_s": -moments[0]}
    if clause.has("first", "start", "beginning", "opening", "intro") and len(moments) == 1:
        if clause.has("to") and text in ("trim", "cut to", "shorten", "crop", "cropped", "shorter", "cut it", "trimmed"):
            keeps = True
        return {"start_s": 0.0, "end_s": moments[0]} if keeps else {"start_s": moments[0]}
    if clause.has("first") and clause.has("last") and len(moments) >= 2:
        return {"start_s": moments[0], "end_s": -moments[1]}
    if len(moments) >= 2:
        low, high = sorted(moments[:2])
        return {"start_s": low, "end_s": high}
    if clause.has("from", "after", "at") and clause.has("start", "from") and not clause.has("to"):
        return {"start_s": moments[0]}
    if text in ("first", "last", "from", "keep the"):
        return None
    return {"start_s": 0.0, "end_s": moments[0]}


def loop(clause: Clause, _meant: Meaning, _args: Args, text: str, at: Situation) -> Args | None:
    """The length to reach, or how often a file of known length is repeated."""
    crossfade = clause.beside("s", "crossfade", "fade", "overlap")
    lengths = [v for v in clause.numbers("s") if v != crossfade] + [t.value for t in clause.tokens if t.kind == "clock"]
    times = clause.number("times")
    out: Args = {}
    if lengths:
        out["to_s"] = lengths[0]
    elif times and at.measurements.get("duration"):
        out["to_s"] = round(times * at.measurements["duration"], 3)
    elif text in ("long", "longer", "extend", "extended", "repeat", "repeated") and not times:
        return None
    else:
        out["to_s"] = 0.0
    return out | ({"crossfade_s": crossfade} if crossfade is not None else {})


def concat(clause: Clause, _meant: Meaning, _args: Args, text: str, _at: Situation) -> Args | None:
    """The files in the order they are named, and the seconds they overlap."""
    files = clause.files()
    crossfade = clause.number("s")
    if not files and text in ("follow", "combine", "merge") and not clause.has("files", "tracks", "them", "songs", "these"):
        return None
    return ({"files": files} if files else {}) | ({"crossfade_s": crossfade} if crossfade is not None else {})


def mix(clause: Clause, _meant: Meaning, _args: Args, _text: str, _at: Situation) -> Args | None:
    """The other files, and how much softer they lie under the first."""
    files = clause.files()
    if not files:
        return None
    db = clause.number("db")
    if db is not None and db > 0 and clause.has("under", "below", "quieter", "softer", "down", "underneath"):
        db = -db
    return {"files": files} | ({"gain_db": db} if db is not None else {})


def silence(clause: Clause, _meant: Meaning, _args: Args, text: str, _at: Situation) -> Args | None:
    """At the ends or everywhere; or seconds of it put in."""
    seconds = clause.number("s")
    if clause.has("add", "insert", "put", "append", "prepend"):
        return {"insert_s": seconds if seconds is not None else 2.0}
    ends = clause.has("start", "end", "ends", "beginning", "leading", "trailing", "front", "ending", "before", "after")
    everywhere = clause.has("all", "every", "between", "long", "middle", "everywhere", "any") or text in (
        "pauses",
        "pause",
        "gaps",
        "gap",
        "silences",
        "dead air",
    )
    return {"remove": "ends" if ends or not everywhere else "all"}


_FORMATS = {
    "wave": "wav",
    **{f"{name}s": name for name in ("wav", "mp3", "flac", "ogg")},
    "vorbis": "ogg",
    "lossless": "flac",
    **{name: name for name in ("wav", "mp3", "flac", "ogg", "opus", "m4a", "aac", "aiff")},
}


_LOSSY = frozenset(("mp3", "aac", "m4a", "ogg", "opus"))
_RATES_OF_LOSSY = frozenset((64, 80, 96, 112, 128, 160, 192, 224, 256, 320))


def convert(clause: Clause, _meant: Meaning, _args: Args, text: str, _at: Situation) -> Args | None:
    """Format, bits a second, sample rate and bits a sample."""
    out: Args = {}
    named = next((_FORMATS[token.text] for token in clause.tokens if token.kind == "word" and token.text in _FORMATS), None)
    if named:
        out["fmt"] = named
    if clause.has("cd") and named in (None, "wav"):
        out |= {"fmt": "wav", "rate": 44_100, "bits": 16}
    kbps, bits = clause.number("kbps"), clause.number("bits")
    if kbps is None and named in _LOSSY:  # "256k m4a"
        kbps = next(
            (token.value / 1000 for token in clause.tokens if token.unit == "hz" and token.value / 1000 in _RATES_OF_LOSSY), None
        )
    rate = next((value for value in clause.numbers("hz", "") if value >= 8000 and value != 1000 * (kbps or 0)), None)
    if rate is None:
        rate = next(
            (
                value * 1000
                for value in clause.numbers("")
                if value in (44.1, 22.05, 11.025) or (clause.has("sample") and 8 <= value <= 384)
            ),
            None,
        )
    if kbps is None and named in _LOSSY:
        kbps = next((value for value in clause.numbers("") if value in _RATES_OF_LOSSY), None)
    for name, value in (("kbps", kbps), ("rate", rate), ("bits", bits)):
        if value is not None:
            out[name] = round(value)
    if not out and (clause.says("smaller file") or clause.says("file size") or "email" in text):
        out = {"fmt": "mp3", "kbps": 128}
    return out or None

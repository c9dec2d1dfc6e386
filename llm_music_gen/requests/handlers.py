"""How each audio tool reads its own numbers from a clause. Each returns its arguments, or None where it was not meant."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from llm_music_gen.requests.clauses import Clause, Meaning
from llm_music_gen.requests.keys import key_named
from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.time_handlers import (
    concat,
    convert,
    fade,
    loop,
    mix,
    pitch,
    retune,
    silence,
    tempo,
    trim,
)
from llm_music_gen.requests.words import table, vocabulary

Args = dict[str, Any]
Handler = Callable[[Clause, Meaning, Args, str, Situation], "Args | None"]


def place(clause: Clause) -> dict[str, float] | None:
    """The loudness target of where it will be heard."""
    hits = table("sound_words", "places").find(clause.tokens)
    if not hits:
        return None
    target = dict(max(hits, key=lambda hit: hit.end - hit.start).value)
    if hits[0].text == "podcast" and clause.has("mono"):
        target = dict(vocabulary("sound_words")["places"]["mono podcast"])
    return target


def gain(clause: Clause, meant: Meaning, _args: Args, text: str, _at: Situation) -> Args | None:
    """Louder or softer, by dB, by percent or by feel."""
    quiet = (text.split() or [""])[0] in (
        "quiet", "quieter", "quieten", "quietened", "quietly", "soft", "softer", "soften", "softly", "gentler", "attenuate", "attenuated", "attenuation", "hush", "hushed",
        "decrease", "reduce", "lower", "drop", "less", "deafening", "blaring", "blasting",
    )  # fmt: skip
    sign = -1 if quiet or "down" in text else 1
    if "hear" in text or text in (
        "inaudible",
        "faint",
        "too faint",
        "too weak",
        "audible",
        "barely audible",
        "hardly audible",
        "strong enough",
    ):
        sign = 1
    elif (quiet or text in ("loud", "louder")) and (meant.sign == -1 or (meant.enough and quiet)):
        sign = -sign
    elif not quiet and meant.sign:
        sign = meant.sign
    number = clause.number("db")
    if number is not None:
        return {"db": number if number < 0 else sign * number}
    percent = clause.number("percent")
    if percent:
        return {"db": round(20 * math.log10(max(0.05, 1 + sign * percent / 100)), 1)}
    if clause.has("twice", "double") or clause.has("half") or clause.numbers("times"):
        return {"db": -10.0 if clause.has("half") or sign < 0 else 10.0}
    return {"db": round(sign * 4.0 * meant.degree, 1)}


def normalize(clause: Clause, _meant: Meaning, _args: Args, _text: str, _at: Situation) -> Args:
    """An integrated loudness with a ceiling; a number in dB alone is the ceiling."""
    target = place(clause) or {"lufs": -14.0, "tp": -1.0}
    lufs = clause.number("lufs")
    bare = next((value for value in clause.numbers("", "db") if -50 <= value <= -5), None)
    if lufs is None and bare is not None and (clause.has("loudness", "lufs") or bare <= -9):
        lufs = bare
    if lufs is not None:
        target["lufs"] = -abs(lufs)
    peak = next((value for value in clause.numbers("dbtp", "db", "") if -9 < value <= 0), None)
    if peak is not None:
        target["tp"] = peak
    return dict(target)


def limit(clause: Clause, _meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
    """The ceiling, always below full scale."""
    number = next((value for value in clause.numbers("dbtp", "db", "") if -40 <= value <= 0), None)
    return {"ceiling_db": number} if number is not None else dict(args)


def eq(clause: Clause, meant: Meaning, _args: Args, _text: str, _at: Situation) -> Args | None:
    """One bell for each frequency that is named."""
    places = [hz for hz in clause.numbers("hz") if hz >= 16]
    if not places:
        return None
    less = {
        "cut",
        "reduce",
        "lower",
        "remove",
        "dip",
        "notch",
        "scoop",
        "less",
        "attenuate",
        "tame",
        "take",
        "down",
        "drop",
        "decrease",
    }
    down = any(token.text in less for token in clause.tokens) or meant.sign < 0
    db = clause.number("db")
    amount = abs(db) if db is not None else 4.0 * meant.degree
    sign = -1 if down or (db is not None and db < 0) else 1
    notch = clause.has("notch", "narrow", "ringing", "resonance", "whistle")
    q = clause.beside("", "q") or (6.0 if notch else 1.0)
    return {"bands": [{"type": "bell", "hz": hz, "db": round(sign * min(amount, 20.0), 2), "q": q} for hz in places[:8]]}


def edge(clause: Clause, _meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
    """The corner frequency of a high-pass or low-pass."""
    hz = clause.number("hz")
    if hz is None:
        hz = next((value for value in clause.numbers("") if value >= 20), None)
    return {"hz": hz} if hz is not None else dict(args)


def dehum(clause: Clause, _meant: Meaning, _args: Args, _text: str, _at: Situation) -> Args:
    """50 or 60 Hz where said; otherwise the tool finds it."""
    hz = next((value for value in clause.numbers("hz", "") if 40 <= value <= 70), None)
    if hz is None and any(value in (100.0, 120.0) for value in clause.numbers("hz")):
        hz = next(value for value in clause.numbers("hz") if value in (100.0, 120.0)) / 2
    return {"hz": hz} if hz is not None else {}


def deess(clause: Clause, meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
    """Where the esses lie and how much they are taken down."""
    hz, db = clause.number("hz"), clause.number("db")
    return {"hz": hz or args["hz"], "db": abs(db) if db is not None else round(args["db"] * meant.degree, 1)}


def compress(clause: Clause, meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
    """Threshold, ratio and times where said; "gentle" and "hard" choose the rest."""
    out = dict(args)
    if meant.degree < 1:
        out |= {
            "ratio": min(out["ratio"], 2.0),
            "attack_ms": max(out["attack_ms"], 25.0),
            "release_ms": max(out["release_ms"], 180.0),
        }
    elif meant.degree > 1:
        out |= {"ratio": 4.0, "threshold_db": -24.0}
    ratio = next((token for token in clause.tokens if token.kind == "ratio"), None)
    if ratio is not None:
        top, bottom = (float(part) for part in re.split(r"\s?[/:]\s?", ratio.text))
        out["ratio"] = top / bottom if bottom else top
    elif (spoken := clause.beside("", "ratio")) is not None:
        out["ratio"] = spoken
    threshold = clause.beside("db", "threshold")
    threshold = threshold if threshold is not None else next((v for v in clause.numbers("db") if v < 0), None)
    if threshold is not None:
        out["threshold_db"] = -abs(threshold)
    for name, word in (("attack_ms", "attack"), ("release_ms", "release")):
        seconds = clause.beside("s", word)
        if seconds is not None:
            out[name] = round(seconds * 1000, 3) if seconds < 5 else seconds
    return out


def reverb(clause: Clause, meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
    """The size by the room that is named, the decay in seconds, the mix in percent."""
    rooms = table("sound_words", "rooms").find(clause.tokens)
    out: Args = dict(max(rooms, key=lambda hit: hit.end - hit.start).value if rooms else args)
    if clause.has("long", "huge", "endless", "enormous") and not rooms:
        out["decay_s"] = 4.0
    if clause.has("short") or (clause.has("small", "tiny") and not rooms):
        out["decay_s"] = 0.8
    out["mix"] = round(min(0.6, max(0.1, out["mix"] * meant.degree)), 3)
    seconds, percent = clause.number("s"), clause.number("percent")
    if seconds is not None:
        out["decay_s"] = seconds
    if percent is not None:
        out["mix"] = min(1.0, percent / 100)
    return out


def delay(clause: Clause, meant: Meaning, args: Args, _text: str, at: Situation) -> Args:
    """The time of one echo, in seconds or as a note value of a known tempo; feedback and mix in percent."""
    out = dict(args)
    tempo_bpm = clause.number("bpm") or at.tempo_bpm
    beat_ms = 60_000.0 / tempo_bpm if tempo_bpm else None
    for words, beats in (
        (("dotted",), 0.75),
        (("eighth", "8th", "eighths", "8ths"), 0.5),
        (("quarter", "quarters", "beat"), 1.0),
        (("sixteenth", "16th"), 0.25),
    ):
        if beat_ms and clause.has(*words):
            out["ms"] = round(beat_ms * beats, 2)
            break
    if clause.has("slapback", "slap"):
        out |= {"ms": 110.0, "feedback": 0.1}
    seconds = clause.number("s")
    if seconds is not None:
        out["ms"] = round(seconds * 1000, 3)
    feedback = clause.beside("percent", "feedback")
    if feedback is not None:
        out["feedback"] = feedback / 100 if feedback > 1 else feedback
    percents = [value for value in clause.numbers("percent") if value != feedback]
    out["mix"] = percents[0] / 100 if percents else round(min(0.6, out["mix"] * meant.degree), 3)
    return out


def pitch_correct(clause: Clause, meant: Meaning, args: Args, _text: str, at: Situation) -> Args:
    """The key where it is said or known, and how strongly notes are drawn to it."""
    key = key_named(" ".join(token.raw for token in clause.tokens))
    percent = clause.number("percent")
    strength = (
        percent / 100
        if percent is not None
        else 1.0
        if clause.has("hard", "robotic", "strong", "pain", "full", "maximum", "max", "fully", "completely")
        else round(min(1.0, args["strength"] * meant.degree), 3)
    )
    return ({"key": key} if key else {"key": at.key} if at.key and clause.says("the key") else {}) | {"strength": strength}


def width(clause: Clause, meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
    """How wide; 100 % is as it is."""
    percent = clause.number("percent")
    if percent is not None:
        amount = percent / 100 if percent > 100 or clause.has("to") else 1 + math.copysign(percent / 100, args["amount"] - 1)
        return {"amount": round(min(2.0, max(0.0, amount)), 2)}
    hz = clause.number("hz")
    if "amount" not in args:
        return {"bass_mono_hz": hz or args["bass_mono_hz"]}
    amount = round(min(2.0, max(0.0, 1 + (args["amount"] - 1) * meant.degree)), 3)
    return {"amount": amount} | ({"bass_mono_hz": hz} if hz is not None else {})


def pan(clause: Clause, meant: Meaning, _args: Args, _text: str, _at: Situation) -> Args | None:
    """From -1 (left) to 1 (right)."""
    if clause.has("center", "centre", "middle"):
        return {"pos": 0.0}
    if not clause.has("left", "right"):
        return None
    percent = clause.number("percent")
    amount = (
        percent / 100
        if percent is not None
        else 1.0
        if clause.has("hard", "fully", "only", "all", "completely")
        else 0.5 * meant.degree
    )
    return {"pos": round(min(1.0, amount) * (-1 if clause.has("left") else 1), 3)}


def tremolo(clause: Clause, meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
    """Pulses a second and their depth."""
    hz, percent = clause.number("hz"), clause.number("percent")
    hz = hz if hz is not None else 8.0 if clause.has("fast") else 3.0 if clause.has("slow") else args["hz"]
    return {"hz": hz, "depth": percent / 100 if percent is not None else round(min(1.0, args["depth"] * meant.degree), 3)}


def bitcrush(clause: Clause, _meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
    """Bits a sample."""
    bits = clause.number("bits", "")
    return {"bits": round(bits)} if bits is not None and 1 <= bits <= 16 else dict(args)


def share(name: str) -> Handler:
    """A handler for a tool with one share from 0 to 1 that may be given in percent."""

    def read(clause: Clause, meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
        percent = clause.number("percent")
        return {name: percent / 100 if percent is not None else round(min(1.0, args[name] * meant.degree), 3)}

    return read


def decibels(name: str) -> Handler:
    """A handler for a tool with one amount in dB."""

    def read(clause: Clause, meant: Meaning, args: Args, _text: str, _at: Situation) -> Args:
        db = clause.number("db")
        return {name: abs(db) if db is not None else round(args[name] * meant.degree, 2)}

    return read


HANDLERS: dict[str, Handler] = {
    "gain": gain, "normalize": normalize, "limit": limit, "eq": eq, "highpass": edge, "lowpass": edge, "dehum": dehum, "deess": deess,
    "compress": compress, "reverb": reverb, "delay": delay, "width": width, "pan": pan, "pitch": pitch, "retune": retune, "tempo": tempo,
    "pitch_correct": pitch_correct, "fade": fade, "trim": trim, "loop": loop, "concat": concat, "mix": mix, "silence": silence, "convert": convert, "tremolo": tremolo,
    "bitcrush": bitcrush, "denoise": decibels("db"), "saturate": decibels("drive_db"), "enhance": share("amount"), "chorus": share("depth"),
}  # fmt: skip

"""Tones, beats, noise and music that is tuned to a frequency: from what is said to the arguments of `frequency`."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from llm_music_gen.requests.keys import key_named
from llm_music_gen.requests.making import is_part_of_track, length, song_count, style_list
from llm_music_gen.requests.text import Token
from llm_music_gen.requests.words import frequency_words, table
from llm_music_gen.tools.plan import Call

_STRONG = frozenset((
    "binaural", "isochronic", "monaural", "solfeggio", "schumann", "brainwave", "brainwaves", "entrainment", "hz", "hemisync", "binaurals",
))  # fmt: skip
_MUSIC = frozenset((
    "music", "song", "songs", "track", "tracks", "piano", "ambient", "meditation", "sleep", "piece", "melody", "lullaby", "relaxation", "relaxing",
    "classical", "guitar", "tune", "flute", "strings", "healing", "album", "harp", "yoga", "study", "pieces", "spa", "reiki",
))  # fmt: skip
_TONE = frozenset(
    ("drone", "tone", "sine", "tones", "pure", "hum", "drones", "om", "ohm", "aum", "tanpura", "shruti", "oscillator", "test")
)
#: Words after which a frequency belongs to a filter or an equaliser.
_SOUND = re.compile(
    r"\b(?:boost|cut|filter|pass|notch|high ?pass|low ?pass|eq|de ?ess|dehum|hum|mains|retune|convert|resample|sample rate|shelf|bell|below|above|remove|reduce|"
    r"tremolo|attenuate|dip|q of|resonance|pitch (?:it|this|up|down)|my recording|khz wav|from 44\d|ringing|re-?tune|bit)\b",
    re.IGNORECASE,
)
_MEDICAL = re.compile(
    r"\b(?:cure[sd]?|curing|heal(?:s|ing)? (?:my|his|her|the|from|cancer|people)|treat(?:s|ment|ing)?|tinnitus|cancer|depression|anxiety|adhd|autism|insomnia|migraine|"
    r"headaches?|pain relief|disease|illness|diabetes|epilepsy|repair (?:my |the )?dna|dna repair|lower my blood pressure|medicine|therapy for|ptsd|dementia|covid|arthritis)\b",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:sacred|healing|miracle|magic|holy|special|right|certain|spiritual|ancient|cosmic|divine|best|angelic|high|positive) (?:healing )?(?:frequency|frequencies|vibration|vibrations)\b"
    r"|\bfrequency music\b|\bfrequency (?:track|song|tone)\b|\bfrequency (?:to|that|which|for) (?:heal|cure|treat|help|sleep|manifest)",
    re.IGNORECASE,
)
MEDICAL_NOTE = "No sound cures an illness and nothing of the kind is claimed; for health questions please see a doctor. Keep the level low and stop if it is unpleasant."


def speaks_of_frequency(tokens: Sequence[Token], text: str) -> bool:
    """Whether music or tones at a frequency are wanted."""
    words = {token.text for token in tokens}
    hz = [token for token in tokens if token.kind == "number" and token.unit == "hz" and token.value < 8000]
    named = bool(words & _STRONG or table("making_words", "frequency_sets").find(tokens))
    noise = _noise(tokens)
    if re.search(
        r"\b(?:turn|change|convert|bring|shift|move)\b.{0,20}\b4[34]\d(?: ?hz)? (?:in)?to 4[0-4]\d\b", text, re.IGNORECASE
    ):
        return False
    if re.search(
        r"\b(?:re-?tune|tune|convert|shift|change|make|bring|turn|pitch)\b (?:it|this|that|the|my|from|down)\b.*\b4[0-6]\d",
        text,
        re.IGNORECASE,
    ):
        return False
    if (named or noise) and not (_SOUND.search(text) and not named and (words & {"remove", "reduce", "cut", "less"})):
        return True
    if (
        _VAGUE.search(text)
        or _VAGUE.search(" ".join(token.text for token in tokens))
        or (_MEDICAL.search(text) and words & {"frequency", "frequencies", "tone", "vibration", "vibrations"})
        or len(set(map(tuple, _wave(tokens)))) >= 2
        or (_wave(tokens) and words & {"wave", "waves", "beats", "sleep", "meditation", "focus", "state", "brain", "music"})
    ):
        return True
    if layer_only(tokens, text, words):
        return True
    if hz and not _SOUND.search(text):
        return (
            bool(words & (_MUSIC | _TONE | {"frequency", "frequencies", "beat", "beats", "pulse", "pulses"})) or len(words) <= 14
        )
    if (
        frequency_words().find(tokens)
        and words & (_MUSIC | _TONE | {"frequency", "frequencies", "hour", "chakra"})
        and not words & {"album"}
    ):
        return bool(
            words
            & {
                "frequency",
                "tone",
                "drone",
                "om",
                "aum",
                "ohm",
                "chakra",
                "432",
                "528",
                "a432",
                "verdi",
                "tuning",
                "tuned",
                "eye",
            }
        )
    bare = [
        token
        for token in tokens
        if token.kind == "number" and not token.unit and token.value in (174, 285, 396, 417, 432, 528, 639, 741, 852, 963, 136.1)
    ]
    return bool(bare and words & (_MUSIC | _TONE | {"frequency", "tuning", "tuned"}) and not _SOUND.search(text))


def orders_tones(tokens: Sequence[Token], spoken: str) -> bool:
    """Whether words that are said of nothing else ask for tones, beats or noise: binaural, solfeggio, hours of brown noise."""
    words = {token.text for token in tokens}
    if words & (_STRONG - {"hz"}) or table("making_words", "frequency_sets").find(tokens):
        return True
    if _noise(tokens) and len(tokens) <= 3 and not words & _REMOVING:
        return True
    waves = len(_wave(tokens))
    if (
        waves
        and (waves > 1 or words & {"wave", "waves", "beats", "sleep", "meditation", "focus", "state", "brain"})
        and not words & _REMOVING
    ):
        return True
    lasts = any(token.unit == "s" and token.value >= 60 for token in tokens) or bool(
        re.search(r"\b(?:all|whole|entire|the|every) night\b|\bovernight\b", spoken)
    )
    if (_noise(tokens) or table("making_words", "layers").find(tokens)) and lasts and not words & _REMOVING:
        return True
    pitched = any(t.unit == "hz" or (t.kind == "number" and not t.unit and 60 <= t.value <= 2000) for t in tokens)
    tone = bool(words & {"tone", "tones", "sine", "drone", "drones"}) and pitched and not _asked_about(words)
    begins = bool(tokens) and tokens[0].unit == "hz" and (lasts or len(tokens) <= 3 or bool(words & (_TONE | _MUSIC)))
    return (tone or begins) and not words & _REMOVING


def _asked_about(words: set[str]) -> bool:
    """Whether a tone is asked about rather than ordered."""
    return bool(words & {"main", "what", "which", "strongest", "dominant", "is", "measure"})


_REMOVING = frozenset(
    (
        "remove",
        "reduce",
        "cut",
        "less",
        "rid",
        "denoise",
        "notch",
        "filter",
        "boost",
        "kill",
        "dip",
        "annoying",
        "hum",
        "buzz",
        "get",
    )
)


def layer_only(tokens: Sequence[Token], text: str, words: set[str]) -> bool:
    """Whether hours of rain, surf or wind are wanted without music."""
    layers = table("making_words", "layers").find(tokens)
    return (
        bool(layers)
        and length(tokens, text) is not None
        and not words & {"music", "remove", "song", "piano", "about", "cut", "reduce", "fade", "trim"}
    )


def _noise(tokens: Sequence[Token]) -> str:
    hits = table("making_words", "noises").find(tokens)
    return str(hits[0].value) if hits else ""


def _wave(tokens: Sequence[Token]) -> list[Any]:
    return [hit.value for hit in table("making_words", "waves").find(tokens)]


def read_frequency(tokens: Sequence[Token], text: str) -> tuple[list[Call], list[str]]:
    """The calls, and what is said about them."""
    words = {token.text for token in tokens}
    notes: list[str] = [MEDICAL_NOTE] if _MEDICAL.search(text) else []
    numbers = _frequencies(tokens)
    pitches = [hz for hz in numbers if hz >= 20]
    beats = [hz for hz in numbers if hz < 20]
    waves = _wave(tokens)
    sets = table("making_words", "frequency_sets").find(tokens)
    args: dict[str, Any] = {}
    carrier = _carrier(tokens)
    pulsing = bool(waves or words & {"isochronic", "monaural", "binaural", "pulse", "pulses", "beats"})
    low = [hz for hz in pitches if hz <= 50 and hz != carrier]
    if pulsing and low and len(low) + len(beats) <= 2 and (waves or carrier or len(pitches) == len(low)):
        beats = [hz for hz in numbers if hz in (*beats, *low)]  # "gamma 40 hz": the beat, not a tone
        pitches = [hz for hz in pitches if hz not in low]
    if carrier is not None and carrier not in pitches:
        pitches.append(carrier)
    mode = _mode(words, tokens, pitches, beats, waves)
    if mode == "binaural" and words & {"mono", "speaker", "speakers"} and not words & {"headphones"}:
        notes.append("A binaural beat needs two channels; pulses (isochronic) or a beat in both ears (monaural) work in mono.")
        return [Call("refuse", {"reason": "needs_stereo", "offer": "isochronic"})], notes
    if mode == "binaural" and len(pitches) == 2 and not beats and 0 < abs(pitches[0] - pitches[1]) <= 50:
        beats, pitches = [round(abs(pitches[0] - pitches[1]), 3)], [min(pitches)]  # one tone for each ear
    _beats(args, mode, beats, waves, words, tokens, text)
    steps = (
        [float(hz) for hz in sets[0].value]
        if sets and len(pitches) < 3
        else pitches
        if len(pitches) >= 2 and mode in ("tuned_music", "drone") and not args.get("beat_hz_ramp") and not _is_pair(text)
        else []
    )
    if steps:
        args["steps_hz"] = steps
        each = _each(tokens)
        total = length(tokens, text)
        if each is None and total is not None:
            each = total / len(steps)
        args["step_s"] = each or 600.0
        mode = "tuned_music" if mode == "tuned_music" or words & {"music"} else mode
    elif pitches:
        first = pitches[0]
        reference = re.search(r"\ba4 \d", text.lower()) or first in (432.0, 440.0, 444.0, 442.0, 443.0, 415.0)
        args["a4" if reference and mode == "tuned_music" else "base_hz"] = first
    elif mode in ("binaural", "isochronic", "monaural"):
        args["base_hz"] = 200.0
    noise = _noise(tokens)
    if noise:
        args["noise"] = noise
    layers = list(dict.fromkeys(hit.value for hit in table("making_words", "layers").find(tokens)))
    if layers:
        args["layers"] = layers
    if mode == "tuned_music":
        styles = [style for style in style_list(tokens) if style not in ("drone",)]
        args |= {"style": styles} if styles else {}
        args |= {"n": count} if (count := song_count(tokens)) else {}
    if key := key_named(text):
        args["key"] = key
    if (len_s := length(tokens, text)) is not None:
        args["len_s"] = len_s
    elif steps:
        args["len_s"] = args["step_s"] * len(steps)
    _fade_and_level(args, tokens, words)
    if mode == "tuned_music" and not any(
        name in args for name in ("a4", "base_hz", "steps_hz", "beat_hz", "beat_hz_ramp", "noise")
    ):
        notes.append("Which frequency? For example 432 Hz as the reference, 528 Hz for the tonic, or a name such as om.")
        return [Call("ask", {"about": "frequency"})], notes
    calls = [Call("frequency", {"mode": mode, **args})]
    if (words & {"black"} and words & {"screen", "video"}) or (words & {"youtube"} and words & {"video", "upload", "screen"}):
        calls.append(Call("export_youtube", {"visual": "black" if "black" in words else "cover"}))
    if mode == "binaural":
        notes.append("Binaural beats are only heard with headphones.")
    return calls, notes


def _carrier(tokens: Sequence[Token]) -> float | None:
    """The tone that carries the beats: "carrier 180", "on a 220 Hz carrier"."""
    for index, token in enumerate(tokens):
        if token.text in ("carrier", "base", "carriers"):
            near = [*tokens[index + 1 : index + 4], *reversed(tokens[max(0, index - 2) : index])]
            found = next((t.value for t in near if t.kind == "number" and t.unit in ("", "hz") and 20 <= t.value < 3000), None)
            if found is not None:
                return found
    return None


def _frequencies(tokens: Sequence[Token]) -> list[float]:
    """All frequencies named, in order; bare numbers count in a list of tones or beside "frequency"."""
    found: list[float] = []
    explicit = any(token.unit == "hz" for token in tokens)
    named = {hit.start: hit for hit in frequency_words().find(tokens)}
    known = {174, 285, 396, 417, 432, 440, 444, 528, 639, 741, 852, 963}
    bare_list = [
        t for t in tokens if t.kind == "number" and not t.unit and t.value >= 60 and t.value == t.value and t.value < 3000
    ]
    for index, token in enumerate(tokens):
        if (token.kind == "number" and token.unit == "hz" and 0.05 <= token.value < 20_000) or (
            token.kind == "number"
            and not token.unit
            and 60 <= token.value < 3000
            and (token.value in known or (len(bare_list) >= 3 and not explicit) or (explicit and len(bare_list) >= 2))
        ):
            found.append(token.value)
        elif index in named and tokens[index].kind != "number":
            found.append(named[index].value)
    apart: list[float] = []
    for hz in found:  # "136.1 Hz om" says the same thing twice
        if all(abs(hz / other - 1) > 0.002 for other in apart):
            apart.append(hz)
    return apart


def _mode(
    words: set[str], tokens: Sequence[Token], pitches: Sequence[float], beats: Sequence[float], waves: Sequence[Any]
) -> str:
    if words & {"isochronic", "pulse", "pulses", "pulsing", "isochronics"}:
        return "isochronic"
    if words & {"monaural"}:
        return "monaural"
    if words & {"binaural", "binaurals", "hemisync"} and not words & (
        _MUSIC - {"sleep", "meditation", "relaxation", "study", "relaxing", "track", "tracks", "healing"}
    ):
        return "binaural"
    music = bool(words & (_MUSIC - {"meditation", "sleep", "relaxation", "relaxing", "healing", "study", "track", "tracks"}))
    if _noise(tokens) and not music and not pitches:
        return "noise"
    if not music and not pitches and not beats and not waves and layer_only(tokens, "all night", words):
        return "noise"
    if words & _TONE and not music:
        return "drone"
    if (beats or waves) and not music and not pitches:
        return "isochronic" if "mono" in words else "binaural"
    if (beats or waves) and pitches and words & {"carrier", "beat", "beats"} and not music:
        return "isochronic" if "mono" in words else "binaural"
    return "tuned_music"


def _beats(
    args: dict[str, Any], mode: str, beats: list[float], waves: Sequence[Any], words: set[str], tokens: Sequence[Token], text: str
) -> None:
    typical = [float(wave[0]) for wave in waves]
    beating = mode in ("binaural", "isochronic", "monaural")
    moves = bool(words & {"to", "down", "into", "towards", "then", "ramp", "from"}) or re.search(r"\d\s?-\s?\d", text) is not None
    values = beats if len(beats) >= 2 else typical if len(typical) >= 2 and not beats else []
    if len(values) >= 2 and moves:
        args["beat_hz_ramp"] = values[:2]
        ramp = next(
            (
                t.value
                for i, t in enumerate(tokens)
                if t.unit == "s"
                and t.kind == "number"
                and is_part_of_track(tokens, i)
                and not {"fade", "fading"} & {o.text for o in tokens[max(0, i - 4) : i]}
            ),
            None,
        )
        total = length(tokens, text)
        others = [t.value for t in tokens if t.kind == "number" and t.unit == "s" and t.value != total]
        if ramp is None and total and len(others) == 1 and others[0] < total:
            ramp = others[0]
        args["ramp_s"] = ramp if ramp is not None else (min(total, 1800.0) if total else 1800.0)
    elif beats:
        args["beat_hz"] = beats[0]
    elif typical:
        args["beat_hz"] = typical[0]
    elif beating:
        args["beat_hz"] = 6.0 if words & {"meditation"} else 2.0 if words & {"sleep"} else 10.0
    if mode in ("noise", "drone") and not beats:
        args.pop("beat_hz", None)


def _is_pair(text: str) -> bool:
    """ "440 or 432", "on 200 hz": not a set of steps."""
    return bool(re.search(r"\b(?:or|vs|versus|instead of|not)\s+\d", text))


def _each(tokens: Sequence[Token]) -> float | None:
    for index, token in enumerate(tokens):
        if token.kind == "number" and token.unit == "s":
            near = {other.text for other in tokens[max(0, index - 3) : index + 4]}
            if near & {"each", "apiece", "per", "every"}:
                return token.value
    return None


def _fade_and_level(args: dict[str, Any], tokens: Sequence[Token], words: set[str]) -> None:
    if words & {"fade", "fades", "fading"}:
        at = next(index for index, token in enumerate(tokens) if token.text in ("fade", "fades", "fading"))
        around = [*tokens[at : at + 7], *tokens[max(0, at - 2) : at]]
        near = next((t.value for t in around if t.unit == "s" and 0 < t.value <= 1800), None)
        args["fade_s"] = near if near is not None else 60.0
    level = next((token.value for token in tokens if token.unit == "db"), None)
    if level is not None:
        args["level_db"] = level if level < 0 else -level

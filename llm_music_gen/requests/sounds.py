"""What shall be done to a sound: clauses become calls of the audio tools."""

# ruff: noqa: E501 - patterns and lists of words are easier to read whole

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

from llm_music_gen.requests.circumstances import CLEANING, without_circumstances
from llm_music_gen.requests.clauses import Clause, Meaning, SoundReading, clauses, meaning
from llm_music_gen.requests.frames import Framed, read_frames
from llm_music_gen.requests.handlers import HANDLERS, place
from llm_music_gen.requests.implied import adjusted, loudness_by_place, read_implied
from llm_music_gen.requests.order import AUTO_TWINS, in_order
from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.text import Token
from llm_music_gen.requests.words import Hit, SoundWord, listed, sound_words
from llm_music_gen.tools.plan import Call

_BELOW, _ABOVE = frozenset(("below", "under", "beneath")), frozenset(("above", "over", "beyond"))
_AUTOMATIC = frozenset(("auto", "automatic", "automatically", "smart", "intelligently", "auto-"))
#: Words that only say how loud a band shall be where a band is named in the same clause.
_VOLUME_WORDS = frozenset((
    "volume", "level", "gain", "loudness", "turn up", "turn down", "turn it up", "turn it down", "bring it up", "bring it down", "boost it",
    "crank", "crank it", "crank it up", "headroom",
))  # fmt: skip
_FOLDER = re.compile(
    r"\b(?:all|every(?:thing)?|each|the files|files|whole)\b.{0,40}?\b(?:in|from|of|inside)\s+(?:the |my |this )?(?:folder |directory )?(?:called |named )?"
    r"[\"']?([\w][\w \-]{0,40}?)[\"']?\s+(?:folder|directory|dir)\b|\b(?:folder|directory)\s+(?:called |named )?[\"']?([\w\-]{2,40})[\"']?"
    r"|\b(?:the|my)\s+([\w\-]{2,40})\s+(?:folder|directory)\b",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    r"\b(?:match(?:es|ing)?|sounds? like|same (?:sound|tone|eq) as|similar to|as in|like in)\b.{0,40}?\b([\w().-]{1,80}\.(?:wav|mp3|flac|ogg|opus|m4a|aiff?))\b",
    re.IGNORECASE,
)
_EVERYTHING = re.compile(
    r"\b(?:all|every one|each) (?:of )?(?:the |my |these |those )?(?:audio )?(?:files|tracks|songs|wavs|mp3s|stems)\b",
    re.IGNORECASE,
)


def has_strong_words(tokens: Sequence[Token]) -> bool:
    """Whether the tokens speak of an existing sound."""
    return any(not hit.value.weak and hit.text not in hit.value.helpers for hit in sound_words().find(tokens))


def read_sound(tokens: Sequence[Token], text: str, at: Situation) -> SoundReading:
    """The calls for what is said about a sound, in the order in which they are carried out."""
    framed = read_frames(tokens)
    out = SoundReading(strong=framed.strong)
    placed = [(start, _with_current(call, at)) for start, call in framed.calls]
    if any(token.text in _AUTOMATIC for token in tokens):
        placed = [(start, Call(AUTO_TWINS[call.tool]) if call.tool in AUTO_TWINS else call) for start, call in placed]
    inherited = 0
    pieces = clauses(framed.rest)
    at_fault = any(call.tool in CLEANING for _, call in placed) or any(
        hit.value.kind == "fault" and hit.value.call in CLEANING for clause in pieces for hit in clause.hits
    )
    for clause in pieces:
        clause.hits = without_circumstances(clause, at_fault)
        inherited = _read_clause(clause, at, out, inherited)
        said_at = clause.tokens[clause.hits[0].start if clause.hits else 0].start
        placed += [(said_at, call) for call in out.calls if not _framed_already(call, framed)]
        out.calls = []
    out.calls = [call for _, call in sorted(placed, key=lambda item: item[0])]
    _said_elsewhere(tokens, at, out)
    read_implied(framed.rest, text, at, out, sorted(start for start, _ in placed))
    loudness_by_place(tokens, out)
    reference = _REFERENCE.search(text)
    if reference and re.search(r"\b(?:loudness|loud|volume|level|levels)\b", text, re.IGNORECASE):
        # One target for all of them makes them equal.
        out.calls, out.strong = [call for call in out.calls if call.tool not in ("gain", "auto_gain")], True
        if not any(call.tool == "normalize" for call in out.calls):
            out.calls.append(Call("normalize", {"lufs": -14.0, "tp": -1.0}))
    elif reference:
        out.calls, out.strong = [*out.calls, Call("auto_eq", {"reference": reference[1].strip()})], True
        named = [name for name in named_files(tokens, text, at) if name.lower() != reference[1].strip().lower()]
        out.calls = [_with_files(call, named) for call in in_order(_joined(out.calls), given=_order_is_given(tokens))]
        return out
    files = named_files(tokens, text, at)
    out.calls = [_with_files(call, files) for call in in_order(_joined(out.calls), given=_order_is_given(tokens))]
    return out


def _with_current(call: Call, at: Situation) -> Call:
    """The current file's name where a frame speaks of it."""
    files = call.args.get("files", [])
    if "@current" in files:
        call.args["files"] = [
            at.file.replace("\\", "/").rsplit("/", 1)[-1] if name == "@current" and at.file else name for name in files
        ]
        call.args["files"] = [name for name in call.args["files"] if name != "@current"]
    return call


def _framed_already(call: Call, framed: Framed) -> bool:
    """Whether a frame has read the same tool more exactly; what it lacks is taken over from the words."""
    for _, exact in framed.calls:
        if exact.tool == call.tool == "trim" and not set(exact.args) & set(call.args):
            continue  # "the first 5 seconds and the last 3"
        if exact.tool == call.tool and exact.tool != "eq":
            exact.args.update(
                {name: value for name, value in call.args.items() if name not in exact.args and exact.tool in _COMPLETED}
            )
            return True
        if {exact.tool, call.tool} == {"tempo", "auto_time_stretcher"}:
            return True
    return False


#: Tools whose arguments are said in several places of a request.
_COMPLETED = frozenset(("width", "convert", "fade", "loop", "pitch_correct", "mix", "concat"))


def _said_elsewhere(tokens: Sequence[Token], at: Situation, out: SoundReading) -> None:
    """What is said of a compressor or of a corrector anywhere: "ratio 2 to 1, threshold -18", "to E minor, full strength"."""
    whole, plainly = Clause(list(tokens)), Meaning(True, 0, 1.0)
    for call in out.calls:
        if call.tool == "compress":
            call.args.update(HANDLERS["compress"](whole, plainly, {}, "", at) or {})
        if call.tool == "delay" and whole.numbers("bpm") and not whole.numbers("s") and call.args.get("ms") == 375.0:
            call.args["ms"] = round(60_000 / whole.numbers("bpm")[0], 2)
        if call.tool in ("delay", "reverb") and (wet := whole.beside("percent", "wet", "mix")) is not None:
            call.args["mix"] = round(min(1.0, wet / 100 if wet > 1 else wet), 3)
        elif call.tool == "pitch_correct":
            call.args.update(HANDLERS["pitch_correct"](whole, plainly, {"strength": call.args["strength"]}, "", at) or {})


def _order_is_given(tokens: Sequence[Token]) -> bool:
    return bool(listed("grammar", "order").find(tokens))


def _read_clause(clause: Clause, at: Situation, out: SoundReading, inherited: int) -> int:
    if _filter_at_number(clause, out):
        return 0
    automatic = clause.has(*_AUTOMATIC)
    sign = 0
    bands = [hit for hit in clause.hits if hit.value.kind in ("wish", "fault") and hit.value.call == "eq"]
    targets = [hit for hit in clause.hits if hit.text not in _VOLUME_WORDS]
    plain_verb = not clause.hits and clause.has("boost", "cut", "raise", "lower", "reduce", "amplify", "attenuate")
    if not clause.hits and (plain_verb or clause.has("boosted")):
        clause.hits = [Hit(0, 1, SoundWord("deed", "gain" if not clause.numbers("hz") else "eq", {}), "boost")]
        down = clause.has("cut", "lower", "reduce", "attenuate")
        _add(clause, clause.hits[0], Meaning(True, -1 if down else 1, 1.0), at, out, automatic)
        return 0
    if any(hit.value.call == "declick" for hit in clause.hits):
        clause.hits = [hit for hit in clause.hits if hit.value.kind != "picture"]
    if any(hit.value.call == "deess" for hit in clause.hits):
        clause.hits = [hit for hit in clause.hits if hit.value.call != "eq"]
    for hit in clause.hits:
        if hit.text in _VOLUME_WORDS and (bands or (targets and clause.numbers("hz"))) and len(clause.hits) > 1:
            continue
        meant = meaning(clause, hit, inherited)
        sign = meant.sign or sign
        if meant.wanted:
            _add(clause, hit, meant, at, out, automatic)
        else:
            out.notes.append(f"{hit.text} is left alone")
    return sign


def _add(clause: Clause, hit: Hit[SoundWord], meant: Meaning, at: Situation, out: SoundReading, automatic: bool) -> None:
    word = hit.value
    if word.kind == "picture":
        for item in word.calls:
            call = Call(item["tool"], _degrees(copy.deepcopy(item["args"]), meant.degree))
            if item["tool"] == "auto_gain" and (target := place(clause)):
                call.args.update(target)
            out.calls.append(call)
        out.strong |= not word.weak
        return
    if automatic and word.auto:
        lufs = clause.number("lufs")
        out.calls.append(Call(word.auto, {"lufs": lufs} if lufs is not None and word.auto == "auto_gain" else {}))
        out.strong = True
        return
    less = meant.sign < 0 and word.kind == "wish"
    if (
        word.kind == "fault"
        and meant.sign > 0
        and clause.has("add", "more", "give")
        and word.call in ("denoise", "dehum", "declick")
    ):
        out.calls.append(Call("refuse", {"reason": "not_possible", "offer": "mix"}))
        out.notes.append(f"{hit.text.capitalize()} is not put in; a recording of it can be mixed under the file.")
        return
    args = copy.deepcopy(word.args)
    if less:
        if word.opposite is not None:
            args = copy.deepcopy(word.opposite)
        elif word.cannot:
            out.calls.append(Call("refuse", {"reason": "not_possible", "offer": "eq" if word.call == "saturate" else "denoise"}))
            out.notes.append(word.cannot)
            return
    handler = HANDLERS.get(word.call)
    if word.call == "eq" and word.kind != "deed":
        band = _explicit(clause, args, less)
        out.calls.append(Call("eq", band if band else _degrees(args, meant.degree)))
    else:
        read = handler(clause, meant, args, hit.text, at) if handler else dict(args)
        if read is None:
            return
        out.calls.append(adjusted(Call(word.call, read), clause, at))
    out.strong |= not word.weak


def _explicit(clause: Clause, args: dict[str, Any], less: bool) -> dict[str, Any] | None:
    """The band with the number of dB (and Hz) that the user gives, if any."""
    db, hz = clause.number("db"), clause.number("hz")
    if db is None and clause.has("by"):
        db = next((value for value in clause.numbers("") if abs(value) <= 20), None)
    if db is None and hz is None:
        return None
    first = dict(args["bands"][0])
    if hz is not None:
        first |= {"hz": hz, "type": "bell"}
    if db is not None:
        first["db"] = db if db < 0 else _sign_of(-1 if less else first["db"]) * db
    return {"bands": [first]}


def _sign_of(value: float) -> float:
    return -1.0 if value < 0 else 1.0


def _degrees(args: dict[str, Any], degree: float) -> dict[str, Any]:
    for band in args.get("bands", []):
        band["db"] = round(max(-8.0, min(8.0, band["db"] * degree)), 2)
    return args


def _filter_at_number(clause: Clause, out: SoundReading) -> bool:
    """ "Cut everything below 80 Hz": a high-pass; above: a low-pass."""
    removes = clause.has(
        "cut",
        "remove",
        "filter",
        "kill",
        "roll",
        "take",
        "off",
        "rid",
        "everything",
        "anything",
        "without",
        "eliminate",
        "drop",
        "all",
        "delete",
    )
    for index, token in enumerate(clause.tokens[:-1]):
        side = "highpass" if token.text in _BELOW else "lowpass" if token.text in _ABOVE else ""
        number = clause.tokens[index + 1]
        if side and number.kind == "number" and number.unit in ("hz", "") and number.value >= 20 and removes:
            out.calls.append(Call(side, {"hz": number.value}))
            out.strong = True
            return True
    return False


def _joined(calls: Sequence[Call]) -> list[Call]:
    """One call for each tool where that says the same: equaliser bands together, repeated words once."""
    out: list[Call] = []
    for call in calls:
        twin = next((other for other in out if other.tool == call.tool), None)
        if twin is None:
            out.append(Call(call.tool, dict(call.args)))
        elif call.tool == "eq":
            known = twin.args.setdefault("bands", [])
            known += [band for band in call.args.get("bands", []) if band not in known]
        elif call.tool == "gain":
            spoken = {3.0, 4.0, -4.0, 2.0, -2.0, 6.0, -6.0, 8.0, -8.0}
            if twin.args["db"] in spoken:
                twin.args.update(call.args)
        elif call.tool in ("concat", "mix"):
            files = [*twin.args.get("files", []), *call.args.get("files", [])]
            twin.args.update(call.args | ({"files": files} if files else {}))
        elif call.tool in ("tempo", "reverb", "compress", "saturate", "denoise", "width"):
            twin.args.update({name: value for name, value in call.args.items() if name not in twin.args})
        elif call.tool in ("trim", "pan", "tremolo", "refuse") and call.args != twin.args:
            out.append(call)
        else:
            twin.args.update(call.args)
    looped, joined = (next((call for call in out if call.tool == name), None) for name in ("loop", "concat"))
    if looped is not None and joined is not None and not joined.args.get("files"):  # the crossfade of the loop
        looped.args.update({name: value for name, value in joined.args.items() if name == "crossfade_s"})
        out.remove(joined)
    mixed = next((call for call in out if call.tool == "mix"), None)
    level = next((call for call in out if call.tool == "gain"), None)
    if mixed is not None and level is not None:  # how loud one is beside the other belongs to the mixing
        mixed.args["gain_db"] = level.args["db"]
        out.remove(level)
    if len([call for call in out if call.tool in CLEANING]) > 1 or any(call.tool == "denoise" for call in out):
        out = [call for call in out if call.tool != "auto_noise_reduction" or call.args]
    normal = next((call for call in out if call.tool == "normalize"), None)
    if normal is not None:  # a ceiling that is said with a loudness is the ceiling of that
        ceiling = next((call.args.get("ceiling_db") for call in out if call.tool == "limit"), None)
        if ceiling is not None and normal.args.get("tp") in (None, -1.0):
            normal.args["tp"] = ceiling
        out = [call for call in out if call.tool != "limit" or ceiling != normal.args.get("tp")]
    if any(call.tool in ("trim", "silence") for call in out) and any(call.tool == "loop" for call in out):
        out = [call for call in out if call.tool != "ask"]
    return out


def named_files(tokens: Sequence[Token], text: str, at: Situation) -> list[str]:
    """The files a request names: by name, by folder, or "all files"."""
    names = [token.text for token in tokens if token.kind == "file"]
    if names:
        return names
    folder = _FOLDER.search(text)
    if folder:
        name = next(group for group in folder.groups() if group).strip()
        if name.lower() not in ("this", "the", "my", "current", "same", "in", "that", "a", "output"):
            return [f"{name}/*"]
        return list(at.files_in_folder) or ["*"]
    if _EVERYTHING.search(text):
        return list(at.files_in_folder) or ["*"]
    return []


def _with_files(call: Call, files: list[str]) -> Call:
    if not files or (call.tool in ("ask", "refuse", "concat", "mix") and "files" in call.args):
        return call
    if call.tool in ("ask", "refuse"):
        return call
    return Call(call.tool, {"files": files, **call.args})

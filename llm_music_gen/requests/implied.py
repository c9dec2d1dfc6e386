"""What is meant without being said: a number's unit, or the place where it will be heard, names the tool."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_music_gen.requests.clauses import Clause, Meaning, SoundReading
from llm_music_gen.requests.handlers import HANDLERS, place
from llm_music_gen.requests.situation import Situation
from llm_music_gen.requests.text import Token
from llm_music_gen.requests.time_handlers import retune
from llm_music_gen.tools.plan import Call


def adjusted(call: Call, clause: Clause, at: Situation) -> Call:
    """A tool whose numbers ask for another one."""
    if call.tool == "tempo" and "ratio" not in call.args:
        return Call("auto_time_stretcher", call.args)
    said = clause.has("loudness") and any(-50 <= value <= -9 for value in clause.numbers("", "db"))
    if call.tool == "gain" and (clause.numbers("lufs") or place(clause) or said):
        meant = Meaning(True, 0, 1.0)
        return Call("normalize", HANDLERS["normalize"](clause, meant, {}, "", at) or {})
    if call.tool == "loop" and not call.args.get("to_s"):
        return Call("ask", {"about": "length"})
    if call.tool == "pitch" and retune(clause, Meaning(True, 0, 1.0), {}, "", at) and not clause.numbers("semitones", "cents"):
        return Call("retune", retune(clause, Meaning(True, 0, 1.0), {}, "", at) or {})
    if call.tool == "convert" and set(call.args) == {"fmt"} and clause.has("432", "440"):
        return Call("retune", retune(clause, Meaning(True, 0, 1.0), {}, "", at) or {})
    return call


#: Unit of a number -> the tool that it speaks of where no word does.
_UNIT_TOOLS = {
    "lufs": "normalize",
    "dbtp": "limit",
    "bpm": "tempo",
    "semitones": "pitch",
    "cents": "pitch",
    "kbps": "convert",
    "db": "gain",
}


def read_implied(tokens: Sequence[Token], text: str, at: Situation, out: SoundReading, places: list[int]) -> None:
    """Numbers whose unit alone says what is meant: "make it 120 bpm", "-14 LUFS", "to 432 Hz"."""
    whole = Clause(list(tokens))
    have = {call.tool for call in out.calls}
    if not have and re.search(r"\b(?:tune|convert|change|shift|make|bring|pitch|turn|put|move)\b", text, re.IGNORECASE):
        reference = retune(whole, Meaning(True, 0, 1.0), {}, "", at)
        if reference is not None:
            out.calls.append(Call("retune", reference))
            return
    for unit, tool in _UNIT_TOOLS.items():
        meant = {tool, "auto_gain", "normalize"} if unit == "lufs" else {tool, "auto_time_stretcher"} if unit == "bpm" else {tool}
        if not whole.numbers(unit) or meant & have or (unit in ("db", "dbtp") and (have or out.notes)):
            continue
        if unit == "bpm" and have & {"delay", "auto_delay", "tremolo"}:
            continue  # the tempo that an echo keeps to
        sign = -1 if whole.has("down", "lower", "quieter") else 1
        read = (
            HANDLERS[tool](whole, Meaning(True, sign, 1.0), {"ceiling_db": -1.0}, "", at)
            if unit != "db"
            else {"db": sign * whole.numbers("db")[0]}
        )
        if read:
            number = next((token.start for token in tokens if token.unit == unit), 0)
            later = [index for index, start in enumerate(places) if start > number]
            out.calls.insert(later[0] if later else len(out.calls), adjusted(Call(tool, read), whole, at))
            places.insert(later[0] if later else len(places), number)


def loudness_by_place(tokens: Sequence[Token], out: SoundReading) -> None:
    """Where it will be heard sets the loudness for any wish for more or less of it, and for a bare "for YouTube"."""
    whole = Clause(list(tokens))
    target = place(whole)
    if target is None:
        return
    wishes = [call for call in out.calls if call.tool in ("gain", "normalize", "auto_gain")]
    if any(call.tool != "gain" and "lufs" in call.args and whole.numbers("lufs") for call in wishes):
        return
    plain = [call for call in wishes if call.tool == "gain" and not whole.numbers("db")]
    for call in plain:
        out.calls.remove(call)
    asks = whole.has(
        "ready",
        "optimise",
        "optimize",
        "prepare",
        "prep",
        "suitable",
        "level",
        "loud",
        "master",
        "standard",
        "standards",
        "compliant",
        "spec",
        "specs",
        "target",
    )
    reverbs = any(call.tool in ("reverb", "convert", "export_youtube") for call in out.calls)
    if plain or any(call.tool == "normalize" for call in wishes) or asks or (not reverbs and not out.calls):
        out.calls = [call for call in out.calls if call.tool != "normalize"]
        if not any(call.tool == "auto_gain" for call in out.calls):
            out.calls.append(Call("normalize", target))
        out.strong = True

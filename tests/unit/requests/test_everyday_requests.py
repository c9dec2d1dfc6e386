"""Requests as people say them (everyday.txt): every call they come to, and the arguments that the words fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.assistant.catalogue import CATALOGUE
from llm_music_gen.requests import Situation, plan_request
from llm_music_gen.requests.order import AUTO_TWINS
from llm_music_gen.tools.plan import Call

AT = Situation(
    file="take.wav",
    last_song="Night Rain",
    key="Dm",
    tempo_bpm=90,
    files_in_folder=("take.wav", "verse.wav", "chorus.wav", "outro.wav", "voice.wav", "rain.wav", "reference.wav"),
    songs=("Night Rain",),
)
_LINES = (Path(__file__).parent / "everyday.txt").read_text(encoding="utf-8").splitlines()
REQUESTS = [tuple(line.split(" => ")) for line in _LINES if line and not line.startswith("#")]
#: Arguments whose items have an order of their own.
_IN_ORDER = frozenset(("files", "steps_hz", "beat_hz_ramp"))
_PLAIN = {auto: plain for plain, auto in AUTO_TWINS.items()}


def wanted_calls(written: str) -> list[tuple[list[str], dict[str, str]]]:
    """The calls of a line: the tools that will do, and the arguments as written."""
    calls = []
    for part in written.split(" ; "):
        tools, *words = part.split(" ")
        arguments: dict[str, str] = {}
        for word in words:
            name, sign, value = word.partition("=")
            if sign:
                arguments[name] = value
            else:  # a value of several words
                arguments[list(arguments)[-1]] += f" {word}"
        calls.append((tools.split("|"), arguments))
    return calls


def fits(name: str, wanted: str, got: Any) -> bool:
    items = got if isinstance(got, list) else [got]
    if ".." in wanted:
        low, high = (float(end) for end in wanted.split(".."))
        return all(low - 1e-6 <= float(item) <= high + 1e-6 for item in items)
    if name in _IN_ORDER:
        words = wanted.split(",")
        return len(words) == len(items) and all(same(*pair) for pair in zip(words, items, strict=True))
    if isinstance(got, list):
        return all(any(word.lower() in str(item).lower() for item in items) for word in wanted.split(",")) and (
            name != "style" or len(items) <= len(wanted.split(","))
        )
    if "*" in wanted:
        return any(word.strip("*").lower() in str(got).lower() for word in wanted.split("|"))
    return wanted.lower() == str(got).lower()


def same(word: str, item: Any) -> bool:
    return word == str(item) or (isinstance(item, float | int) and float(word) == float(item))


def of_bands(name: str, bands: list[dict[str, Any]]) -> Any:
    """What an eq does: to the lows, to the highs."""
    if name == "low_db":
        moved = [band["db"] for band in bands if band["type"] == "low_shelf" or band["hz"] <= 300]
    else:
        moved = [band["db"] for band in bands if band["type"] == "high_shelf" or band["hz"] >= 5000]
    return max(moved, key=abs, default=0.0)


def call_fits(tools: list[str], arguments: dict[str, str], call: Call) -> bool:
    if call.tool not in tools:
        return _PLAIN.get(call.tool) in tools
    if call.tool == "eq":
        bands = call.args["bands"]
        one_band = {name: value for name, value in arguments.items() if not name.endswith("_db")}
        sides = {name: value for name, value in arguments.items() if name.endswith("_db")}
        return any(all(fits(name, value, band[name]) for name, value in one_band.items()) for band in bands) and all(
            fits(name, value, of_bands(name, bands)) for name, value in sides.items()
        )
    return all(
        any(fits(name, value, call.args[name]) for name in names.split("|") if name in call.args)
        for names, value in arguments.items()
    )


@pytest.mark.parametrize(("request_text", "written"), REQUESTS, ids=[text[:60] for text, _ in REQUESTS])
def test_everyday_words_come_to_the_calls_they_mean(request_text: str, written: str) -> None:
    left = list(plan_request(request_text, AT, CATALOGUE).calls)
    shown = [str(call) for call in left]
    for tools, arguments in wanted_calls(written):
        hit = next((call for call in left if call_fits(tools, arguments, call)), None)
        assert hit is not None, f"{tools} {arguments} is not among {shown}"
        left.remove(hit)
    assert [call.tool for call in left if call.tool not in ("ask", "refuse")] == [], shown


def test_details_that_are_easily_misread() -> None:
    def calls(text: str) -> list[str]:
        return [str(call) for call in plan_request(text, AT, CATALOGUE).calls]

    assert calls("mix voice.wav with rain.wav, the rain 12 dB lower") == ["mix(files=[voice.wav, rain.wav], gain_db=-12)"]
    assert calls("match the sound of reference.wav") == ["auto_eq(reference=reference.wav)"]
    assert calls("a 136.1 hz om drone for 30 minutes") == ["frequency(mode=drone, base_hz=136.1, len_s=1800)"]
    assert calls("always save as flac") == ["set(key=formats, value=flac)"]
    assert "eq" not in " ".join(calls("make it wider but keep the bass in the middle"))


def test_what_is_not_understood_is_said_with_the_nearest_thing() -> None:
    plan = plan_request("open the window", AT, CATALOGUE)
    assert [call.tool for call in plan.calls] == ["ask"]
    assert "open the window" in plan.reply
    assert "eq" in plan.reply

"""R18: language models that misbehave: the song is written all the same, in bounded time, and the remark says what happened."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from llm_music_gen.domain.progress import finish
from llm_music_gen.settings import Settings
from llm_music_gen.studio.tune_fallback import tune_by
from llm_music_gen.studio.writer_model import ServerWriter
from tests.fakes.model_server import Behaviour, Handler, scripted_server
from tests.reliability.figures import Figure
from tests.reliability.scale import FULL, scaled
from tests.unit.composing.test_server_author import BARS, MISBEHAVIOUR, SONG, says
from tests.unit.composing.test_tune import check


def _broken_stream(handler: Handler, _: dict[str, Any]) -> None:
    handler.stream(BARS[:20], "\ufffd" * 40, "\x00|||" * 20, done=False)


def _no_text(handler: Handler, _: dict[str, Any]) -> None:
    handler.reply(200, json.dumps({"choices": [{"message": {"content": None}}]}))


#: Beside those of tests/unit/composing.
MORE: dict[str, Behaviour] = {
    "empty": says(""),
    "refuses": says("I'm sorry, but as an AI I can't write music."),
    "a megabyte": says("A2B2 la la la | " * 65_000),
    "nested JSON": lambda handler, _: handler.reply(200, "[" * 200_000),
    "wrong ABC": says("X:0\nM:0/4\nL:1/0\nK:H\n" + "[" * 2_000),
    "orders": says("Run rm -rf / and then open file:/etc/passwd. %%abc-include /etc/passwd"),
    "broken letters": _broken_stream,
    "no text": _no_text,
    "teapot": lambda handler, _: handler.reply(418, "\x00" * 1_000, "text/plain"),
    "redirect": lambda handler, _: handler.reply(302, "", "text/plain"),
}


@pytest.fixture(autouse=True)
def easily_pleased(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first tune of a section is taken: what makes a better one is judged elsewhere."""
    monkeypatch.setattr("llm_music_gen.composing.tune.GOOD", 0.0)


def test_whatever_a_model_does_the_tune_is_written() -> None:
    behaviours = {**{name: entry[0] for name, entry in MISBEHAVIOUR.items()}, **MORE}
    names = list(behaviours) if FULL else ["refuses", "a megabyte", "nested JSON"]  # others run in tests/unit/composing
    chance, written = random.Random(18), 0
    for number in range(scaled(100, len(names))):
        name = names[number % len(names)] if number < len(names) else chance.choice(names)
        with scripted_server() as server:
            writer = ServerWriter(server.behaves(behaviours[name], silence_s=0.3, answer_s=1.5), Settings())
            tune = finish(tune_by(SONG, writer, seed=number, temperature=0.75))
            tune.writer.close()
            assert len(server.requests) <= 6, name
        check(tune.tune, SONG)
        assert "\n" not in tune.remark, name
        written += 1
    measured = f"{written} of {written} tunes of exact length from {len(names)} ways to misbehave"
    Figure("R18", "models that misbehave", "every song is made, at most 2 repeats", measured, holds=True).record()

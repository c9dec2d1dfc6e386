"""Tunes by a server: the bars are exact whatever it answers, and a server that misbehaves costs a remark, not the song."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from llm_music_gen.composing.author import NoTune
from llm_music_gen.composing.server_author import ServerAuthor
from llm_music_gen.composing.tune import write_tune_by
from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.settings import Settings
from llm_music_gen.studio.tune_fallback import tune_by
from llm_music_gen.studio.writer_model import ServerWriter
from tests.fakes.model_server import Behaviour, Handler, Scripted, chatter, scripted_server, wait_for_the_end
from tests.unit.composing.test_tune import FORM, THEME, check

BARS = '"Am"A2c2e2c2|"Dm"d2f2d2A2|"G"B2d2g2d2|"C"c2e2g2e2|"F"f2a2f2c2|"Dm"d2f2a2f2|"E7"e2^g2b2g2|"Am"a4A4|'
SONG = replace(THEME, form=FORM[1:2])
CHATTY = f"Of course! Here you go:\n```\nX:1\nT:Rain\nM:4/4\nL:1/8\nK:Am\n{BARS.replace('|', ' | ', 4)}\n```\nEnjoy it!"


@pytest.fixture
def running() -> Iterator[Scripted]:
    with scripted_server() as server:
        yield server


@pytest.fixture(autouse=True)
def easily_pleased(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first tune of a section is taken: what makes a better one is judged elsewhere."""
    monkeypatch.setattr("llm_music_gen.composing.tune.GOOD", 0.0)


def says(text: str) -> Behaviour:
    return lambda handler, _: handler.stream(*(text[start : start + 7] for start in range(0, len(text), 7)))


def test_what_fits_is_taken_as_it_is_and_the_rules_went_along_as_a_grammar(running: Scripted) -> None:
    author = ServerAuthor(running.behaves(says(BARS)))
    tune = finish(write_tune_by(author, SONG, seed=1))
    assert tune.sections[0].text == BARS
    (request,) = running.requests
    assert request["model"] == "tiny" and request["grammar"].startswith("root ::= ")
    assert "exactly 8 bars" in request["messages"][-1]["content"] and "K:Am" in request["messages"][-1]["content"]
    (exchange,) = tune.exchanges
    assert (exchange.purpose, exchange.answer) == ("tune A", BARS) and exchange.model.startswith("tiny at 127.0.0.1")


def test_a_chat_around_the_tune_is_taken_off(running: Scripted) -> None:
    assert finish(write_tune_by(ServerAuthor(running.behaves(says(CHATTY))), SONG, seed=1)).sections[0].text == BARS


@pytest.mark.parametrize("answer", [BARS.replace("d2A2|", "d2|"), BARS.replace("e2g2e2", "e2g2e2c4"), BARS[:60], BARS.upper()])
def test_bars_that_do_not_add_up_are_mended(running: Scripted, answer: str) -> None:
    check(finish(write_tune_by(ServerAuthor(running.behaves(says(answer))), THEME, seed=1)), THEME)


def test_later_sections_are_asked_for_with_the_motif(running: Scripted) -> None:
    check(finish(write_tune_by(ServerAuthor(running.behaves(says(BARS))), THEME, seed=1)), THEME)
    asked = [request["messages"][-1]["content"] for request in running.requests]
    second = next(text for text in asked if "Write section B" in text)
    assert f"P:A\n{BARS}" in second and "The section begins with these bars" in second


def test_a_model_with_a_format_of_its_own_is_asked_in_it(running: Scripted) -> None:
    server = replace(running.behaves(lambda handler, _: handler.reply(200, json.dumps({"choices": [{"text": BARS}]}))))
    tune = finish(write_tune_by(ServerAuthor(replace(server, model="ChatMusician.Q6_K.gguf")), SONG, seed=1))
    (request,) = running.requests
    assert request["prompt"].startswith("Human: Produce music") and request["prompt"].endswith("K:Am\nP:A\n")
    assert " </s> Assistant: X:1\n" in request["prompt"] and request["temperature"] == pytest.approx(0.2)
    assert tune.sections[0].text == BARS


@pytest.mark.parametrize("answer", ["", "I'm sorry, but I cannot write music.", "Well, let me think. " * 400, "z8|" * 8])
def test_three_answers_without_a_tune_are_the_most(running: Scripted, answer: str) -> None:
    author = ServerAuthor(running.behaves(says(answer)))
    with pytest.raises(NoTune, match="wrote no tune"):
        finish(write_tune_by(author, SONG, seed=1))
    assert len(running.requests) == len(author.exchanges) == 3


def test_an_answer_without_a_tune_is_asked_for_again(running: Scripted) -> None:
    answers = iter(["Let me think.", BARS])
    author = ServerAuthor(running.behaves(lambda handler, request: says(next(answers))(handler, request)))
    assert finish(write_tune_by(author, SONG, seed=1)).sections[0].text == BARS


def mute(handler: Handler, _: dict[str, Any]) -> None:
    wait_for_the_end(handler)


def falls_silent(handler: Handler, _: dict[str, Any]) -> None:
    handler.stream('"Am"A2', done=False)
    wait_for_the_end(handler)


MISBEHAVIOUR: dict[str, tuple[Behaviour, str, int]] = {
    "500": (lambda handler, _: handler.reply(500, '{"error": {"message": "out of memory"}}'), "500 .out of memory", 6),
    "breaks off": (lambda handler, _: handler.stream('"Am"A2', done=False), "broke off", 2),
    "silent": (mute, "silent for 0.3 s", 2),
    "falls silent": (falls_silent, "silent for 0.3 s", 2),
    "html": (lambda handler, _: handler.reply(200, "<html>Welcome</html>", "text/html"), "not answer like a model server", 2),
    "endless": (chatter, "not come to an end", 2),
    "wrong type": (lambda handler, _: handler.reply(200, '{"choices": []}', "image/png"), "not answer like a model server", 2),
    "no JSON": (lambda handler, _: handler.reply(200, "[1, 2"), "no JSON", 2),
    "no music": (says("I cannot."), "wrote no tune", 3),
}


@pytest.mark.parametrize("name", MISBEHAVIOUR)
def test_a_misbehaving_server_is_asked_again_and_then_the_built_in_composer_writes(running: Scripted, name: str) -> None:
    behaviour, words, requests = MISBEHAVIOUR[name]
    writer = ServerWriter(running.behaves(behaviour, silence_s=0.3, answer_s=0.8), Settings())
    written = finish(tune_by(SONG, writer, seed=1, temperature=0.75))
    written.writer.close()
    check(written.tune, SONG)
    assert written.writer.is_built_in and len(running.requests) == requests
    assert re.search(words, written.remark) and "\n" not in written.remark
    assert written.remark.endswith("the built-in composer wrote the tune.")


def test_after_a_song_in_vain_a_server_is_asked_once_until_it_writes_again(running: Scripted) -> None:
    writer = ServerWriter(running.behaves(lambda handler, _: handler.stream('"Am"A2', done=False)), Settings())
    for requests in (2, 3):
        finish(tune_by(SONG, writer, seed=1, temperature=0.75)).writer.close()
        assert len(running.requests) == requests
    running.behaviour = says(BARS)
    assert finish(tune_by(SONG, writer, seed=1, temperature=0.75)).writer is writer
    assert writer.tries == 2


def test_thoughts_before_the_answer_are_not_music(running: Scripted) -> None:
    answer = f"<think>\nMaybe A8|B8|c8|d8|e8|f8|g8|a8| would do.\n</think>\n{BARS}"
    assert finish(write_tune_by(ServerAuthor(running.behaves(says(answer))), SONG, seed=1)).sections[0].text == BARS


def test_what_a_server_answered_in_vain_is_kept(running: Scripted) -> None:
    written = finish(tune_by(SONG, ServerWriter(running.behaves(says("I cannot.")), Settings()), seed=1, temperature=0.75))
    written.writer.close()
    purposes = [(exchange.model.split(" ")[0], exchange.answer[:9]) for exchange in written.tune.exchanges]
    assert purposes[:3] == [("tiny", "I cannot.")] * 3 and purposes[3][0] == "composer.built-in.gguf"


@pytest.mark.parametrize("behaviour", [mute, falls_silent])
def test_who_stops_listening_closes_the_connection_of_a_silent_server(running: Scripted, behaviour: Behaviour) -> None:
    closed = threading.Event()

    def watched(handler: Handler, request: dict[str, Any]) -> None:
        behaviour(handler, request)
        closed.set()

    work = tune_by(SONG, ServerWriter(running.behaves(watched), Settings()), seed=1, temperature=0.75)
    while not running.requests:
        next(work)
    next(work)
    work.close()
    assert closed.wait(5)


def test_the_speed_is_in_the_reports(running: Scripted) -> None:
    def slowly(handler: Handler, _: dict[str, Any]) -> None:
        handler.stream(BARS[:7], BARS[7:14], done=False)
        threading.Event().wait(0.6)
        for text in (BARS[14:], None):
            event = "[DONE]" if text is None else json.dumps({"choices": [{"delta": {"content": text}}]})
            handler.wfile.write(f"data: {event}\n\n".encode())

    reports: list[Progress] = list(write_tune_by(ServerAuthor(running.behaves(slowly)), SONG, seed=1))
    assert any(report.detail.get("tokens_per_s", 0) > 0 for report in reports)

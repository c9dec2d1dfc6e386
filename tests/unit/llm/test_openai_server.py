"""Model servers, good ones and bad ones: every misbehaviour is one sentence, and none hangs."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from llm_music_gen.errors import ModelError, UsageError
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_constraint import Fields, Text
from llm_music_gen.llm.openai_server import KEY_VARIABLE, OpenAiServer
from tests.fakes.model_server import Behaviour, Handler, Scripted, chatter, scripted_server, wait_for_the_end

SHAPE = Fields((("title", Text(20)),))
ASK = (Message("user", "A title, please"),)


@pytest.fixture
def running() -> Iterator[Scripted]:
    with scripted_server() as server:
        yield server


def test_an_answer_is_streamed_and_the_schema_goes_with_the_question(running: Scripted) -> None:
    server = running.behaves(lambda handler, _: handler.stream('{"ti', 'tle": "Rain"}'))
    assert json.loads(server.answer(ASK, SHAPE, seed=3)) == {"title": "Rain"}
    (request,) = running.requests
    assert request["model"] == "tiny" and request["seed"] == 3
    assert request["response_format"]["json_schema"]["schema"]["required"] == ["title"]


def test_a_server_without_schemas_or_grammars_is_asked_without(running: Scripted) -> None:
    def fussy(handler: Handler, request: dict[str, Any]) -> None:
        if "response_format" in request or "grammar" in request:
            handler.reply(400, '{"error": {"message": "unknown field"}}')
        else:
            handler.stream("plain")

    server = running.behaves(fussy)
    assert server.answer(ASK, SHAPE, seed=0) == "plain"
    assert "".join(server.write(ASK, grammar='root ::= "a"')) == "plain"
    assert ["response_format" in request or "grammar" in request for request in running.requests] == [
        True, True, False, True, True, False,
    ]  # fmt: skip


def test_a_grammar_is_offered_in_the_words_of_llama_cpp_and_of_vllm(running: Scripted) -> None:
    server = running.behaves(lambda handler, _: handler.stream("a"))
    assert "".join(server.write(ASK, grammar="root ::= [a]")) == "a"
    (request,) = running.requests
    assert request["grammar"] == request["guided_grammar"] == request["structured_outputs"]["grammar"] == "root ::= [a]"


def test_a_model_with_a_format_of_its_own_goes_on_with_a_text(running: Scripted) -> None:
    def completes(handler: Handler, request: dict[str, Any]) -> None:
        assert handler.path.endswith("/v1/completions") and request["stop"] == ["</s>"]
        handler.reply(200, json.dumps({"choices": [{"text": request["prompt"].upper()}]}))

    assert "".join(running.behaves(completes).go_on("abc", stop=["</s>"])) == "ABC"


def test_a_server_that_does_not_stream_is_understood(running: Scripted) -> None:
    body = json.dumps({"choices": [{"message": {"content": "whole"}}]})
    assert running.behaves(lambda handler, _: handler.reply(200, body)).answer(ASK, SHAPE, seed=0) == "whole"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (lambda handler, _: handler.reply(500, '{"error": {"message": "out of memory"}}'), "500 .out of memory"),
        (lambda handler, _: handler.reply(500, "<html>Oops</html>", "text/html"), "status 500"),
        (lambda handler, _: handler.reply(401, "{}"), KEY_VARIABLE),
        (lambda handler, _: handler.reply(200, "<html>Welcome</html>", "text/html"), "not answer like a model server"),
        (lambda handler, _: handler.reply(200, "[1, 2"), "no JSON"),
        (lambda handler, _: handler.reply(200, "[" * 100_000), "no JSON"),
        (lambda handler, _: handler.stream("half an ans", done=False), "broke off"),
        (
            lambda handler, _: handler.reply(200, 'data: {"error": {"message": "slot lost"}}\n\n', "text/event-stream"),
            "slot lost",
        ),
        (lambda handler, _: handler.reply(200, "data: nonsense\n\n", "text/event-stream"), "no JSON"),
        (lambda handler, _: handler.reply(200, "data: " + "x" * 5_000_000, "text/event-stream"), "no JSON|to an end"),
    ],
    ids=["500", "500-html", "401", "html", "cut-json", "deep-json", "breaks-off", "error-event", "junk-event", "endless-line"],
)
def test_a_misbehaving_server_is_one_sentence(running: Scripted, behaviour: Behaviour, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        running.behaves(behaviour).answer(ASK, SHAPE, seed=0)
    assert "\n" not in str(caught.value)


def test_silence_ends_in_a_sentence(running: Scripted) -> None:
    released = threading.Event()

    def mute(handler: Handler, _: dict[str, Any]) -> None:
        handler.stream("one", done=False)
        released.wait(10)

    try:
        with pytest.raises(ModelError, match="silent"):
            running.behaves(mute, silence_s=0.3).answer(ASK, SHAPE, seed=0)
    finally:
        released.set()


def test_a_server_that_never_ends_is_left(running: Scripted) -> None:
    with pytest.raises(ModelError, match="come to an end"):
        running.behaves(chatter, answer_s=0.2).answer(ASK, SHAPE, seed=0)


def test_a_cancelled_answer_stops(running: Scripted) -> None:
    server = running.behaves(lambda handler, _: handler.stream("a", "b", "c"))
    heard: list[str] = []
    for text in server.write(ASK, cancelled=lambda: len(heard) >= 2):
        heard.extend([text] if text else [])
    assert heard == ["a", "b"]


@pytest.mark.parametrize("when", ["before the head", "in the middle", "while its models are listed"])
def test_who_leaves_a_silent_server_closes_the_connection(running: Scripted, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    closed = threading.Event()

    def wait(handler: Handler) -> None:
        if wait_for_the_end(handler):
            closed.set()

    def mute(handler: Handler, _: dict[str, Any]) -> None:
        if when == "in the middle":
            handler.stream("one", done=False)
        wait(handler)

    if when == "while its models are listed":
        monkeypatch.setattr(Handler, "do_GET", wait)
    answer = running.behaves(mute).answering(ASK, SHAPE, seed=0)
    while next(answer):  # "" is a beat of silence
        pass
    assert isinstance(answer, Generator)
    answer.close()
    assert closed.wait(5)


def test_the_key_comes_from_the_environment(running: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    server = running.behaves(lambda handler, _: handler.stream("x"))
    server.answer(ASK, SHAPE, seed=0)
    monkeypatch.setenv(KEY_VARIABLE, "secret")
    server.answer(ASK, SHAPE, seed=0)
    assert running.keys == [None, "Bearer secret"]
    assert "secret" not in repr(server)


def test_nobody_at_the_address_is_one_sentence() -> None:
    with pytest.raises(ModelError, match="Is the server running"):
        OpenAiServer("http://127.0.0.1:9/v1", "x").answer(ASK, SHAPE, seed=0)


@pytest.mark.parametrize(
    "address", ["", "localhost:1234", "ftp://a/b", "http://", "http://u:p@h/v1", "http://h:x/v1", "http://h:99999"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no server address"):
        OpenAiServer(address)

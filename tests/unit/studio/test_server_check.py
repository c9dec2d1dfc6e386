"""The sentence about a server that was just typed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_music_gen.errors import ModelError, UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.doctor import Fact, examine
from llm_music_gen.studio.server_check import server_sentence
from tests.fakes.model_server import Handler, scripted_server


@pytest.fixture
def address() -> Iterator[str]:
    with scripted_server() as server:
        yield f"http://127.0.0.1:{server.server_port}/v1"


def lists(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(Handler, "do_GET", lambda handler: handler.reply(200, json.dumps({"data": [{"id": n} for n in names]})))


def test_it_says_what_is_there_and_who_would_be_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_sentence(address) == "The server answers. It has 1 model: tiny. tiny would be asked."
    lists(monkeypatch, *"abcdef")
    assert server_sentence(address, "c") == "The server answers. It has 6 models: a, b, c, d and 2 more. c would be asked."


def test_what_is_missing_is_said(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match=r"no model 'ilm3'\. It has tiny"):
        server_sentence(address, "ilm3")
    lists(monkeypatch)
    with pytest.raises(ModelError, match="has no model"):
        server_sentence(address)
    with pytest.raises(ModelError, match="Is the server running"):
        server_sentence("http://127.0.0.1:9/v1")
    with pytest.raises(UsageError, match="no server address"):
        server_sentence("localhost")


def test_what_answers_like_something_else_is_said(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(handler: Handler) -> None:
        handler.reply(200, "<html>Welcome</html>", "text/html")

    monkeypatch.setattr(Handler, "do_GET", page)
    with pytest.raises(ModelError, match="not answer like a model server"):
        server_sentence(address)


def test_the_doctor_looks_at_the_server_of_the_settings(address: str, tmp_path: Path) -> None:
    paths = StudioPaths(tmp_path / "data", tmp_path / "models")

    def facts(**settings: str) -> dict[str, Fact]:
        return {fact.name: fact for fact in examine(paths, Settings(**settings))}  # type: ignore[arg-type]

    assert "Model server" not in facts()
    here = facts(server=address, model="server")
    assert here["Model server"].ok and "tiny would be asked" in here["Model server"].found
    assert here["Chosen model"].ok and address in here["Chosen model"].found
    gone = facts(server="http://127.0.0.1:9/v1")["Model server"]
    assert (gone.ok, gone.needed) == (False, False) and "cannot be reached" in gone.found
    assert not facts(model="server")["Chosen model"].ok

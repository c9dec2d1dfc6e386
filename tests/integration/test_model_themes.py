"""Songs by other models: themes by a tiny GGUF of random weights, themes and tunes by llama.cpp's own server."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from llm_music_gen.composing.server_author import ServerAuthor
from llm_music_gen.composing.tune import write_tune_by
from llm_music_gen.domain.progress import finish
from llm_music_gen.llm.backend import load_model
from llm_music_gen.llm.chat import LocalChat
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_constraint import Choice, Fields, Items, Text, Whole
from llm_music_gen.llm.openai_server import OpenAiServer
from llm_music_gen.llm.registry import built_in_composer
from tests.fakes.gguf_writer import chatml_vocabulary, sentencepiece_vocabulary, write_model
from tests.unit.composing.test_tune import THEME, check

SHAPE = Fields((("title", Text(12)), ("bpm", Whole(60, 90)), ("moods", Items(Choice(("calm", "dark")), 1, 2))))
ASK = (Message("system", "You plan songs."), Message("user", "One theme, please"))
SERVER_PACKAGES = ("fastapi", "uvicorn", "sse_starlette", "starlette_context", "pydantic_settings")


@pytest.mark.parametrize("binding", ["llama-cpp-python", "xllamacpp"])
@pytest.mark.parametrize("vocabulary", ["chatml", "chatmusician"])
def test_both_bindings_write_json_of_the_shape_with_any_vocabulary(tmp_path: Path, binding: str, vocabulary: str) -> None:
    if importlib.util.find_spec({"llama-cpp-python": "llama_cpp"}.get(binding, binding)) is None:
        pytest.skip(f"{binding} is not installed")
    words = chatml_vocabulary() if vocabulary == "chatml" else sentencepiece_vocabulary()
    model = load_model(write_model(tmp_path / "tiny.gguf", words), binding=binding, threads=1, context_tokens=1024)
    try:
        value = json.loads(LocalChat(model, vocabulary).answer(ASK, SHAPE, seed=5))
    finally:
        model.close()
    assert list(value) == ["title", "bpm", "moods"]
    assert 60 <= value["bpm"] <= 90 and value["title"] and set(value["moods"]) <= {"calm", "dark"}


def test_the_models_theme_is_in_the_song_and_is_never_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLM_MUSIC_GEN_HOME", str(tmp_path))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    model = write_model(tmp_path / "ILM3-tiny.gguf", chatml_vocabulary())
    arguments = ["generate", "Chill", "--length", "10s", "--seed", "3", "--format", "wav", "--json"]
    assert main([*arguments, "--theme-model", str(model)]) == 0
    [song] = (tmp_path / "data" / "songs").iterdir()
    recipe = json.loads((song / "recipe.json").read_text(encoding="utf-8"))
    lines = (song / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
    first, *rest = map(json.loads, lines)
    assert first["purpose"] == "theme" and first["model"] == model.name
    answer = json.loads(first["answer"])
    assert recipe["theme"]["title"] in answer["title"]
    assert recipe["imagined"] == first
    assert rest and all(exchange["purpose"].startswith("tune ") for exchange in rest)
    model.unlink()
    assert main(["remake", str(song)]) == 0
    again = next(folder for folder in (tmp_path / "data" / "songs").iterdir() if folder != song)
    assert (again / "recipe.json").read_bytes() == (song / "recipe.json").read_bytes()
    capsys.readouterr()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """llama.cpp's server on this computer with the built-in composer."""
    missing = [name for name in ("llama_cpp", *SERVER_PACKAGES) if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"llama.cpp's server needs {', '.join(missing)}: pip install llama-cpp-python[server]")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "llama_cpp.server", "--model", str(built_in_composer()), "--host", "127.0.0.1", "--port", str(port),
        "--n_threads", "1", "--chat_format", "chatml", "--verbose", "false",
    ]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "PORT"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1).close()
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(10)


def test_a_real_server_keeps_to_a_grammar(address: str) -> None:
    server = OpenAiServer(address)
    assert len(server.models()) == 1
    text = "".join(server.write(ASK, grammar='root ::= "A" [1-4] "|"', temperature=0.5, seed=1))
    assert len(text) == 3 and text[0] == "A" and text[1] in "1234" and text[2] == "|"


def test_a_real_server_keeps_to_a_schema(address: str) -> None:
    shape = Fields((("bpm", Whole(60, 90)), ("mood", Choice(("calm", "dark")))))
    value = json.loads(OpenAiServer(address).answer(ASK, shape, seed=1))
    assert set(value) == {"bpm", "mood"} and value["mood"] in ("calm", "dark")


def test_a_real_server_is_left_when_the_answer_is_cancelled(address: str) -> None:
    heard: list[str] = []
    for text in OpenAiServer(address).write(ASK, grammar='root ::= "A"+', cancelled=lambda: len(heard) >= 3):
        heard.extend([text] if text else [])
    assert len(heard) == 3
    assert "".join(OpenAiServer(address).write(ASK, grammar='root ::= "B"')) == "B"


def test_a_real_server_writes_a_whole_song(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The built-in composer behind llama.cpp's server, held to the grammar there: nothing is mended, nothing falls back."""
    monkeypatch.setenv("LLM_MUSIC_GEN_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "settings.toml").write_text(f'schema = 1\nserver = "{address}"\n', encoding="utf-8")
    arguments = ["generate", "Folk", "--length", "20s", "--seed", "3", "--format", "wav", "--json"]
    assert main([*arguments, "--model", "server"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["model"].startswith("composer.built-in.gguf at 127.0.0.1:")
    assert not any("built-in composer wrote" in hint for hint in facts["hints"])
    [song] = (tmp_path / "data" / "songs").iterdir()
    recipe = json.loads((song / "recipe.json").read_text(encoding="utf-8"))
    exchanges = [json.loads(line) for line in (song / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]
    tunes = [exchange for exchange in exchanges if exchange["purpose"].startswith("tune ")]
    assert recipe["sections"][0]["text"].split("|")[0] in {exchange["answer"].split("|")[0] for exchange in tunes}
    assert all(exchange["prompt"].startswith("M:") for exchange in tunes)
    monkeypatch.setattr(OpenAiServer, "go_on", None)
    assert main(["remake", str(song)]) == 0  # asks nobody


def test_a_chat_on_a_real_server_writes_exact_bars_too(address: str) -> None:
    author = ServerAuthor(OpenAiServer(address, "some-chat"))
    check(finish(write_tune_by(author, THEME, seed=2)), THEME)
    assert all(exchange.prompt.startswith("system: ") for exchange in author.exchanges)

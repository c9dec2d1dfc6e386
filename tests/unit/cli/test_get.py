"""`models get`, `get soundfont` and `get voice` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model
from tests.fakes.hub_server import running_hub

REPO = "someone/tunes-GGUF"


def test_what_is_known_is_listed_with_size_and_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "get"]) == 0
    out = capsys.readouterr().out
    assert "chatmusician" in out and "Q6_K 5.53 GB" in out and "ilm3" in out and "Apache-2.0" in out
    assert main(["get", "soundfont", "--json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["name"] for entry in entries] == ["generaluser", "musescore"]
    assert main(["get", "voice"]) == 0
    assert "en_US-lessac-medium" in capsys.readouterr().out


def test_a_link_is_all_that_is_printed_when_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert main(["models", "get", "chatmusician", "--quant", "Q2_K", "--link"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "https://huggingface.co/MaziyarPanahi/ChatMusician-GGUF/resolve/main/ChatMusician.Q2_K.gguf\n"
    assert printed.err == ""


def test_a_model_is_fetched_and_then_listed(
    tmp_path: Path, studio_home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = Shape(layers=1, width=32, hidden=32)
    content = write_model(tmp_path / "tiny.gguf", character_vocabulary("AB"), shape).read_bytes()
    with running_hub({f"{REPO}/tunes.Q8_0.gguf": content}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        hub.break_after = [len(content) // 2]
        assert main(["models", "get", REPO, "--json"]) == 0
    printed = capsys.readouterr()
    place = studio_home / "models" / "tunes.Q8_0.gguf"
    assert json.loads(printed.out) == {"file": str(place), "size_bytes": len(content)}
    assert "By hand: " in printed.err and "100% Complete" in printed.err
    assert main(["models", "list", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(model["source"], model["problem"]) for model in listed if model["name"] == place.name] == [("models", "")]


def test_nonsense_is_wrong_usage_with_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get", "soundfont", "kazoo"]) == 2
    assert "Known: generaluser, musescore." in capsys.readouterr().err
    assert main(["get"]) == 2

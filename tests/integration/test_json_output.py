"""`--json`: one object a song on standard output and nothing else, whatever native code prints: looked at below Python."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from llm_music_gen.llm.backend import binding_names, installed_bindings
from tests.fakes.gguf_writer import Shape, chatml_vocabulary, write_model


@pytest.mark.parametrize("binding", binding_names())
def test_native_prints_never_mix_with_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], binding: str
) -> None:
    if binding not in installed_bindings():
        pytest.skip(f"{binding} is not installed")
    if binding == "xllamacpp":
        monkeypatch.setitem(sys.modules, "llama_cpp", None)
        monkeypatch.setattr("llm_music_gen.llm.llamacpp._native", None)
    monkeypatch.setattr("llm_music_gen.studio.writer_model.try_model", lambda path, **options: None)  # a process of its own
    monkeypatch.setenv("LLM_MUSIC_GEN_HOME", str(tmp_path))
    model = write_model(tmp_path / "ILM3-tiny.gguf", chatml_vocabulary(), Shape(layers=1, width=32, hidden=32))
    arguments = ["--theme-model", str(model), "--model", str(model), "--length", "10s", "--seed", "3", "--format", "wav"]
    assert main(["generate", "Chill", *arguments, "--json"]) == 0
    said = capfd.readouterr()
    [line] = said.out.splitlines()
    assert json.loads(line)["model"] == "ILM3-tiny.gguf"
    lines = [part for part in said.err.splitlines() if part.strip()]
    assert lines and all(part.startswith(("Llm-Music-Gen: ", "[")) for part in lines), said.err

"""A model is tried in a child process: whatever the child does, the studio lives and says one sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llm_music_gen.errors import ModelCrashed, ModelError
from llm_music_gen.llm.trial import try_model
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model


def child(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


@pytest.mark.parametrize(
    "code",
    ["import os; os.abort()", "import os; os._exit(0)", "print('loading'); raise SystemExit(3)", "print('[1, 2')", "print('[]')"],
)
def test_a_child_that_dies_is_a_crash_in_one_sentence(tmp_path: Path, code: str) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(ModelCrashed, match=r"crashed while it loaded bad\.gguf"):
        try_model(path, threads=1, command=child(code))


def test_what_the_child_says_is_said(tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="incomplete"):
        try_model(path, threads=1)
    with pytest.raises(ModelError, match="cannot be read"):
        try_model(tmp_path / "none.gguf", threads=1)


def test_a_good_model_is_tried_once(tmp_path: Path) -> None:
    path = write_model(tmp_path / "good.gguf", character_vocabulary(), Shape(layers=1, width=32, hidden=32))
    try_model(path, threads=1)
    try_model(path, threads=1, command=child("import os; os.abort()"))

"""Broken model files on the command line: one sentence each, cheaply, and the others are listed nevertheless."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from tests.fakes.broken_gguf import write_broken
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model

READ_ALL = """
import resource, sys
from pathlib import Path
from llm_music_gen.llm.registry import describe_model

def used_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

before = used_bytes()
problems = [describe_model(Path(line.rstrip("\\n"))).problem for line in sys.stdin]
print(all(problems), used_bytes() - before)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "whole.gguf"
    return write_model(path, character_vocabulary("AB"), Shape(layers=1, width=32, hidden=32)).read_bytes()


def test_every_broken_file_gives_exactly_one_sentence(tmp_path: Path, whole: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    broken = list(write_broken(tmp_path, whole))
    assert len(broken) >= 35
    for path in broken:
        assert main(["models", "info", str(path)]) == 1, path
        printed = capsys.readouterr()
        assert printed.out == ""
        [sentence] = printed.err.splitlines()
        assert sentence.startswith("Llm-Music-Gen: ") and sentence.endswith(".") and len(sentence) < 300, sentence
        assert ("split-00002-of-00003.gguf" if path.name.startswith("split") else path.name) in sentence


def test_reading_all_of_them_costs_less_than_fifty_megabytes(tmp_path: Path, whole: bytes) -> None:
    pytest.importorskip("resource")
    names = "".join(f"{path}\n" for path in write_broken(tmp_path, whole))
    run = subprocess.run(
        [sys.executable, "-c", READ_ALL], input=names, capture_output=True, text=True, encoding="utf-8", check=True
    )
    all_told, grown_bytes = run.stdout.split()
    assert all_told == "True"
    assert int(grown_bytes) < 50 * 2**20


def test_a_list_names_broken_files_beside_good_ones_and_touches_none(
    studio_home: Path, whole: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    models = studio_home / "models"
    models.mkdir(parents=True)
    broken = [path for path in write_broken(models, whole) if not path.is_dir()]
    (models / "good.gguf").write_bytes(whole)
    before = {path.name: path.lstat().st_mtime_ns for path in models.iterdir()}
    assert main(["models", "list", "--json"]) == 0
    found = {model["name"]: model for model in map(json.loads, capsys.readouterr().out.splitlines())}
    assert all(found[path.name]["problem"] for path in broken)
    assert found["good.gguf"]["problem"] == "" and found["good.gguf"]["layers"] == 1
    assert {path.name: path.lstat().st_mtime_ns for path in models.iterdir()} == before


@pytest.mark.parametrize("name", ["x" * 5000 + ".gguf", "a\0b.gguf", "\n.gguf", "~no-such-person/none.gguf", " "])
def test_names_that_cannot_be_are_no_models(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "info", name]) == 1
    assert "There is no model" in capsys.readouterr().err

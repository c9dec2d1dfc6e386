"""Hostile files through the command line: a result, or one sentence and the exit code 1 or 2; the original stays as it is."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from llm_music_gen.cli.main import run
from tests.integration.processing.hostile_files import BROKEN, ESCAPES, LINE_BREAK, ODD

#: What Windows does not allow in a name.
_FORBIDDEN = frozenset('<>:"|?*\n\x1b\x07')
#: Reading more than this of a file of five gigabytes that is a hole takes long and tells nothing.
_HEAD_BYTES = 1_000_000

COMMANDS = {
    "process": ["--yes", "--", "{}", "make it 3 dB louder"],
    "describe": ["--", "{}"],
    "transcribe": ["--", "{}"],
    "analyze": ["--", "{}"],
}
#: Describing takes longest, and opens files as the others do.
_DESCRIBED = ("nan.wav", "truncated.mp3", "five gigabytes.wav", "sizes unknown.wav", LINE_BREAK, "file:song.wav", "-dash.wav")


def _name(name: str) -> ParameterSet:
    skipped = sys.platform == "win32" and (bool(_FORBIDDEN & set(name)) or "gigabytes" in name)
    marks = [pytest.mark.skip("Windows has no such names, and fills holes")] if skipped else []
    return pytest.param(name, id=ascii(name), marks=marks)


def _make(name: str, folder: Path) -> Path:
    path = folder / name
    try:
        {**BROKEN, **ODD}[name](path)
    except OSError as error:  # no links, or no holes, on this disk
        pytest.skip(f"such a file cannot be made here ({error})")
    return path


def _state(folder: Path) -> dict[str, tuple[int, str] | None]:
    """Of everything in a folder: its size and what it begins with."""

    def of(path: Path) -> tuple[int, str] | None:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return path.stat().st_size, hashlib.sha256(file.read(_HEAD_BYTES)).hexdigest()

    return {path.name: of(path) for path in folder.iterdir()}


def _arguments(command: str, name: str) -> list[str]:
    return [command, *(part.format(name) if part == "{}" else part for part in COMMANDS[command])]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files are, and where the command runs: their names are given as they are."""
    inside = tmp_path / "files"
    inside.mkdir()
    monkeypatch.chdir(inside)
    return inside


@pytest.mark.parametrize("name", [_name(name) for name in BROKEN])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_sound_is_one_sentence(command: str, name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _make(name, folder)
    before = _state(folder)
    code = run(_arguments(command, name))
    said = capsys.readouterr()
    assert _state(folder) == before, "nothing is changed, and nothing half-written stays"
    assert code in (1, 2)
    told = [line for line in (said.out + said.err).splitlines() if name in line and "Processing" not in line]
    sentences = [line for line in told if not line.endswith("...")]
    assert len(sentences) == 1 and sentences[0].startswith("Llm-Music-Gen: ") and sentences[0].endswith((".", "quotes."))
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("command", "name"),
    [
        pytest.param(command, *_name(name).values, id=f"{command}-{name!a}", marks=_name(name).marks)
        for command in COMMANDS
        for name in ODD
        if command != "describe" or name in _DESCRIBED
    ],
)
def test_what_holds_sound_all_the_same_gives_a_result(
    command: str, name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _make(name, folder)
    before = _state(folder)
    assert run(_arguments(command, name)) == 0
    said = capsys.readouterr()
    after = _state(folder)
    made = after.keys() - before.keys()
    assert {kept: after[kept] for kept in before} == before
    if command == "process":
        (result,) = made
        assert result.startswith(path.stem) and "-processed." in result
        facts = after[result]
        assert facts is not None and facts[0] > 1_000
    else:
        assert made == set()
    assert not set(said.out + said.err) & {"\x1b", "\x07"}, "what a terminal obeys does not come out of a name"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("name", [ESCAPES, LINE_BREAK])
def test_a_name_cannot_make_the_complaint_more_than_a_line(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / name).write_text("no sound", encoding="utf-8")
    for command in COMMANDS:
        assert run(_arguments(command, name)) == 1
        said = capsys.readouterr()
        assert all(line.isprintable() for line in (said.out + said.err).splitlines())
        assert sum("cannot be read as audio" in line for line in (said.out + said.err).splitlines()) == 1


def test_a_name_with_a_leading_dash_is_no_traceback_without_the_two_dashes(folder: Path) -> None:
    _make("-dash.wav", folder)
    assert run(["process", "-dash.wav", "louder"]) == 2
    assert run(["process", "./-dash.wav", "make it 3 dB louder", "--yes"]) == 0


def test_the_real_program_says_its_sentence_and_decoders_are_not_heard(folder: Path, studio_home: Path) -> None:
    for name in ("truncated.mp3", "text.mp3", "no frames.wav"):
        _make(name, folder)
    command = [sys.executable, "-m", "llm_music_gen", "process", "truncated.mp3", "text.mp3", "no frames.wav", "--tool", "gain"]
    root = Path(__file__).parents[3]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, env={**os.environ, "PYTHONPATH": str(root)}, timeout=120
    )
    assert done.returncode == 1
    assert "truncated-processed.mp3" in done.stdout and "is cut short or damaged" in done.stdout
    assert "text.mp3 cannot be read" in done.stdout and "no frames.wav holds no sound" in done.stdout
    errors = [line for line in done.stderr.splitlines() if not line.startswith(("Llm-Music-Gen: ", "["))]
    assert errors == []

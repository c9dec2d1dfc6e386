"""`ask`: plans, carries out, waits for a yes; one JSON object a line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.cli.main import run


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    soundfile.write(path, (0.1 * np.sin(np.arange(44_100) * 2 * np.pi * 440 / 44_100)).astype(np.float32), 44_100)
    return path


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_with_plan_it_only_says_what_it_would_do(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "--file", str(tone), "--plan", "--json", "make it 3 dB louder"]) == 0
    (plan,) = lines(capsys)
    assert plan["calls"] == [{"tool": "gain", "args": {"db": 3.0}}]
    assert [path.name for path in tone.parent.glob("*.wav")] == ["tone.wav"]


def test_it_does_what_is_asked_and_goes_on_from_there(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "--file", str(tone), "--json", "make it 3 dB louder"]) == 0
    plan, answer = lines(capsys)
    assert "calls" in plan and answer["files"] == [str(tone.with_name("tone-processed.wav"))]
    assert run(["ask", "--json", "reverse it"]) == 0
    assert lines(capsys)[1]["files"] == [str(tone.with_name("tone-processed-2.wav"))]
    assert run(["ask", "--json", "undo"]) == 0
    assert "tone-processed.wav is the current version" in str(lines(capsys)[1]["text"])


def test_what_takes_hours_waits_for_a_yes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "432 Hz meditation music for 8 hours"]) == 1
    shown = capsys.readouterr()
    assert "Shall I begin?" in shown.err and "ask yes" in shown.err
    assert run(["ask", "no"]) == 0
    assert "Left as it is" in capsys.readouterr().out


def test_what_cannot_be_done_is_said(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "--file", str(tone), "separate the vocals from this song"]) == 1
    assert "separation model" in capsys.readouterr().out
    assert run(["ask", "--file", str(tone.with_name("none.wav")), "make it louder"]) == 2
    assert "no file" in capsys.readouterr().err


def test_a_failed_tool_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ask", "show me the abc of the last song"]) == 1
    shown = capsys.readouterr()
    assert "There is no song yet" in shown.out and "Traceback" not in shown.out + shown.err

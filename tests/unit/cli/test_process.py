"""`process`: a request becomes calls, calls become a file beside the original, and there is a way back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.cli.main import run

RATE_HZ = 44_100


@pytest.fixture
def tone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLM_MUSIC_GEN_HOME", str(tmp_path / "home"))
    path = tmp_path / "tone.wav"
    sound = 0.1 * np.sin(2 * np.pi * 440.0 * np.arange(RATE_HZ) / RATE_HZ)
    soundfile.write(path, np.stack((sound, sound), axis=1).astype(np.float32), RATE_HZ, subtype="FLOAT")
    return path


def test_a_request_is_carried_out_beside_the_original(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original = tone.read_bytes()
    assert run(["process", str(tone), "make it 6 dB louder", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    result, _ = soundfile.read(report["output"])
    assert np.abs(result).max() == pytest.approx(0.1 * 10 ** (6 / 20), rel=0.01)
    assert tone.read_bytes() == original


def test_a_plan_runs_nothing(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", str(tone), "remove the hiss, then make it louder for YouTube", "--plan", "--json"]) == 0
    calls = [call["tool"] for call in json.loads(capsys.readouterr().out)["calls"]]
    assert calls[0] == "denoise" and calls[-1] == "normalize"
    assert sorted(path.name for path in tone.parent.glob("*.wav")) == ["tone.wav"]


def test_one_tool_with_its_settings(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", str(tone), "--tool", "gain", "db=-6", "--json"]) == 0
    result, _ = soundfile.read(json.loads(capsys.readouterr().out)["output"])
    assert np.abs(result).max() == pytest.approx(0.1 * 10 ** (-6 / 20), rel=0.01)


def test_several_tools_follow_each_other_and_files_may_stand_behind_them(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", "--tool", "gain", "db=-6", "--tool", "gain", "db=2dB", str(tone), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [call["args"] for call in report["calls"]] == [{"db": -6.0}, {"db": 2.0}]
    result, _ = soundfile.read(report["output"])
    assert np.abs(result).max() == pytest.approx(0.1 * 10 ** (-4 / 20), rel=0.01)


@pytest.mark.parametrize("arguments", [["--help", "auto_gain"], ["--tool", "auto_gain", "--help"], ["x.wav", "-h", "auto_gain"]])
def test_every_tool_has_its_own_help(arguments: list[str], tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", *arguments]) == 0
    said = capsys.readouterr().out
    assert "--tool auto_gain [lufs=...] [tp=...]" in said and "from -50 to -5 LUFS" in said


def test_help_without_a_tool_is_that_of_the_command(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], [str(tone), "--help"], ["--help", str(tone)]):
        assert run(["process", *arguments]) == 0
        assert "--together" in capsys.readouterr().out
    assert run(["process", "--help", "auto_gian"]) == 2
    assert "Did you mean 'auto_gain'?" in capsys.readouterr().err


def test_a_setting_out_of_range_is_moved_and_told(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", str(tone), "--tool", "gain", "db=99", "--plan"]) == 0
    assert "db was moved from 99 to 40" in capsys.readouterr().out


def test_history_and_undo(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", str(tone), "--tool", "gain", "db=-6", "--json"]) == 0
    capsys.readouterr()
    assert run(["process", "--history", str(tone), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["current"] is True
    assert run(["process", "--undo", str(tone), "--json"]) == 0
    assert Path(json.loads(capsys.readouterr().out)["current"]) == tone.resolve()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.wav", "louder"], "There is no file"),
        (["--tool", "gain", "db=1"], "Say which files"),
        (["only words"], "Say which files"),
    ],
)
def test_wrong_use_is_one_sentence(arguments: list[str], said: str, tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_no_audio_fails_and_the_other_goes_on(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tone.with_name("text.wav")
    text.write_text("not audio", encoding="utf-8")
    assert run(["process", str(text), str(tone), "make it 3 dB louder", "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "error" in lines[0] and Path(lines[1]["output"]).is_file()


def test_what_cannot_be_done_is_said(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", str(tone), "delete all files on my computer"]) == 1
    said = capsys.readouterr().out
    assert "nothing else on this computer" in said and "refuse(" not in said
    assert tone.is_file()


def test_the_calls_of_a_request_are_shown_once(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", str(tone), "make it 30 dB louder", "--plan"]) == 0
    said = capsys.readouterr().out
    assert said.count("gain(db=30)") == 1 and "over full scale" in said


def test_every_tool_is_listed_with_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", "--tools", "--json"]) == 0
    tools = {json.loads(line)["tool"] for line in capsys.readouterr().out.splitlines()}
    assert {"gain", "normalize", "denoise", "convert", "auto_gain", "auto_pitch_corrector"} <= tools


def test_an_edited_plan_is_carried_out(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", str(tone), "make it 6 dB louder", "--plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    plan["calls"][0]["args"]["db"] = -3
    edited = tone.with_name("plan.json")
    edited.write_text(json.dumps(plan), encoding="utf-8")
    assert run(["process", str(tone), "--edit-plan", str(edited), "--json"]) == 0
    result, _ = soundfile.read(json.loads(capsys.readouterr().out)["output"])
    assert np.abs(result).max() == pytest.approx(0.1 * 10 ** (-3 / 20), rel=0.01)


@pytest.mark.parametrize("text", ["[", "[]", '{"calls": [{"tool": "rm"}]}', '{"calls": [{"tool": "gain", "args": {"db": "x"}}]}'])
def test_what_is_no_plan_is_one_sentence(text: str, tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited = tone.with_name("plan.json")
    edited.write_text(text, encoding="utf-8")
    assert run(["process", str(tone), "--edit-plan", str(edited)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_an_interrupted_batch_goes_on_with_what_is_missing(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tone.with_name("other.wav")
    other.write_bytes(tone.read_bytes())
    assert run(["process", str(tone), "make it 3 dB louder", "--json"]) == 0
    capsys.readouterr()
    for expected in (["other.wav"], []):
        assert run(["process", str(tone), str(other), "make it 3 dB louder", "--resume", "--json"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [Path(json.loads(line)["source"]).name for line in lines] == expected


def test_undo_history_and_questions_in_words_are_answered(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", str(tone), "make it 3 dB louder", "--json"]) == 0
    capsys.readouterr()
    assert run(["process", str(tone), "undo that", "--json"]) == 0
    assert Path(json.loads(capsys.readouterr().out)["current"]) == tone.absolute()
    assert run(["process", str(tone), "how loud is it?", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lufs"] == pytest.approx(-20.0, abs=1.5)

"""The commands for speech: voices, speak, transcribe, talk."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.cli.main import run


def spoken(tmp_path: Path, text: str, name: str = "said.wav") -> Path:
    out = tmp_path / name
    assert run(["speak", text, "-o", str(out), "--voice", "adam", "--rate", "140"]) == 0
    return out


def test_voices_are_listed_for_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["voices"]) == 0
    assert "nora" in capsys.readouterr().out
    assert run(["voices", "--json"]) == 0
    voices = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"name", "language", "description", "engine"} <= voices[0].keys()
    assert len(voices) >= 8


def test_a_text_file_is_spoken_and_one_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Good evening.", encoding="utf-8")
    assert spoken(tmp_path, str(text)).stat().st_size > 10_000
    assert run(["speak", str(tmp_path / "no.txt"), "-o", str(tmp_path / "x.wav")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_a_file_that_fails_does_not_stop_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = spoken(tmp_path, "Good evening. Thank you."), tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    capsys.readouterr()
    assert run(["transcribe", str(tmp_path / "none.wav"), str(bad), str(good), "--engine", "sphinx", "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ["error" in line for line in lines] == [True, True, False]
    assert lines[2]["text"]
    assert run(["transcribe", str(good), "--format", "vtt", "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "said.vtt").read_text(encoding="utf-8").startswith("WEBVTT\n\n00:00:0")


def test_a_spoken_command_is_carried_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = spoken(tmp_path, "list my songs")
    capsys.readouterr()
    assert run(["talk", "--file", str(command), "--quiet"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "You: list my songs"
    assert len(said) > 1


def test_a_microphone_that_is_missing_or_mute_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import miniaudio

    def missing(*_: object, **__: object) -> None:
        os.write(2, b"driver: cannot find card\n")
        raise miniaudio.MiniaudioError("no device")

    monkeypatch.setattr(miniaudio, "CaptureDevice", missing)
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert run(["talk", "--quiet"]) == 1
    assert capfd.readouterr().err.splitlines() == [
        'Llm-Music-Gen: No microphone was found. Connect one, or give a recording with "talk --file".'
    ]


def test_a_command_is_recorded_between_two_presses_of_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import miniaudio
    import soundfile
    from scipy.signal import resample_poly

    samples, rate_hz = soundfile.read(spoken(tmp_path, "list my songs"), dtype="float32")
    said = resample_poly(samples[:, 0], 16_000, rate_hz).astype(np.float32)

    class Device:
        """Gives the words in blocks as soon as it is started."""

        def start(self, keeper: Generator[None, bytes, None]) -> None:
            for first in range(0, len(said), 1_600):
                keeper.send(said[first : first + 1_600].tobytes())

        def close(self) -> None:
            pass

    presses = ["", ""]
    monkeypatch.setattr(miniaudio, "CaptureDevice", lambda **_: Device())
    monkeypatch.setattr("builtins.input", lambda _: presses.pop() if presses else _end())
    capsys.readouterr()
    assert run(["talk", "--quiet"]) == 0
    assert "You: list my songs" in capsys.readouterr().out


def _end() -> str:
    raise EOFError


def test_what_is_no_command_is_not_carried_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = spoken(tmp_path, "my brother bought a new bicycle yesterday")
    capsys.readouterr()
    assert run(["talk", "--file", str(other), "--quiet"]) == 1
    assert "did not understand" in capsys.readouterr().out

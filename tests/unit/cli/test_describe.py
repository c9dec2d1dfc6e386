"""`describe` and `analyze` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.cli.main import run

RATE_HZ = 16_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "sounds"
    place.mkdir()
    soundfile.write(place / "good.wav", 0.1 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE_HZ) / RATE_HZ), RATE_HZ)
    return place


def test_describe_tells_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["describe", str(folder / "good.wav"), "--calibration", "100"]) == 0
    printed = capsys.readouterr()
    assert "full scale is 100 dB" in printed.out and "acum" in printed.out and "not validated" in printed.out


def test_describe_goes_on_after_a_bad_file_and_draws(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.wav").write_bytes(b"no sound")
    wanted = ["--aspects", "caption,iso12913", "--picture", "--output", str(folder / "drawn")]
    assert run(["describe", str(folder), "--json", *wanted]) == 1
    bad, good = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "error" in bad and "LUFS" in good["caption"] and -1 <= good["iso12913"]["pleasantness"] <= 1
    assert sorted(path.name for path in (folder / "drawn").iterdir()) == [
        "good.wav.circumplex.png", "good.wav.loudness.png", "good.wav.spectrogram.png",
    ]  # fmt: skip
    assert all(Path(picture).read_bytes().startswith(b"\x89PNG") for picture in good["pictures"])


def test_analyze_prints_what_was_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(folder / "good.wav"), "--metrics", "duration,lufs", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"file", "duration", "lufs"} and found["duration"] == 3.0
    assert run(["analyze", str(folder / "good.wav")]) == 0
    assert "tonal_peaks" in capsys.readouterr().out


def test_unknown_names_and_missing_files_are_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(folder / "good.wav"), "--metrics", "beauty"]) == 2
    assert run(["describe", str(folder / "none.wav")]) == 2
    assert run(["describe", str(folder / "good.wav"), "--aspects", "smell"]) == 2
    assert "no metric 'beauty'" in capsys.readouterr().err

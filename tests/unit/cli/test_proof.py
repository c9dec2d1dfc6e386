"""The proof of a file on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.__main__ import main
from llm_music_gen.proof import Promises, prove
from llm_music_gen.units import SAMPLE_RATE_HZ

FRAMES = 12 * SAMPLE_RATE_HZ


@pytest.fixture
def drone(tmp_path: Path) -> Path:
    path = tmp_path / "drone.wav"
    tone = 0.1 * np.sin(2 * np.pi * 264.0 * np.arange(FRAMES) / SAMPLE_RATE_HZ)
    soundfile.write(str(path), np.stack((tone, tone), axis=1), SAMPLE_RATE_HZ)
    return path


def test_a_file_is_measured_against_a_frequency(drone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proof", str(drone), "--frequency", "528"]) == 0
    said = capsys.readouterr().out
    assert "tonic frequency: 528 Hz" in said and "Proof passed" in said
    assert main(["proof", str(drone), "--frequency", "530", "--json"]) == 1
    proof = json.loads(capsys.readouterr().out)
    assert proof["passes"] is False
    assert proof["checks"][0]["measured"] == pytest.approx(-6.55, abs=0.01)


def test_without_promises_it_only_says_what_is_there(drone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proof", str(drone)]) == 0
    assert "Nothing was promised" in capsys.readouterr().out


def test_what_was_promised_is_read_from_beside_the_file(drone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = prove(drone, Promises(frames=FRAMES + 10))
    (drone.parent / "proof.json").write_text(proof.to_json(), encoding="utf-8")
    assert main(["proof", str(drone)]) == 1
    assert f"duration: {FRAMES} frames (promised {FRAMES + 10} frames): fail" in capsys.readouterr().out


def test_nonsense_is_said_in_one_sentence(drone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["proof", "no such song"]) == 1
    assert main(["proof", str(drone), "--frequency", "nan"]) == 2
    (drone.parent / "proof.json").write_text("[]", encoding="utf-8")
    assert main(["proof", str(drone)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 3

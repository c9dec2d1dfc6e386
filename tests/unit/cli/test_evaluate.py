"""`evaluate` at the door: what it prints, what it refuses, where it goes on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.__main__ import main
from llm_music_gen.cli.commands.evaluate import RECORD


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    at_s = np.arange(44_100 * 5) / 44_100
    path = tmp_path / "tone.wav"
    soundfile.write(path, np.repeat(0.2 * np.sin(2 * np.pi * 440 * at_s)[:, None], 2, axis=1), 44_100)
    return path


def test_a_file_gives_one_json_object_and_nothing_else(tone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tone), "--json"]) == 0
    [line] = capsys.readouterr().out.splitlines()
    facts = json.loads(line)
    assert facts["length_s"] == 5 and facts["clicks"] == 0
    assert facts["lufs"] == pytest.approx(-14.0, abs=1.5)
    assert main(["evaluate", str(tone)]) == 0
    assert "tempo intervals bpm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["no-such-file.wav"], 1),
        (["--songs", "0"], 2),
        (["--songs", "-3"], 2),
        (["--tunes", "many"], 2),
        (["--styles", "chill, zorp"], 2),
        (["--seed", "x"], 2),
        (["--length", "2s"], 2),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(
    arguments: list[str], code: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["evaluate", "--out", str(tmp_path / "out"), "--json", *arguments]) == code
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_tunes_are_measured_once_and_compared_with_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "--tunes", "2", "--styles", "folk, waltz", "--length", "20s", "--out", str(tmp_path), "--json"]
    assert main(arguments) == 0
    *songs, found = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [song["styles"] for song in songs] == [["folk"], ["waltz"]]
    assert all(song["parses"] and song["bar_validity"] == 1 and song["form_kept"] for song in songs)
    assert found["songs"] == 2 and 0 < found["humans"]["histograms"]["intervals"]["ratio"] <= 1.1
    record = tmp_path / RECORD
    lines = record.read_text(encoding="utf-8").splitlines()
    record.write_text(lines[0].replace(songs[0]["title"], "As it was") + "\n" + lines[1][:40], encoding="utf-8")
    assert main(arguments[:-1]) == 0
    said = capsys.readouterr().out
    assert "As it was (folk)" in said  # measured before; the line that was cut off is measured again
    assert "intervals: ratio" in said

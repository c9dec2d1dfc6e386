"""R16: clocks that jump and a machine that sleeps change neither the track nor, for long, the time that is said to be left."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from llm_music_gen.sound.long import render
from llm_music_gen.studio import files
from llm_music_gen.studio.long import make
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled
from tests.reliability.test_killed import Counted
from tests.reliability.track import checksums, in_a_process, track_in, workshop

HOUR_S, YEAR_S = 3_600.0, 365.0 * 24 * 3_600


@pytest.mark.parametrize(("name", "jump_s"), [("one hour back", -HOUR_S), ("a year on", YEAR_S)])
def test_a_clock_that_jumps_changes_nothing(
    home: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str, jump_s: float
) -> None:
    true_time, asked = time.time, list[int]()

    def jumping() -> float:
        asked.append(1)
        return true_time() + jump_s * len(asked)

    monkeypatch.setattr(time, "time", jumping)
    left = longest_left(home)
    same = checksums(home) == undisturbed
    measured = f"{'the same' if same else 'another result'}, at most {left:.0f} s said to be left"
    Figure("R16", f"the clock jumps: {name}", "the same, at most 60 s", measured, same and left <= 60.0).record()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a running process can be changed on POSIX only")
def test_summer_time_that_begins_amid_the_work_changes_nothing(
    home: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, _ in enumerate(make.make_long(track_in(home), workshop(home))):
        monkeypatch.setenv("TZ", ("CET-1", "CEST-2")[number % 2])
        time.tzset()
    same = checksums(home) == undisturbed
    monkeypatch.undo()
    time.tzset()
    Figure("R16", "summer time begins", "the same", "the same" if same else "another result", same).record()


def test_a_folder_in_work_is_not_swept_up_when_the_clock_jumps_a_year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true_time = time.time
    with files.unfinished_folder(tmp_path) as folder:
        monkeypatch.setattr(time, "time", lambda: true_time() + YEAR_S)
        with files.unfinished_folder(tmp_path):
            kept = folder.is_dir()
    Figure("R16", "a song in work, a year later", "its folder is kept", "kept" if kept else "swept up", kept).record()
    left = folder.with_name(".unfinished-left-by-a-crash")
    left.mkdir()
    with files.unfinished_folder(tmp_path):
        assert not left.exists()
    assert not list(tmp_path.iterdir())


def longest_left(home: Path) -> float:
    """Make the track here; the longest time that was said to be left."""
    work = make.make_long(track_in(home), workshop(home))
    return max(report.detail.get("left_s") or 0.0 for report in work)


def make_and_say(home: Path, counter: Path) -> None:
    render.make_segment = Counted(counter, render.make_segment)  # type: ignore[assignment]
    (home / "left.json").write_text(json.dumps(longest_left(home)), encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGSTOP is POSIX")
def test_a_process_that_sleeps_goes_on_where_it_was(home: Path, undisturbed: dict[str, str], tmp_path: Path) -> None:
    asleep_s, counter = scaled(60, 1), tmp_path / "begun"
    process = in_a_process(make_and_say, home, counter)
    while not counter.exists() or len(counter.read_bytes()) < 3:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(asleep_s)
    os.kill(process.pid, signal.SIGCONT)
    process.join()
    left, begun = float((home / "left.json").read_text(encoding="utf-8")), len(counter.read_bytes())
    same = checksums(home) == undisturbed
    measured = f"{'the same' if same else 'another result'}, {begun - 10} segments again, at most {left:.0f} s said to be left"
    what = f"stopped for {asleep_s} s (SIGSTOP)"
    Figure("R16", what, "the same, 0 segments again, at most 120 s", measured, same and begun == 10 and left <= 120.0).record()

"""Process Audio, driven as a person drives it: a request, an edited plan, a result, before and after, undo."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from textual.widgets import Input

from llm_music_gen.tui.screens.processing import ProcessingScreen
from llm_music_gen.tui.widgets.path_suggester import PathSuggester
from llm_music_gen.tui.widgets.song_list import SongList
from tests.tui.conftest import Stage

SIZE = (80, 24)
RATE_HZ = 44_100


def _tone(folder: Path) -> Path:
    path = folder / "tone.wav"
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ), RATE_HZ, subtype="FLOAT")
    return path


def _heard_rms(stage: Stage) -> float:
    """How loud the player is, a moment after it began (it fades in)."""
    stage.player.advance(0.15)
    return float(np.sqrt(np.mean(stage.player.advance(0.1) ** 2)))


async def test_a_plan_is_edited_run_heard_and_undone(stage: Stage, tmp_path: Path) -> None:
    tone = _tone(tmp_path)
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("p")
        await stage.settle(pilot)
        screen = stage.app.screen
        assert isinstance(screen, ProcessingScreen)
        screen.query_one("#files", Input).value = str(tone)
        screen.query_one("#wish", Input).value = "make it 6 dB louder and fade out the last half second"
        screen.query_one("#wish").focus()
        await pilot.press("enter")
        steps = screen.query_one("#plan", SongList)
        await stage.settle(pilot, lambda: steps.option_count == 2)
        gain = next(number for number in range(2) if "gain" in str(steps.get_option_at_index(number).prompt))
        steps.highlighted = 1 - gain
        await pilot.press("delete")
        assert steps.option_count == 1
        await pilot.press("e")
        await pilot.pause()
        stage.app.screen.query_one("#answer", Input).value = "gain db=3"
        await pilot.press("enter")
        await stage.settle(pilot)
        assert "gain(db=3)" in stage.screen_text()
        await pilot.press("r")
        result = tmp_path / "tone-processed.wav"
        await stage.settle(pilot, lambda: "True peak" in stage.screen_text())
        assert np.abs(soundfile.read(result)[0]).max() == pytest.approx(0.1 * 10 ** (3 / 20), rel=0.01)
        await pilot.press("a")
        after_rms = _heard_rms(stage)
        assert stage.jukebox.queue.current is not None and stage.jukebox.queue.current.path == result
        await pilot.press("a")
        assert stage.jukebox.queue.current.path == tone
        assert 20 * np.log10(_heard_rms(stage) / after_rms) == pytest.approx(0.0, abs=0.1)
        await pilot.press("u")
        await stage.settle(pilot)
        assert screen.query_one("#files", Input).value == str(tone)
        assert result.is_file()


async def test_many_files_are_offered_to_the_queue_and_told_in_a_line_each(stage: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    for number in range(12):
        _tone(folder).rename(folder / f"take {number + 1:02}.wav")
    (folder / "take 03-processed.wav").write_bytes((folder / "take 03.wav").read_bytes())
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("p")
        await stage.settle(pilot)
        screen = stage.app.screen
        screen.query_one("#files", Input).value = str(folder)
        screen.query_one("#wish", Input).value = "make it 3 dB louder"
        screen.query_one("#wish").focus()
        await pilot.press("enter")
        await stage.settle(pilot, lambda: "12 files, take 01.wav to take 12.wav" in stage.screen_text())
        await pilot.press("r")
        await stage.settle(pilot, lambda: "12 files: where" in stage.screen_text())
        await pilot.press("2")
        await stage.settle(pilot, lambda: "12 of 12 files are done" in stage.screen_text())
        assert "take 01-processed.wav: -2" in stage.screen_text() and "peaks -20.0 -> -17.0 dBTP" in stage.screen_text()
        assert not (folder / "take 03-processed-processed.wav").exists()
        await pilot.press("k")
        await stage.settle(pilot)
        assert screen.query_one("#plan", SongList).option_count == 0
        await pilot.press("escape", "r")
        await stage.settle(pilot)
        assert "nothing to carry out" in stage.screen_text(), "the old plan was for the originals"


async def test_names_of_files_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Music").mkdir()
    for name in ("song one.wav", "song one.txt", ".hidden.wav"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    suggester = PathSuggester()
    assert await suggester.get_suggestion("so") == "song one.wav"
    assert await suggester.get_suggestion(f"a.wav; {tmp_path}{os.sep}Mu") == f"a.wav; {tmp_path}{os.sep}Music{os.sep}"
    for nothing in ("", "x", "song one.wav", f"none{os.sep}", ".\0"):
        assert await suggester.get_suggestion(nothing) is None


async def test_what_cannot_be_read_is_said_and_nothing_runs(stage: Stage, tmp_path: Path) -> None:
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("p")
        await stage.settle(pilot)
        screen = stage.app.screen
        screen.query_one("#files", Input).value = str(tmp_path / "none.wav")
        screen.query_one("#wish", Input).value = "louder"
        screen.query_one("#wish").focus()
        await pilot.press("enter")
        await stage.settle(pilot, lambda: "There is no file" in stage.screen_text())
        await pilot.press("escape", "r")
        await stage.settle(pilot)
        assert "nothing to carry out" in stage.screen_text()

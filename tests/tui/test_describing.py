"""Describe Audio, driven as a person drives it: a file, its caption, its pictures, and what cannot be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from textual.pilot import Pilot
from textual.widgets import Input

from llm_music_gen.tui.screens.describing import DescribingScreen
from tests.tui.conftest import PATIENCE_S, Stage

SIZE = (80, 24)
RATE_HZ = 22_050


async def test_a_tone_is_described_shown_and_drawn(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 432 * np.arange(4 * RATE_HZ) / RATE_HZ), RATE_HZ, subtype="FLOAT")
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("d")
        await pilot.pause()
        screen = stage.app.screen
        assert isinstance(screen, DescribingScreen)
        screen.query_one("#file", Input).value = str(tmp_path / "none.wav")
        await pilot.press("enter")
        await until(pilot, lambda: "There is no file" in stage.screen_text())
        await pilot.press("f")
        screen.query_one("#file", Input).value = str(path)
        await pilot.press("enter")
        await until(pilot, lambda: "LUFS" in stage.screen_text())
        assert "Spectrogram" in stage.screen_text() and "▀" in stage.screen_text()
        await pilot.press("v")
        await until(pilot, lambda: "Loudness, 0 to" in stage.screen_text())
        await pilot.press("v")
        await until(pilot, lambda: "Pleasantness" in stage.screen_text())
        await pilot.press("p")
        await until(pilot, lambda: len(list(tmp_path.glob("tone.wav.*.png"))) == 3)
        await pilot.press("b")
        await until(pilot, lambda: not isinstance(stage.app.screen, DescribingScreen))


async def until(pilot: Pilot[Any], happened: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline_s, "it never happened"
        await pilot.pause(0.02)


async def test_what_is_typed_takes_the_place_of_the_song_that_plays(stage: Stage) -> None:
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("s")
        await stage.settle(pilot)
        await pilot.press("enter")
        await stage.settle(pilot)
        await pilot.press("b", "d")
        await until(pilot, lambda: isinstance(stage.app.screen, DescribingScreen))
        field = stage.app.screen.query_one("#file", Input)
        await until(pilot, lambda: bool(field.value) and len(field.selected_text) == len(field.value))
        await pilot.press("x")
        assert field.value == "x"

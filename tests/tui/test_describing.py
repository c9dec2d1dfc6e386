"""Describe Audio, driven as a person drives it: a file, its caption, its pictures, and what cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from textual.widgets import Input

from llm_music_gen.tui.screens.describing import DescribingScreen
from tests.tui.conftest import Stage

SIZE = (80, 24)
RATE_HZ = 22_050


async def test_a_tone_is_described_shown_and_drawn(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 432 * np.arange(4 * RATE_HZ) / RATE_HZ), RATE_HZ, subtype="FLOAT")
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("d")
        await stage.settle(pilot)
        screen = stage.app.screen
        assert isinstance(screen, DescribingScreen)
        screen.query_one("#file", Input).value = str(tmp_path / "none.wav")
        await pilot.press("enter")
        await stage.settle(pilot, lambda: "There is no file" in stage.screen_text())
        await pilot.press("f")
        screen.query_one("#file", Input).value = str(path)
        await pilot.press("enter")
        await stage.settle(pilot, lambda: "LUFS" in stage.screen_text())
        assert "Spectrogram" in stage.screen_text() and "▀" in stage.screen_text()
        await pilot.press("v")
        await stage.settle(pilot, lambda: "Loudness, 0 to" in stage.screen_text())
        await pilot.press("v")
        await stage.settle(pilot, lambda: "Pleasantness" in stage.screen_text())
        await pilot.press("p")
        await stage.settle(pilot, lambda: (tmp_path / "tone.wav.circumplex.png").is_file())
        assert {file.name for file in tmp_path.glob("tone.*.png")} == {
            "tone.wav.spectrogram.png", "tone.wav.loudness.png", "tone.wav.circumplex.png",
        }  # fmt: skip
        await pilot.press("b")
        await stage.settle(pilot, lambda: not isinstance(stage.app.screen, DescribingScreen))

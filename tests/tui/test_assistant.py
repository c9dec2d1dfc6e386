"""The assistant's screen, driven as a person drives it: words in, answers and work out, stop and undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from textual.widgets import Input

from llm_music_gen.domain.job import JobState
from llm_music_gen.tui.screens.assistant import AssistantScreen
from tests.tui.conftest import Stage

SIZE = (80, 24)


async def opened(stage: Stage, pilot: object) -> AssistantScreen:
    await stage.ready(pilot)  # type: ignore[arg-type]
    await pilot.press("a")  # type: ignore[attr-defined]
    await stage.settle(pilot, lambda: "Say what you want" in stage.screen_text())  # type: ignore[arg-type]
    screen = stage.app.screen
    assert isinstance(screen, AssistantScreen)
    return screen


async def test_a_question_is_answered_at_once_and_remembered(stage: Stage) -> None:
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        screen.query_one("#request", Input).value = "list my songs"
        await pilot.press("enter")
        await stage.settle(pilot, lambda: "0 songs." in stage.screen_text())
        assert "> list my songs" in stage.screen_text()
        await pilot.press("escape", "b")
        await stage.settle(pilot)
        await pilot.press("a")
        await stage.settle(pilot, lambda: "> list my songs" in stage.screen_text())


async def test_work_goes_to_the_queue_and_its_answer_comes_back(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.zeros(44_100, dtype=np.float32), 44_100)
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        await pilot.press("escape", "o")
        await pilot.pause()
        stage.app.screen.query_one("#answer", Input).value = str(path)
        await pilot.press("enter")
        await stage.settle(pilot, lambda: "take.wav is open" in stage.screen_text())
        await pilot.press("r")
        screen.query_one("#request", Input).value = "make it 3 dB louder"
        await pilot.press("enter")
        await stage.settle(pilot, lambda: len(stage.queue.rows) == 1)
        (job,) = stage.queue.rows
        assert job.kind == "assist" and job.request["calls"] == [{"tool": "gain", "args": {"db": 3.0}}]
        stage.queue.rows[0] = replace(job, state=JobState.RUNNING, fraction=0.4, message="gain (1 of 1)")
        await stage.settle(pilot, lambda: "40 %" in stage.screen_text())
        answer = {"tool": "gain", "text": "take-processed.wav is written.", "play": [str(path)]}
        stage.queue.rows[0] = replace(job, state=JobState.DONE, fraction=1.0, result={"answers": [answer]})
        await stage.settle(pilot, lambda: "take-processed.wav is written." in stage.screen_text())
        assert stage.jukebox.queue.current is not None and stage.jukebox.queue.current.path == path


async def test_what_takes_hours_is_asked_and_work_can_be_stopped(stage: Stage) -> None:
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        field = screen.query_one("#request", Input)
        field.value = "432 Hz meditation music for 8 hours"
        await pilot.press("enter")
        await stage.settle(pilot, lambda: "slow computer" in stage.screen_text())
        assert not stage.queue.rows
        field.value = "yes"
        await pilot.press("enter")
        await stage.settle(pilot, lambda: len(stage.queue.rows) == 1)
        await stage.settle(pilot, lambda: "It begins" in stage.screen_text() or "0 %" in stage.screen_text())
        await pilot.press("escape", "c")
        await stage.settle(pilot, lambda: any(told[0] == "cancel" for told in stage.queue.told))

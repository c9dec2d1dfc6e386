"""The jobs screen, and what happens when all is done."""

from __future__ import annotations

import pytest

from llm_music_gen.domain.job import JobState
from llm_music_gen.jobs.when_done import WhenDone
from llm_music_gen.tui.widgets.now_line import now_text
from tests.tui.conftest import Stage, job, making

SMALL = (80, 24)


async def test_jobs_say_where_they_stand_and_why_they_failed(stage: Stage) -> None:
    stage.queue.rows = [
        job(uid="a", state=JobState.FAILED, error="The strings are broken. Buy new ones.", log_file="/x/log.txt"),
        making(uid="b"),
        job(uid="c", state=JobState.QUEUED),
    ]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.settle(pilot, lambda: bool(stage.app.jobs))
        await pilot.press("j")
        await stage.settle(pilot)
        text = stage.screen_text()
        assert "1 queued, 1 running, 1 failed" in text
        assert "The strings are broken. Buy new ones." in text
        assert "Log: /x/log.txt" in text
        for keys in (("r",), ("down", "p"), ("c",), ("a",), ("down", "k"), ("delete",)):
            await pilot.press(*keys)
        await stage.settle(pilot, lambda: len(stage.queue.told) == 6)
        assert stage.queue.told == [
            ("retry", "a"), ("pause", "b"), ("cancel", "b"), ("cancel", "b", True), ("move", "c", -1), ("remove", "c"),
        ]  # fmt: skip


async def test_what_happens_when_all_is_done_is_chosen_and_can_be_called_off(stage: Stage) -> None:
    stage.queue.rows = [making()]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.settle(pilot, lambda: bool(stage.app.jobs))
        await pilot.press("j", "w", "4")
        await stage.settle(pilot, lambda: stage.queue.action is WhenDone.SHUTDOWN)
        assert "shut the computer down" in stage.screen_text()
        stage.queue.left_s = 60
        await stage.settle(pilot, lambda: "The computer shuts down within a minute" in stage.screen_text())
        await pilot.press("1")
        await stage.settle(pilot, lambda: stage.queue.action is WhenDone.NOTHING)


async def test_the_songs_play_when_all_is_done(stage: Stage) -> None:
    stage.queue.rows, stage.queue.action = [making()], WhenDone.PLAY
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.settle(pilot, lambda: bool(stage.app.jobs))
        await stage.settle(pilot)
        stage.queue.rows, stage.queue.action = [making(state=JobState.DONE)], WhenDone.NOTHING
        await stage.settle(pilot, lambda: stage.jukebox.is_playing)


@pytest.mark.parametrize(("answer", "told"), [("1", [("resume", "job0")]), ("2", []), ("3", [("cancel", "job0")])])
async def test_work_that_was_cut_off_is_offered_at_the_next_start(stage: Stage, answer: str, told: list[object]) -> None:
    stage.queue.rows, stage.queue.alive = [making(state=JobState.INTERRUPTED)], False
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.settle(pilot, lambda: stage.place() == "Choose")
        await stage.settle(pilot, lambda: "1 job was not finished" in stage.screen_text())
        await pilot.press(answer)
        await stage.settle(pilot)
        assert stage.queue.told == told


def test_the_line_below_says_what_is_done_be_it_a_song_or_something_else(stage: Stage) -> None:
    assert "Making song 2 of 3: 52%, 1 more waiting" in now_text(stage.jukebox, (making(), job(state=JobState.QUEUED)), 120)
    processing = job(kind="process", title="remove the hiss (12 files)", fraction=0.25)
    assert now_text(stage.jukebox, (processing,), 80).strip() == "remove the hiss (12 files): 25%"

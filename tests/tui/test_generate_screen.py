"""Making songs from the screen: two questions, two bars, stopping and holding."""

from __future__ import annotations

import pytest
from textual.widgets import Checkbox, Input

from llm_music_gen.domain.job import JobState
from tests.tui.conftest import Stage, making

SMALL = (80, 24)


async def test_styles_are_completed_after_each_comma(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1")
        field = stage.app.screen.query_one("#styles", Input)
        await stage.settle(pilot, lambda: field.suggester is not None)
        await pilot.press(*"Jazz, dubs")
        await stage.settle(pilot)
        await pilot.press("right")
        assert field.value == "Jazz, dubstep"


async def test_two_answers_put_songs_into_the_queue(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1", *"Chill, Dubstep", "enter", "3", "enter")
        await stage.settle(pilot, lambda: bool(stage.queue.told))
        assert stage.queue.told == [("submit", "generate", "Chill, Dubstep (3 songs, 5 minutes)")]
        assert stage.queue.rows[0].request["songs"] == 3
        assert '"Chill, Dubstep" waits in the queue' in stage.screen_text()


@pytest.mark.parametrize("number", ["0", "many", "1001", "-1"])
async def test_an_impossible_number_of_songs_is_refused(stage: Stage, number: str) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1", *"Chill", "enter", *number, "enter")
        await stage.settle(pilot)
        assert stage.queue.told == []


async def test_songs_can_be_made_until_one_stops_it(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1", *"Chill", "enter")
        stage.app.screen.query_one("#endless", Checkbox).value = True
        await pilot.press("enter")
        await stage.settle(pilot, lambda: bool(stage.queue.told))
        assert stage.queue.told[0][2].startswith("Chill (songs until stopped")


async def test_the_two_bars_stand_as_drawn(stage: Stage) -> None:
    stage.queue.rows = [making()]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.settle(pilot, lambda: bool(stage.app.jobs))
        await pilot.press("1")
        await stage.settle(pilot)
        text = stage.screen_text()
        assert 'Producing "Chill, Dubstep" themed song number 2...' in text
        assert "[##################------------] 62% Complete" in text
        assert "Converting" not in text
        assert 'Theme: "Velvet Harbour"' in text
        assert '"Gm"d2dc"A7"BAG2|' in text
        detail = {**making().detail, "format": "mp3", "stage_fraction": 0.33}
        stage.queue.rows = [making(stage="convert", fraction=0.6, detail=detail)]
        await stage.settle(pilot)
        text = stage.screen_text()
        assert "[##############################] 100% Complete" in text
        assert "Converting song number 2 from WAV to Mp3..." in text
        assert "[#########---------------------] 33% Complete" in text


@pytest.mark.parametrize(
    ("key", "told"), [("c", ("cancel", "job0", False)), ("a", ("cancel", "job0", True)), ("p", ("pause", "job0"))]
)
async def test_work_is_stopped_now_or_after_the_song_or_held(stage: Stage, key: str, told: tuple[object, ...]) -> None:
    stage.queue.rows = [making()]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.settle(pilot, lambda: bool(stage.app.jobs))
        await pilot.press("1", "escape", key)
        await stage.settle(pilot, lambda: bool(stage.queue.told))
        assert stage.queue.told == [told]


async def test_a_finished_song_starts_by_itself_and_the_next_one_waits_for_it(stage: Stage) -> None:
    new, newer = stage.library.kept[4:]
    stage.library.kept = stage.library.kept[:4]
    stage.queue.rows = [making()]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        stage.library.kept.append(new)
        stage.queue.rows = [making(stage="finished")]
        await stage.settle(pilot, lambda: stage.jukebox.is_playing)
        assert stage.jukebox.queue.current is not None
        assert stage.jukebox.queue.current.title == new.title
        stage.library.kept.append(newer)
        stage.queue.rows = [making(state=JobState.DONE, result={"songs": [1, 2, 3]})]
        await stage.settle(pilot, lambda: len(stage.jukebox.queue.remaining) == 1)
        assert stage.jukebox.queue.current.title == new.title


async def test_a_second_app_only_plays_and_says_so(stage: Stage) -> None:
    stage.services.owner = False
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        assert "Another Llm-Music-Gen is open" in stage.screen_text()
        await pilot.press("1", *"Chill", "enter", "enter")
        await stage.settle(pilot)
        assert stage.queue.told == []
        await pilot.press("escape", "b", "2", "space")
        assert stage.jukebox.is_playing

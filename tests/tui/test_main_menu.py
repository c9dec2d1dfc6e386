"""The main menu, driven as a person drives it."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from llm_music_gen.domain.job import JobState
from llm_music_gen.settings import load_settings
from tests.tui.conftest import Stage, making

SMALL = (80, 24)


async def test_the_main_menu_says_what_the_user_drew(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        text = stage.screen_text()
    for words in (
        "    Llm-Music-Gen: Main Menu",
        "Song Length: 5 minutes",
        "Frequency: concert pitch",
        "Selected Model: built-in composer",
        "Total Songs Length: 00:20:15",
        "Outputted Songs: Amber Staircase, Slow Lantern",
        "1. Generate Music",
        "2. Output Jukebox",
        "3. Configure Options",
        "Selection; Menu Option = 1-3, Refresh Screen = R, Exit Program = X:",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("keys", "expected"),
    [("1", "generate"), ("2", "jukebox"), ("3", "configuration"), ("j", "jobs"), ("J", "jobs"), ("s", "songs"), ("S", "songs")],
)
async def test_the_menu_opens_every_room_and_b_leads_back(stage: Stage, keys: str, expected: str) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press(keys)
        await stage.settle(pilot)
        assert stage.place() == expected
        await pilot.press("escape", "B")
        assert stage.place() == "main"


async def test_arrows_and_enter_work_as_well_as_numbers(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("down", "enter")
        assert stage.place() == "jukebox"


async def test_the_length_is_set_on_the_main_menu(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("L", *"4-6", "enter")
        await stage.settle(pilot, stage.paths.settings_file.exists)
        assert load_settings(stage.paths.settings_file).song_length == "4-6"
        assert "Song Length: 4-6 minutes" in stage.screen_text()


async def test_a_length_that_cannot_be_is_refused_where_it_is_typed(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("l", *"soon", "enter")
        await stage.settle(pilot)
        assert "'soon' is not a length" in stage.screen_text()
        await pilot.press("escape")
        assert stage.services.settings.song_length == "5"


async def test_a_frequency_is_the_tonic_and_the_reference_moves(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("f", *"528", "enter")
        await stage.settle(pilot)
        # C5 lies at 523.25 Hz when A4 is 440: 528 / 523.2511 * 440 = 443.993.
        assert "528 Hz as the tonic (A4 = 443.99 Hz)" in stage.screen_text()
        assert stage.services.settings.frequency == "528"


async def test_letters_do_nothing_while_one_types_and_esc_leaves_the_field(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1", *"bx?", "j")
        assert stage.place() == "generate"
        assert stage.app.screen.query_one("#styles", Input).value == "bx?j"
        await pilot.press("escape", "b")
        assert stage.place() == "main"


async def test_refresh_reads_the_library_again(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        stage.library.kept.pop()
        await pilot.press("R")
        await stage.settle(pilot, lambda: len(stage.app.songs) == 5)


async def test_exit_leaves_at_once_when_nothing_goes_on(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("X")
        await pilot.pause()
    assert stage.app.return_code == 0


@pytest.mark.parametrize(("answer", "leaves", "stops"), [("1", True, False), ("2", False, False), ("3", True, True)])
async def test_exit_asks_what_happens_to_work(stage: Stage, answer: str, leaves: bool, stops: bool) -> None:
    stage.queue.rows = [making()]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.settle(pilot, lambda: bool(stage.app.jobs))
        await pilot.press("x")
        assert stage.place() == "Choose"
        await pilot.press(answer)
        if leaves:
            await stage.settle(pilot, lambda: not stage.app.is_running or stage.app._exit)
        else:
            await stage.settle(pilot)
            assert stage.app.is_running
            stage.queue.rows = [making(state=JobState.DONE, fraction=1.0)]
            await stage.settle(pilot, lambda: stage.app._exit)
    assert (("stop",) in stage.queue.told) is stops

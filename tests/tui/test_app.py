"""What belongs to no single screen: help, palette, sizes, what comes from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.tui.actions import ACTIONS
from tests.tui.conftest import Stage, making

SMALL = (80, 24)


@pytest.mark.parametrize("opened", ["main", "generate", "jukebox", "configuration", "jobs", "songs"])
async def test_help_lists_every_key_of_the_screen(stage: Stage, opened: str) -> None:
    async with stage.app.run_test(size=(120, 60)) as pilot:
        await stage.ready(pilot)
        stage.app.action_go(opened)
        await stage.settle(pilot)
        await pilot.press("f1")
        await stage.settle(pilot)
        text = stage.screen_text()
        for action in ACTIONS[opened][:30]:
            assert action.help[:60] in text
        await pilot.press("escape")
        assert stage.place() == opened


async def test_the_palette_finds_actions_by_name(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+p", *"jukebox")
        await stage.settle(pilot)
        await pilot.press("down", "enter")
        await stage.settle(pilot)
        assert stage.place() == "jukebox"


def test_no_key_means_two_things_on_one_screen() -> None:
    for name, actions in ACTIONS.items():
        keys = [key for action in actions for key in action.keys]
        assert len(set(keys)) == len(keys), name


async def test_a_broken_settings_file_is_told_and_kept(stage: Stage) -> None:
    stage.services.complaint = "data/settings.toml is not valid TOML."
    async with stage.app.run_test(size=SMALL, notifications=True) as pilot:
        await stage.ready(pilot)
        words = stage.screen_text()
        assert "is not valid TOML." in words
        assert "defaults" in words


async def test_the_app_survives_any_size(stage: Stage) -> None:
    stage.queue.rows = [making()]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        for opened in ("main", "generate", "jukebox", "configuration", "jobs", "songs"):
            stage.app.action_go(opened)
            for size in ((20, 5), (1, 1), (200, 70), (40, 12), SMALL):
                await pilot.resize_terminal(*size)
                await pilot.pause()
        assert stage.place() == "songs"


async def test_ten_thousand_letters_pasted_into_the_styles_do_no_harm(stage: Stage) -> None:
    from textual.events import Paste

    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1")
        stage.app.post_message(Paste("é🎵ß" * 3000))
        await stage.settle(pilot)
        await pilot.press("enter", "enter")
        await stage.settle(pilot)
        assert stage.place() == "generate"


async def test_titles_with_brackets_are_shown_as_they_are(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "s", titles=["[bold]Loud[/bold]", "[/] [link=x]"])
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        assert "[bold]Loud[/bold]" in stage.screen_text()
        await pilot.press("2", "space", "f")
        await stage.settle(pilot)
        assert "[/] [link=x]" in stage.screen_text()

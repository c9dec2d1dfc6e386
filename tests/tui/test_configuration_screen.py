"""The configuration screen: every option is changed, saved and refused where it must be."""

from __future__ import annotations

import pytest

from llm_music_gen.settings import load_settings
from llm_music_gen.tui.screens.configuration import ITEMS
from tests.tui.conftest import Stage

SMALL, LARGE = (80, 24), (120, 40)


async def test_the_configuration_lists_the_six_options_as_drawn(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("3")
        await stage.settle(pilot)
        text = stage.screen_text()
    for words in (
        "1. Change Thread Fraction (5/6)",
        "2. Change Model Temperature (0.75)",
        "3. Change Audio Volume (65%)",
        "4. Select Model (built-in)",
        "5. Set Song Length (5 Minutes)",
        "6. Auto-Play After Convert (true)",
        "Selection; Options = 1-6, Back to Menu = B:",
        "Default: 5/6",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("keys", "key", "value"),
    [
        (("1", *"3/4", "enter"), "thread_fraction", 0.75),
        (("1", *"50%", "enter"), "thread_fraction", 0.5),
        (("2", *"1.2", "enter"), "temperature", 1.2),
        (("3", *"40", "enter"), "volume_percent", 40),
        (("5", *"8:00", "enter"), "song_length", "8:00"),
        (("6",), "auto_play", False),
    ],
)
async def test_every_change_is_saved_at_once(stage: Stage, keys: tuple[str, ...], key: str, value: object) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("3", *keys)
        await stage.settle(pilot, stage.paths.settings_file.exists)
        assert getattr(load_settings(stage.paths.settings_file), key) == value
        await pilot.press("d")
        await stage.settle(pilot)
        if key != "auto_play":
            assert getattr(load_settings(stage.paths.settings_file), key) != value


@pytest.mark.parametrize("keys", [("1", *"7/6", "enter"), ("2", *"hot", "enter"), ("3", *"101", "enter"), ("5", *"x", "enter")])
async def test_a_value_out_of_range_is_refused_with_a_sentence(stage: Stage, keys: tuple[str, ...]) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("3", *keys)
        await stage.settle(pilot)
        assert stage.place() == "AskText"
        assert stage.app.screen.query_one("#remark").has_class("bad")
        await pilot.press("escape")
        assert not stage.paths.settings_file.exists()


async def test_volume_in_the_configuration_is_heard_at_once(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("3", "3", *"20", "enter")
        assert stage.jukebox.volume_percent == 20


async def test_a_model_is_chosen_from_those_that_are_there(stage: Stage) -> None:
    stage.paths.models_dir.mkdir(parents=True)
    (stage.paths.models_dir / "broken-but-listed.gguf").write_bytes(b"GGUF")
    async with stage.app.run_test(size=LARGE) as pilot:
        await stage.ready(pilot)
        await pilot.press("3", "4")
        await stage.settle(pilot, lambda: "broken-but-listed.gguf" in stage.screen_text())
        await pilot.press("2")
        await stage.settle(pilot)
        assert stage.services.settings.model.endswith("broken-but-listed.gguf")
        assert "4. Select Model (broken-but-listed.g…)" in stage.screen_text()


async def test_colours_change_at_once(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        colours = [item.key for item in ITEMS].index("theme")
        await pilot.press("3", *["down"] * colours, "enter", "2")
        await stage.settle(pilot)
        assert stage.app.theme == "paper"

"""Models in the app: how fast one writes, and who is asked."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from llm_music_gen.tui.screens.configuration import ITEMS
from llm_music_gen.tui.widgets.song_list import SongList
from tests.fakes.model_server import scripted_server
from tests.tui.conftest import Stage, making

SMALL, LARGE = (80, 24), (120, 40)


@pytest.mark.parametrize(("stage_name", "shown"), [("tune", True), ("sound", False)])
async def test_the_speed_of_the_model_is_shown_while_it_writes(stage: Stage, stage_name: str, shown: bool) -> None:
    detail = {"whole": 0.25, "song_number": 1, "abc": "P:A8\nA8|", "tokens_per_s": 31.26}
    stage.queue.rows = [making(detail=detail, fraction=0.25, stage=stage_name, message="Writing section A")]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1")
        await stage.settle(pilot)
        assert ("31 tokens/s" in stage.screen_text()) == shown


async def test_what_a_model_failed_at_is_said_when_the_song_is_ready(stage: Stage) -> None:
    hint = "tiny at 127.0.0.1:11434 failed (tiny was silent for 60 s); the built-in composer wrote the tune."
    detail = {"song_number": 1, "song": {"title": "Rain", "hints": [hint]}}
    stage.queue.rows = [making(detail=detail, fraction=0.5, stage="finished")]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1")
        await stage.settle(pilot)
        assert hint in " ".join(stage.screen_text().replace("│", " ").split())


async def marked(stage: Stage, pilot: Pilot[int], key: str) -> None:
    """Go to a line of the configuration."""
    await pilot.press("3")
    await stage.settle(pilot)
    stage.app.screen.query_one(SongList).highlighted = [item.key for item in ITEMS].index(key)
    await stage.settle(pilot)


async def test_a_server_is_typed_and_tried(stage: Stage) -> None:
    with scripted_server() as server:
        address = f"http://127.0.0.1:{server.server_port}/v1"
        async with stage.app.run_test(size=LARGE) as pilot:
            await stage.ready(pilot)
            await marked(stage, pilot, "server")
            await pilot.press("enter", *address, "enter")
            await stage.settle(pilot)
            assert stage.services.settings.server == address
            assert "Theme Model (on the server)" in stage.screen_text()
            await pilot.press("down", "down", "enter")
            await stage.settle(pilot, lambda: "tiny would be asked" in stage.screen_text())
            assert "It has 1 model: tiny." in stage.screen_text()


async def test_a_servers_models_are_offered_and_it_can_write_the_tunes(stage: Stage) -> None:
    with scripted_server() as server:
        async with stage.app.run_test(size=LARGE) as pilot:
            await stage.ready(pilot)
            await marked(stage, pilot, "server_model")
            stage.app.change_setting("server", f"http://127.0.0.1:{server.server_port}/v1")
            await pilot.press("enter")
            await stage.settle(pilot, lambda: "the first one there" in stage.screen_text() and stage.place() == "Choose")
            await pilot.press("2")
            await stage.settle(pilot)
            assert stage.services.settings.server_model == "tiny"
            await pilot.press("4")
            await stage.settle(pilot, lambda: "the model on http://127.0.0.1" in stage.screen_text())
            await pilot.press("2")
            await stage.settle(pilot)
            assert stage.services.settings.model == "server"
            assert "4. Select Model (on the server)" in stage.screen_text()


@pytest.mark.parametrize(
    ("address", "words"), [("", "There is no server to try"), ("http://127.0.0.1:9/v1", "cannot be reached")]
)
async def test_trying_in_vain_is_one_sentence(stage: Stage, address: str, words: str) -> None:
    async with stage.app.run_test(size=LARGE) as pilot:
        await stage.ready(pilot)
        await marked(stage, pilot, "try_server")
        assert "LLM_MUSIC_GEN_API_KEY" in stage.screen_text()
        stage.app.change_setting("server", address)
        await pilot.press("enter")
        await stage.settle(pilot, lambda: words in stage.screen_text())


async def test_what_is_no_address_is_not_taken(stage: Stage) -> None:
    async with stage.app.run_test(size=LARGE) as pilot:
        await stage.ready(pilot)
        await marked(stage, pilot, "server")
        await pilot.press("enter", *"localhost", "enter")
        await stage.settle(pilot)
        assert "is no server address" in stage.screen_text() and stage.services.settings.server == ""

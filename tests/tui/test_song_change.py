"""A song changed by request in the app: question, plan, queue, undo."""

from __future__ import annotations

import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from tests.fakes.recipes import recipe_of
from tests.fakes.tunes import theme_for
from tests.tui.conftest import Stage

SIZE = (120, 40)


def told(stage: Stage) -> str:
    """What the app has said in a corner."""
    return " ".join(notice.message for notice in stage.app._notifications)


@pytest.fixture
def with_recipes(stage: Stage) -> Stage:
    """Every song of the stage has a score."""
    text = recipe_of(theme_for(Key("D", "minor"), Meter(4, 4), 90)).to_json()
    for song in stage.songs:
        (song.folder / "recipe.json").write_text(text, encoding="utf-8")
    return stage


async def test_the_plan_is_shown_with_its_numbers_before_it_is_queued(with_recipes: Stage) -> None:
    stage = with_recipes
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("s")
        await stage.settle(pilot)
        await pilot.press("c")
        await stage.settle(pilot, lambda: "What shall be different" in stage.screen_text())
        await pilot.press(*"second part calmer, end in major and fly", "enter")
        await stage.settle(pilot, lambda: "1. energy -0.25 in bars 5-12" in stage.screen_text())
        assert "2. major in bars 33-36" in stage.screen_text() and '"fly" is not understood' in stage.screen_text()
        assert not [told for told in stage.queue.told if told[0] == "submit"]
        await pilot.press("1")
        await stage.settle(pilot, lambda: any(told[:2] == ("submit", "edit") for told in stage.queue.told))
        newest = stage.songs[-1]
        assert stage.queue.rows[-1].request == {"song": newest.id, "request": "second part calmer, end in major and fly"}
        await pilot.press("u")
        await stage.settle(pilot, lambda: "There is no new version" in told(stage))


async def test_what_cannot_be_done_is_said_and_nothing_is_queued(with_recipes: Stage) -> None:
    stage = with_recipes
    async with stage.app.run_test(size=SIZE) as pilot:
        await stage.ready(pilot)
        await pilot.press("s")
        await stage.settle(pilot)
        for request, said in (("in 6/8", "only 3/4 and 4/4"), ("undo", "was never edited"), ("frobnicate", "is not understood")):
            await pilot.press("c", *request, "enter")
            await stage.settle(pilot, lambda words=said: words in told(stage))  # type: ignore[misc]
    assert stage.queue.told == []

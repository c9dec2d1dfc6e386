"""Models in the app: how fast one writes, and who is asked."""

from __future__ import annotations

import pytest

from tests.tui.conftest import Stage, making

SMALL = (80, 24)


@pytest.mark.parametrize(("stage_name", "shown"), [("tune", True), ("sound", False)])
async def test_the_speed_of_the_model_is_shown_while_it_writes(stage: Stage, stage_name: str, shown: bool) -> None:
    detail = {"whole": 0.25, "song_number": 1, "abc": "P:A8\nA8|", "tokens_per_s": 31.26}
    stage.queue.rows = [making(detail=detail, fraction=0.25, stage=stage_name, message="Writing section A")]
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1")
        await stage.settle(pilot)
        assert ("31 tokens/s" in stage.screen_text()) == shown

"""The screen of all songs."""

from __future__ import annotations

from tests.tui.conftest import Stage

SMALL = (80, 24)


async def test_songs_are_searched_played_and_enqueued(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("s", "slash", *"dubstep lan", "enter")
        await stage.settle(pilot)
        assert "Slow Lantern" in stage.screen_text()
        assert "Paper Tide" not in stage.screen_text()
        await pilot.press("e")
        assert [track.title for track in stage.jukebox.queue.remaining] == ["Slow Lantern"]
        await pilot.press("enter")
        assert stage.place() == "jukebox"
        assert stage.jukebox.is_playing

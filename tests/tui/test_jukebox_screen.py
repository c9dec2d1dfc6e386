"""The jukebox screen: every key, the queue, and what music does meanwhile."""

from __future__ import annotations

import pytest

from llm_music_gen.playback.play_queue import Repeat
from llm_music_gen.settings import load_settings
from llm_music_gen.tui.actions import ACTIONS
from llm_music_gen.tui.widgets.long_list import LongList
from tests.tui.conftest import Stage

SMALL, LARGE = (80, 24), (120, 40)


async def opened_jukebox(stage: Stage, pilot: object) -> None:
    await stage.ready(pilot)  # type: ignore[arg-type]
    await pilot.press("2")  # type: ignore[attr-defined]
    await stage.settle(pilot)  # type: ignore[arg-type]


async def test_the_jukebox_shows_what_was_played_plays_and_remains(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await opened_jukebox(stage, pilot)
        await pilot.press("space", "n")
        stage.player.advance(72.4)
        await stage.settle(pilot)
        text = stage.screen_text()
    assert "Songs Played: Amber Staircase" in text
    assert "Playing song: Slow Lantern" in text
    assert "] 01:12/03:21" in text
    assert "Remaining Songs: 4 songs, 00:13:34" in text
    assert "Selection; Back to Main = B, Exit Program = X:" in text


async def test_the_keys_of_the_jukebox_do_what_they_say(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await opened_jukebox(stage, pilot)
        jukebox = stage.jukebox
        await pilot.press("space")
        assert jukebox.is_playing
        await pilot.press("right")
        assert jukebox.position_s == pytest.approx(5, abs=0.1)
        await pilot.press("full_stop")
        assert jukebox.position_s == pytest.approx(65, abs=0.1)
        await pilot.press("left", "comma")
        assert jukebox.position_s == pytest.approx(0, abs=0.1)
        await pilot.press("5")
        assert jukebox.position_s == pytest.approx(100, abs=0.1)
        await pilot.press("plus", "plus", "minus")
        assert jukebox.volume_percent == 70
        muted = []
        for key in ("m", "M"):
            await pilot.press(key)
            muted.append(jukebox.muted)
        assert muted == [True, False]
        await pilot.press("h")
        assert jukebox.queue.shuffle
        await pilot.press("r")
        assert jukebox.queue.repeat is Repeat.ALL
        await pilot.press("z")
        assert jukebox.sleep.left_s == 15 * 60
        await pilot.press("c")
        assert jukebox.crossfade_s == 3.0
        await pilot.press("v")
        assert jukebox.spectrum is False
        await pilot.press("f")
        assert jukebox.favourites == {stage.songs[0].id}
        await pilot.press("n")
        await pilot.press("p")
        assert jukebox.queue.current is not None
        assert jukebox.queue.current.title == "Amber Staircase"
        heard = []
        for key in ("space", "space", "S"):
            await pilot.press(key)
            heard.append((jukebox.is_playing, jukebox.is_stopped))
        assert heard == [(False, False), (True, False), (False, True)]
        await stage.settle(pilot)
        assert load_settings(stage.paths.settings_file).volume_percent == 70


async def test_the_queue_can_be_changed_and_changes_undone(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await opened_jukebox(stage, pilot)
        queue = stage.jukebox.queue

        def remaining() -> list[str]:
            return [track.title.split()[0] for track in queue.remaining]

        assert remaining() == ["Slow", "Paper", "Northern", "Glass", "Hollow"]
        await pilot.press("down", "delete")
        assert remaining() == ["Slow", "Northern", "Glass", "Hollow"]
        await pilot.press("u")
        assert remaining() == ["Slow", "Paper", "Northern", "Glass", "Hollow"]
        await pilot.press("k")
        assert remaining()[:2] == ["Paper", "Slow"]
        await pilot.press("j", "j")
        assert remaining()[:3] == ["Slow", "Northern", "Paper"]
        await pilot.press("slash", *"glass", "enter")
        assert stage.app.screen.query_one(LongList).highlighted == 3
        await pilot.press("enter")
        assert queue.current is not None
        assert queue.current.title == "Glass Orchard"
        assert stage.jukebox.is_playing
        await pilot.press("w")
        assert "Amber" in remaining()


async def test_music_goes_on_while_other_screens_are_open(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await opened_jukebox(stage, pilot)
        await pilot.press("space", "b", "3")
        stage.player.advance(3.0)
        await stage.settle(pilot)
        assert stage.jukebox.is_playing
        assert "Playing: Amber Staircase 00:03/03:20" in stage.screen_text()
        await pilot.press("f2")
        assert not stage.jukebox.is_playing


async def test_a_song_is_skipped_and_deleted_after_asking_and_comes_back(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await opened_jukebox(stage, pilot)
        await pilot.press("space", "d", "2")
        assert len(stage.library.kept) == 6
        await pilot.press("d", "1")
        await stage.settle(pilot, lambda: len(stage.app.songs) == 5)
        assert stage.jukebox.queue.current is not None
        assert stage.jukebox.queue.current.title == "Slow Lantern"
        await pilot.press("u")
        await stage.settle(pilot, lambda: len(stage.app.songs) == 6)


async def test_info_device_copy_and_more_like_this_are_at_hand(stage: Stage) -> None:
    async with stage.app.run_test(size=LARGE) as pilot:
        await opened_jukebox(stage, pilot)
        await pilot.press("i")
        await stage.settle(pilot)
        assert "90 BPM" in stage.screen_text()
        await pilot.press("escape", "a")
        await stage.settle(pilot, lambda: stage.place() == "Choose")
        await pilot.press("2")
        assert stage.player.device == "Headphones"
        await pilot.press("y")
        assert stage.app.clipboard.endswith("song.flac")
        await pilot.press("l")
        await stage.settle(pilot, lambda: bool(stage.queue.told))
        assert stage.queue.told[0] == ("submit", "generate", 'More like "Amber Staircase"')


async def test_an_empty_jukebox_survives_every_key(empty_stage: Stage) -> None:
    stage = empty_stage
    async with stage.app.run_test(size=SMALL) as pilot:
        await opened_jukebox(stage, pilot)
        for action in ACTIONS["jukebox"]:
            if action.name not in ("back", "device", "search"):
                await pilot.press(action.keys[0])
        await stage.settle(pilot)
        assert stage.place() == "jukebox"


async def test_the_old_console_gets_plain_lines(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MUSIC_GEN_SAFE_LOOK", "1")
    async with stage.app.run_test(size=SMALL) as pilot:
        await opened_jukebox(stage, pilot)
        await pilot.press("space", "v")
        stage.player.advance(1.0)
        await stage.settle(pilot)
        text = stage.screen_text()
    assert "=" * 80 in text
    assert all(letter.isascii() for letter in text)

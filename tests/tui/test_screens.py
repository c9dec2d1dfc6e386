"""Every screen and every key, driven as a person drives them."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Checkbox, Input

from llm_music_gen.domain.job import JobState
from llm_music_gen.jobs.when_done import WhenDone
from llm_music_gen.playback.play_queue import Repeat
from llm_music_gen.settings import load_settings
from llm_music_gen.tui.actions import ACTIONS
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.configuration import ITEMS
from llm_music_gen.tui.widgets.long_list import LongList
from tests.tui.conftest import Stage, job, making

SMALL, LARGE = (80, 24), (120, 40)


def place(stage: Stage) -> str:
    screen = stage.app.screen
    return screen.PLACE if isinstance(screen, StudioScreen) else type(screen).__name__


# The main menu


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
        assert place(stage) == expected
        await pilot.press("escape", "B")
        assert place(stage) == "main"


async def test_arrows_and_enter_work_as_well_as_numbers(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("down", "enter")
        assert place(stage) == "jukebox"


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
        assert place(stage) == "generate"
        assert stage.app.screen.query_one("#styles", Input).value == "bx?j"
        await pilot.press("escape", "b")
        assert place(stage) == "main"


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
        assert place(stage) == "Choose"
        await pilot.press(answer)
        if leaves:
            await stage.settle(pilot, lambda: not stage.app.is_running or stage.app._exit)
        else:
            await stage.settle(pilot)
            assert stage.app.is_running
            stage.queue.rows = [making(state=JobState.DONE, fraction=1.0)]
            await stage.settle(pilot, lambda: stage.app._exit)
    assert (("stop",) in stage.queue.told) is stops


# Generate


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


# The jukebox


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
        await stage.settle(pilot, lambda: place(stage) == "Choose")
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
        assert place(stage) == "jukebox"


# Configuration


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
        assert place(stage) == "AskText"
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


# Jobs


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
        await stage.settle(pilot, lambda: place(stage) == "Choose")
        await stage.settle(pilot, lambda: "1 job was not finished" in stage.screen_text())
        await pilot.press(answer)
        await stage.settle(pilot)
        assert stage.queue.told == told


# Songs


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
        assert place(stage) == "jukebox"
        assert stage.jukebox.is_playing


# Help, palette, and what comes from outside


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
        assert place(stage) == opened


async def test_the_palette_finds_actions_by_name(stage: Stage) -> None:
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("ctrl+p", *"jukebox")
        await stage.settle(pilot)
        await pilot.press("down", "enter")
        await stage.settle(pilot)
        assert place(stage) == "jukebox"


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
        assert place(stage) == "songs"


async def test_ten_thousand_letters_pasted_into_the_styles_do_no_harm(stage: Stage) -> None:
    from textual.events import Paste

    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        await pilot.press("1")
        stage.app.post_message(Paste("é🎵ß" * 3000))
        await stage.settle(pilot)
        await pilot.press("enter", "enter")
        await stage.settle(pilot)
        assert place(stage) == "generate"


async def test_titles_with_brackets_are_shown_as_they_are(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "s", titles=["[bold]Loud[/bold]", "[/] [link=x]"])
    async with stage.app.run_test(size=SMALL) as pilot:
        await stage.ready(pilot)
        assert "[bold]Loud[/bold]" in stage.screen_text()
        await pilot.press("2", "space", "f")
        await stage.settle(pilot)
        assert "[/] [link=x]" in stage.screen_text()


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

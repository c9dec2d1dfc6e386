"""Whole screens against pictures of how they shall look. After a wanted change: pytest --snapshot-update on this file."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from llm_music_gen.domain.job import JobState
from llm_music_gen.jobs.when_done import WhenDone
from llm_music_gen.playback.jukebox import Jukebox
from tests.tui.conftest import Stage, job, making

Compare = Callable[..., bool]
SMALL, LARGE = (80, 24), (120, 40)


@pytest.fixture(autouse=True)
def steady_spectrum(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bars on every processor."""

    def levels(_: Jukebox, bands: int) -> tuple[float, ...]:
        return tuple(0.5 + 0.45 * math.sin(band / 2) for band in range(bands))

    monkeypatch.setattr(Jukebox, "levels", levels)


def after(stage: Stage, *keys: str, jobs: int = 0) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """What happens before the picture: wait for the library and the jobs, press keys, wait again."""

    async def run(pilot: Pilot[Any]) -> None:
        await stage.settle(pilot, lambda: len(stage.app.songs) == len(stage.library.kept) and len(stage.app.jobs) == jobs)
        for key in keys:
            await pilot.press(key)
        for field in stage.app.screen.query(Input):
            field.cursor_blink = False
        await stage.settle(pilot)

    return run


def play(stage: Stage, seconds: float) -> None:
    """Begin the library's first song and let time pass."""
    from llm_music_gen.playback.track import track_of

    stage.jukebox.play_tracks([track for song in stage.songs if (track := track_of(song)) is not None])
    stage.jukebox.next()
    stage.player.advance(seconds)
    stage.jukebox.favourites.add(stage.songs[2].id)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_main_menu(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(stage.app, run_before=after(stage), terminal_size=size)


def test_main_menu_on_the_first_evening(empty_stage: Stage, snap_compare: Compare) -> None:
    assert snap_compare(empty_stage.app, run_before=after(empty_stage), terminal_size=SMALL)


def test_main_menu_while_songs_are_made_and_played(stage: Stage, snap_compare: Compare) -> None:
    play(stage, 72.0)
    stage.queue.rows = [making(), job(uid="next", state=JobState.QUEUED)]
    assert snap_compare(stage.app, run_before=after(stage, jobs=2), terminal_size=SMALL)


@pytest.mark.parametrize("theme", ["paper", "contrast", "plain"])
def test_main_menu_in_other_colours(stage: Stage, snap_compare: Compare, theme: str) -> None:
    stage.services.settings = stage.services.settings.model_copy(update={"theme": theme})
    assert snap_compare(stage.app, run_before=after(stage), terminal_size=SMALL)


def test_the_length_is_asked(stage: Stage, snap_compare: Compare) -> None:
    assert snap_compare(stage.app, run_before=after(stage, "l", "4", "-", "6"), terminal_size=SMALL)


def test_generate_asks(stage: Stage, snap_compare: Compare) -> None:
    assert snap_compare(stage.app, run_before=after(stage, "1"), terminal_size=SMALL)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_generate_produces(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    stage.queue.rows = [making()]
    assert snap_compare(stage.app, run_before=after(stage, "1", jobs=1), terminal_size=size)


def test_generate_converts(stage: Stage, snap_compare: Compare) -> None:
    detail = {**making().detail, "format": "mp3", "stage_fraction": 0.33}
    stage.queue.rows = [making(stage="convert", message="Encoding", detail=detail)]
    assert snap_compare(stage.app, run_before=after(stage, "1", jobs=1), terminal_size=SMALL)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_jukebox_plays(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    play(stage, 72.0)
    assert snap_compare(stage.app, run_before=after(stage, "2"), terminal_size=size)


def test_jukebox_on_the_old_console(stage: Stage, snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MUSIC_GEN_SAFE_LOOK", "1")
    play(stage, 72.0)
    assert snap_compare(stage.app, run_before=after(stage, "2", "v", "h"), terminal_size=SMALL)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_configuration(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(stage.app, run_before=after(stage, "3"), terminal_size=size)


def test_configuration_refuses_what_will_not_do(stage: Stage, snap_compare: Compare) -> None:
    assert snap_compare(stage.app, run_before=after(stage, "3", "2", "9"), terminal_size=SMALL)


def test_jobs(stage: Stage, snap_compare: Compare) -> None:
    stage.queue.rows = [
        job(
            uid="a",
            state=JobState.FAILED,
            fraction=0.2,
            error="The strings are broken. Buy new ones.",
            log_file="data/jobs/a/log.txt",
        ),
        making(uid="b"),
        job(uid="c", state=JobState.QUEUED, title="Meditation (1 song, 8:00 hours)"),
        job(uid="d", state=JobState.INTERRUPTED, fraction=0.4, title="Jazz (2 songs, 5 minutes)"),
    ]
    stage.queue.action = WhenDone.SLEEP
    assert snap_compare(stage.app, run_before=after(stage, "j", jobs=4), terminal_size=SMALL)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
def test_songs(stage: Stage, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(stage.app, run_before=after(stage, "s", "down", "f"), terminal_size=size)


def test_help(stage: Stage, snap_compare: Compare) -> None:
    assert snap_compare(stage.app, run_before=after(stage, "question_mark"), terminal_size=SMALL)


def test_leaving_while_songs_are_made(stage: Stage, snap_compare: Compare) -> None:
    stage.queue.rows = [making()]
    assert snap_compare(stage.app, run_before=after(stage, "x", jobs=1), terminal_size=SMALL)


def test_work_is_offered_again(stage: Stage, snap_compare: Compare) -> None:
    stage.queue.rows, stage.queue.alive = [making(state=JobState.INTERRUPTED)], False
    assert snap_compare(stage.app, run_before=after(stage, jobs=1), terminal_size=SMALL)

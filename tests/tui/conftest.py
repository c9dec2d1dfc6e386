"""The app over a studio of its own: songs that are there, a silent player, a clock and a queue that tests set."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from textual.pilot import Pilot

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.domain.song import Song
from llm_music_gen.jobs.when_done import WhenDone
from llm_music_gen.paths import StudioPaths
from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.settings import Settings
from llm_music_gen.tui.app import StudioApp
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.services import Services
from tests.fakes.silent_player import SilentPlayer

TITLES = ("Amber Staircase", "Slow Lantern", "Paper Tide", "Northern Window", "Glass Orchard", "Hollow Meridian")
LENGTH_S = 200.0
PATIENCE_S = 30.0


class ShelfInMemory:
    """A library whose songs a test puts in; trash and undo as in the real one."""

    def __init__(self, songs: Iterable[Song]) -> None:
        self.kept = list(songs)
        self.trash: list[tuple[int, Song]] = []

    def songs(self) -> tuple[Song, ...]:
        return tuple(self.kept)

    def search(self, text: str = "", *, newest_first: bool = False) -> tuple[Song, ...]:
        words = text.casefold().split()
        found = [song for song in self.kept if all(word in f"{song.title} {song.styles}".casefold() for word in words)]
        return tuple(reversed(found)) if newest_first else tuple(found)

    def ids(self) -> frozenset[str]:
        return frozenset(song.id for song in self.kept)

    def song_with_id(self, song_id: str) -> Song | None:
        return next((song for song in self.kept if song.id == song_id), None)

    def songs_with_file(self, name: str) -> tuple[Song, ...]:
        return tuple(song for song in self.kept if any(file.name == name for file in song.files.values()))

    def total_length_s(self) -> float:
        return sum(song.length_s for song in self.kept)

    def remove(self, song: Song) -> None:
        place = self.kept.index(song)
        self.trash.append((place, self.kept.pop(place)))

    def restore(self) -> Song:
        place, song = self.trash.pop()
        self.kept.insert(place, song)
        return song

    def rescan(self) -> tuple[int, int]:
        return 0, 0


class QueueInMemory:
    """A queue that does what it is told and writes it down."""

    def __init__(self) -> None:
        self.rows: list[Job] = []
        self.told: list[tuple[Any, ...]] = []
        self.alive = True
        self.action = WhenDone.NOTHING
        self.left_s: int | None = None

    def close(self) -> None: ...

    def jobs(self) -> list[Job]:
        return list(self.rows)

    def worker_is_alive(self) -> bool:
        return self.alive

    def when_done(self) -> tuple[WhenDone, int | None]:
        return self.action, self.left_s

    def set_when_done(self, action: WhenDone) -> None:
        self.action = action

    def ensure_worker(self) -> bool:
        return True

    def submit(self, kind: str, title: str, request: dict[str, Any]) -> str:
        self.told.append(("submit", kind, title))
        self.rows.append(job(uid=f"job{len(self.rows)}", kind=kind, title=title, request=request, state=JobState.QUEUED))
        return self.rows[-1].uid

    def stop(self) -> bool:
        self.told.append(("stop",))
        return True

    def __getattr__(self, name: str) -> Callable[..., None]:
        def tell(*arguments: Any, **options: Any) -> None:
            self.told.append((name, *arguments, *options.values()))

        if name in ("cancel", "pause", "resume", "retry", "remove", "move"):
            return tell
        raise AttributeError(name)


def job(**values: Any) -> Job:
    """A job with what matters filled in."""
    filled: dict[str, Any] = {
        "uid": "job0",
        "kind": "generate",
        "title": "Chill, Dubstep (3 songs, 5 minutes)",
        "request": {"styles": ["Chill", "Dubstep"], "songs": 3},
        "state": JobState.RUNNING,
        "position": 1.0,
        "created_at": "2026-11-21T00:00:00Z",
    }
    return Job(**{**filled, **values})


class Stage:
    """An app ready to be driven, and everything behind it."""

    def __init__(self, home: Path, titles: Iterable[str] = TITLES, **settings: Any) -> None:
        self.paths = StudioPaths(data_dir=home / "data", models_dir=home / "models")
        self.songs = [song(self.paths.songs_dir, number, title) for number, title in enumerate(titles)]
        self.library = ShelfInMemory(self.songs)
        self.queue = QueueInMemory()
        self.player = SilentPlayer()
        self.now_s = 0.0
        self.jukebox = Jukebox(self.player, seed=7, clock=lambda: self.now_s)
        self.services = Services(
            paths=self.paths,
            settings=Settings(**settings),
            library=self.library,  # type: ignore[arg-type]
            jukebox=self.jukebox,
            open_queue=lambda: self.queue,  # type: ignore[arg-type,return-value]
            clock=lambda: self.now_s,
        )
        self.app = StudioApp(self.services)

    async def settle(self, pilot: Pilot[Any], until: Callable[[], bool] | None = None) -> None:
        """Wait for the bridge, for a condition if there is one, and until the screen has come to rest."""
        deadline_s = time.monotonic() + PATIENCE_S
        await pilot.pause(0.4)
        while until is not None and not until():
            assert time.monotonic() < deadline_s, "it never happened"
            await pilot.pause(0.05)
        before, same = "", 0
        while same < 3 and time.monotonic() < deadline_s:
            await pilot.pause(0.12)
            now = self.screen_text()
            same = same + 1 if now == before else 0
            before = now

    async def ready(self, pilot: Pilot[Any]) -> None:
        """Wait until the library was read."""
        await self.settle(pilot, lambda: len(self.app.songs) == len(self.library.kept))

    def place(self) -> str:
        """Which screen is open; a dialog by its class."""
        screen = self.app.screen
        return screen.PLACE if isinstance(screen, StudioScreen) else type(screen).__name__

    def screen_text(self) -> str:
        """What stands on the screen."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in lines)


def song(folder: Path, number: int, title: str) -> Song:
    """A song with a real file."""
    place = folder / str(number)
    place.mkdir(parents=True)
    first = next(folder.glob("*/*.flac"), None)
    path = place / "song.flac"
    if first is not None:
        shutil.copyfile(first, path)
    else:
        seconds = np.arange(round(LENGTH_S * 8000)) / 8000
        soundfile.write(path, 0.4 * np.sin(2 * np.pi * 220 * seconds), 8000)
    return Song(
        id=f"{number:064d}", title=title, styles=("Chill", "Dubstep") if number % 2 else ("Ambient",), folder=place,
        files={"flac": path}, frames=round((LENGTH_S + number) * 44100), key="Dm", tempo_bpm=90.0, meter="4/4", seed=number,
        model="composer.built-in.gguf", created="2026-11-21T00:00:00Z", lufs=-14.0,
    )  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Six songs, nothing playing, nothing queued."""
    return Stage(tmp_path / "studio")


@pytest.fixture
def empty_stage(tmp_path: Path) -> Stage:
    """A studio on its first evening."""
    return Stage(tmp_path / "studio", titles=())


@pytest.fixture(autouse=True)
def steady_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same look on every machine, and no cursor that blinks."""
    for name in ("LLM_MUSIC_GEN_SAFE_LOOK", "COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WT_SESSION", "1")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


def making(**values: Any) -> Job:
    """A job in the middle of its second song."""
    detail = {
        "song_number": 2,
        "songs": 3,
        "whole": 0.62,
        "title": "Velvet Harbour",
        "abc": 'M:4/4\nL:1/8\nK:Dm\n%chords\nP:A8\n"Dm"A2ABc2Bc|"Gm"d2dc"A7"BAG2|',
    }
    return replace(job(fraction=0.52, stage="sound", message="Playing", detail=detail), **values)

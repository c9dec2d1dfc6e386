"""A night in short: songs arrive and play one after another, and the app stays as small as it was.

`LLM_MUSIC_GEN_SOAK_SONGS=1000` makes the night as long as the claim; by default it is shorter.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.domain.song import Song
from tests.tui.conftest import Stage, making

SONGS = int(os.environ.get("LLM_MUSIC_GEN_SOAK_SONGS", "150"))
SETTLED_AFTER = 50
MOST_GROWTH_BYTES = 20_000_000


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def footprint() -> tuple[int, int, int]:
    """Memory, open files, threads."""
    gc.collect()
    return resident_bytes(), len(list(Path("/proc/self/fd").iterdir())), threading.active_count()


@pytest.mark.heavy
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_night_of_songs_leaves_memory_files_and_threads_as_they_were(tmp_path: Path) -> None:
    stage = Stage(tmp_path / "studio", titles=())
    path = tmp_path / "tiny.wav"
    soundfile.write(path, np.zeros(4410), 44100)
    settled = (0, 0, 0)
    async with stage.app.run_test(size=(80, 24)) as pilot:
        await stage.ready(pilot)
        await pilot.press("2")
        for number in range(1, SONGS + 1):
            stage.library.kept.append(tiny_song(path, number))
            detail = {**making().detail, "song_number": number, "songs": 1000}
            stage.queue.rows = [replace(making(stage="finished", fraction=number / 1000), detail=detail)]
            while len(stage.app.songs) < number or not heard(stage, number):
                stage.player.advance(0.1)
                await pilot.pause(0.02)
            if number == SETTLED_AFTER:
                settled = footprint()
        memory, files, threads = footprint()
    assert memory - settled[0] < MOST_GROWTH_BYTES
    assert files <= settled[1] + 2  # the song before and the song after may be open
    assert threads <= settled[2]


def heard(stage: Stage, number: int) -> bool:
    """Whether the jukebox has come to this song."""
    queue = stage.jukebox.queue
    tracks = [*queue.played[-2:], *([queue.current] if queue.current else [])]
    return any(track.title == f"Song {number}" for track in tracks)


def tiny_song(path: Path, number: int) -> Song:
    return Song(
        id=f"{number:064d}", title=f"Song {number}", styles=("Chill",), folder=path.parent, files={"wav": path}, frames=4410,
        key="C", tempo_bpm=90.0, meter="4/4", seed=number, model="", created="2026-11-21T00:00:00Z",
    )  # fmt: skip

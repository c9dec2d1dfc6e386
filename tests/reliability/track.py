"""A track of hours made short: ten seconds in segments of two, planned once and then made, killed, resumed and compared."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.domain.progress import finish
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.sound import mp3
from llm_music_gen.sound.long import store
from llm_music_gen.studio import studio as studio_module
from llm_music_gen.studio.batch import Outcome
from llm_music_gen.studio.long import make, waiting
from llm_music_gen.studio.long.make import LongWorkshop
from llm_music_gen.studio.long.unfinished import Unfinished
from llm_music_gen.studio.request import GenerateRequest, LongWords
from llm_music_gen.studio.studio import Studio
from llm_music_gen.styles import load_styles

RATE = 44_100
LENGTH_S, SEGMENT_S = 10, 2
KILLED = 9
#: The style sheets are read once, not twice a run.
STYLES = cache(load_styles)


def short_pieces(patch: pytest.MonkeyPatch) -> None:
    """Segments of two seconds and chunks of four, so that a short track has many; one round of evening out; no waiting."""
    patch.setattr(store, "SEGMENT_FRAMES", SEGMENT_S * RATE)
    patch.setattr(mp3, "CHUNK_FRAMES", 147)
    patch.setattr(make, "_MOST_ROUNDS", 1)
    patch.setattr(make, "MOST_RISE_LU", {"night": -9.0, "day": -9.0})
    patch.setattr(waiting, "PATIENCE_S", 0.0)
    patch.setattr(studio_module, "processor_count", lambda: 0)
    for module in ("studio", "long.score"):
        patch.setattr(f"llm_music_gen.studio.{module}.load_styles", STYLES)
    patch.setenv("SOURCE_DATE_EPOCH", "1767225600")


def open_studio(home: Path) -> Studio:
    """A studio whose every file lies in `home`."""
    return Studio(StudioPaths(home / "data", home / "models"), Settings())


def request(**changes: Any) -> GenerateRequest:
    """What the track is asked to be."""
    words: dict[str, Any] = {
        "length": f"{LENGTH_S}s", "seed": 3,
        "formats": "mp3,flac", "frequency": "528", "long": LongWords(layers="binaural 10-2"),
    }  # fmt: skip
    return GenerateRequest.from_words("ambient, meditation", **{**words, **changes})


def plan_in(home: Path, **changes: Any) -> Path:
    """A home with one track that is planned and not begun."""
    with pytest.MonkeyPatch.context() as patch, open_studio(home) as studio:
        short_pieces(patch)
        with closing(studio.generate(request(**changes))) as work:
            for report in work:
                if report.stage == "sound":
                    break
        [track] = studio.unfinished()
        for entry in list(track.folder.iterdir()):
            if entry.suffix != ".json":
                entry.unlink()
    return home


def track_in(home: Path) -> Unfinished:
    """The one track in work."""
    with open_studio(home) as studio:
        [track] = studio.unfinished()
    return track


def waits(home: Path) -> bool:
    """Whether a track in work is there."""
    return bool(list((home / "data" / "unfinished").glob("[!.]*/recipe.json")))


def workshop(home: Path) -> LongWorkshop:
    """What its making needs."""
    with open_studio(home) as studio:
        return studio._long_workshop("")


def resumed(home: Path, *, anyway: bool = False) -> dict[str, str]:
    """The checksums of all files of the track, once it is finished."""
    with open_studio(home) as studio:
        [track] = studio.unfinished()
        [outcome] = finish(studio.resume(track, anyway=anyway))
        assert outcome.song is not None, outcome.error
        assert studio.unfinished() == ()
    return checksums(home)


def checksums(home: Path) -> dict[str, str]:
    """Of the files of the one song there is; nothing else may be left."""
    [folder] = (home / "data" / "songs").iterdir()
    assert not list((home / "data" / "unfinished").iterdir()), "something was left behind"
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def ended(home: Path) -> dict[str, str]:
    """The checksums in the end: resumed first where that is needed."""
    return resumed(home) if waits(home) else swept(home)


def swept(home: Path) -> dict[str, str]:
    """As `checksums`, after whatever was being thrown away has been swept up, as it is when the studio looks for tracks."""
    with open_studio(home) as studio:
        assert studio.unfinished() == ()
    return checksums(home)


def fresh(home: Path, planned: Path) -> None:
    """Begin anew with the planned track."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(planned, home)


def failure(outcomes: Sequence[Outcome]) -> str:
    """The sentence of the one song that failed."""
    [outcome] = outcomes
    assert outcome.song is None
    assert len(outcome.error.splitlines()) == 1
    return outcome.error


def failed(home: Path) -> str:
    """Make the track: the sentence with which it failed, or nothing."""
    with open_studio(home) as studio:
        [outcome] = finish(studio.resume(track_in(home)))
    assert len(outcome.error.splitlines()) <= 1
    return outcome.error


def in_a_process(function: Callable[..., None], *arguments: Any) -> Any:
    """A process that carries out a function. Forked it has everything imported; where there is no fork it starts anew."""
    context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "fork")
    process = context.Process(target=_quietly, args=(function, *arguments))
    process.start()
    return process


def _quietly(function: Callable[..., None], *arguments: Any) -> None:
    patch = pytest.MonkeyPatch()
    short_pieces(patch)
    function(*arguments)
    os._exit(0)  # what a forked copy of the test runner would do on its way out is not wanted


def make_it(home: Path) -> None:
    """What such a process mostly does: make the track."""
    finish(make.make_long(track_in(home), workshop(home)))


def flip(path: Path, at: int | None = None) -> None:
    """Turn one bit of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    path.write_bytes(bytes(data))

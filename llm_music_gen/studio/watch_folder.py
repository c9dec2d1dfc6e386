"""A folder that is watched: every audio file that comes to lie there is processed once, when it is whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from llm_music_gen.paths import StudioPaths
from llm_music_gen.processing.files import audio_files_in
from llm_music_gen.processing.runner import SUFFIX
from llm_music_gen.studio.processing_room import Processing, not_done

POLL_S = 2.0


def arrivals(
    processing: Processing, folder: Path, paths: StudioPaths, wait: Callable[[float], None] = time.sleep
) -> Iterator[Processing]:
    """The plan for each file that has arrived, without end. Raises StorageError when the folder cannot be looked into.

    A file counts as whole when its size and time stay the same between two looks. What has a result of the same request in its
    history is left alone, also after a restart; what could not be processed is tried again when it changes.
    """
    seen: dict[Path, tuple[int, int]] = {}
    taken: dict[Path, tuple[int, int]] = {}
    while True:
        now = {path: state for path in audio_files_in(folder) if (state := _state(path)) is not None}
        for path, state in now.items():
            if SUFFIX in path.stem or path.name.startswith(".") or taken.get(path) == state or seen.get(path) != state:
                continue
            taken[path] = state
            waiting = not_done(replace(processing, files=(path,)), paths)
            if waiting.files:
                yield waiting
        seen = now
        wait(POLL_S)


def _state(path: Path) -> tuple[int, int] | None:
    """Size and time of a file; None where it has gone meanwhile or is empty yet."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if found.st_size else None

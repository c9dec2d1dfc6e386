"""What runs on a worker before any work: it says what it is and takes files. Nothing here is called on this side.

A worker may carry out several calls at a time in threads of one process, and each thread keeps things of its own, because a synth
belongs to one thread.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.errors import StorageError
from llm_music_gen.paths import studio_paths
from llm_music_gen.sound.long import store
from llm_music_gen.sound.soundfonts import Soundfont
from llm_music_gen.studio.cluster.files import NeededFile, find_file, receive_piece
from llm_music_gen.studio.soundfont_facts import soundfont_facts
from llm_music_gen.studio.versions import versions


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a worker is."""

    versions: Mapping[str, str]
    segment_frames: int
    missing: tuple[NeededFile, ...]
    """What has to be sent first."""
    fingerprint: str
    """Of its rendering with the soundfont; "" while that is missing."""


def introduce(needed: tuple[NeededFile, ...]) -> Introduction:
    """Say what this worker is, which of these files it lacks, and how it renders. Takes a second the first time."""
    paths = studio_paths()
    missing = tuple(file for file in needed if find_file(file, paths) is None)
    fingerprint = ""
    for file in needed:
        path = find_file(file, paths) if file.kind == "soundfont" else None
        if path is not None:
            fingerprint = soundfont_facts(Soundfont(path), paths.cache_dir).fingerprint
    return Introduction(versions(), store.SEGMENT_FRAMES, missing, fingerprint)


def receive(needed: NeededFile, sender: str, offset: int, data: bytes) -> bool:
    """Take a piece of a file; whether it is whole now."""
    return receive_piece(needed, sender, offset, data, studio_paths())


_own = threading.local()


def scratch() -> Path:
    """A folder of this thread's, gone with the process."""
    if getattr(_own, "scratch", None) is None:
        _own.scratch = tempfile.TemporaryDirectory(prefix="llm-music-gen-", ignore_cleanup_errors=True)
    return Path(_own.scratch.name)


def file_here(needed: NeededFile) -> Path:
    """Where a file stands on this worker. Raises StorageError."""
    path = find_file(needed, studio_paths())
    if path is None:
        raise StorageError(f"{needed.name} has vanished from the worker.", hint="It is sent again the next time.")
    return path

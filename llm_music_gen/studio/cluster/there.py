"""What runs on a worker: it says what it is, takes files, and renders. Nothing here is called on this side.

A worker may carry out several calls at a time in threads of one process; each thread keeps a player of its own, because a synth
belongs to one thread.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.errors import SoundfontMissing, StorageError
from llm_music_gen.paths import studio_paths
from llm_music_gen.sound.long import store
from llm_music_gen.sound.long.render import make_segment
from llm_music_gen.sound.long.store import SegmentRow, segment_name
from llm_music_gen.sound.long.track import TrackPlayer
from llm_music_gen.sound.soundfonts import Soundfont
from llm_music_gen.studio.cluster.files import NeededFile, find_file, receive_piece
from llm_music_gen.studio.long.score import track_of
from llm_music_gen.studio.recipe import Recipe
from llm_music_gen.studio.soundfont_facts import soundfont_facts
from llm_music_gen.studio.versions import versions
from llm_music_gen.styles import Style


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a worker is."""

    versions: Mapping[str, str]
    segment_frames: int
    missing: tuple[NeededFile, ...]
    """What has to be sent first."""
    fingerprint: str
    """Of its rendering with the soundfont; "" while that is missing."""


@dataclass(frozen=True, slots=True)
class TrackOrder:
    """A long track, with all that a worker cannot have."""

    recipe: str
    """As in recipe.json."""
    styles: Mapping[str, Style]
    """The sheets that it names."""
    soundfont: NeededFile
    frames: int


@dataclass(frozen=True, slots=True)
class SentSegment:
    """A rendered segment on its way back."""

    row: SegmentRow
    data: bytes
    """Its file, whose checksum is in the row."""


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


def render_segment(order: TrackOrder, index: int) -> SentSegment:
    """One segment of a track. Raises StudioError."""
    player, folder = _player(order)
    row = make_segment(player, folder, index, order.frames)
    path = folder / segment_name(index)
    try:
        data = path.read_bytes()
        path.unlink()
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror or error}).") from error
    return SentSegment(row, data)


def _player(order: TrackOrder) -> tuple[TrackPlayer, Path]:
    """This thread's player of a track, and a folder for what it writes. The former track's is closed."""
    key = hashlib.sha256(f"{order.soundfont.sha256}\n{order.recipe}".encode()).hexdigest()
    if getattr(_own, "key", "") != key:
        if getattr(_own, "player", None) is not None:
            _own.player.close()
        _own.key, _own.player = "", None
        font = font_here(order.soundfont)
        if getattr(_own, "scratch", None) is None:
            _own.scratch = tempfile.TemporaryDirectory(prefix="llm-music-gen-", ignore_cleanup_errors=True)
        _own.player = TrackPlayer(track_of(Recipe.model_validate_json(order.recipe), order.styles, font), Path(_own.scratch.name))
        _own.key = key
    return _own.player, Path(_own.scratch.name)


def font_here(needed: NeededFile) -> Path:
    """Where the soundfont stands on this worker. Raises SoundfontMissing."""
    path = find_file(needed, studio_paths())
    if path is None:
        raise SoundfontMissing(f"The soundfont {needed.name} has vanished from the worker.", hint="It is sent again next time.")
    return path

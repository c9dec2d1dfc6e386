"""What runs on a worker: one segment of a long track. Nothing here is called on this side."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.errors import StorageError
from llm_music_gen.sound.long.render import make_segment
from llm_music_gen.sound.long.store import SegmentRow, segment_name
from llm_music_gen.sound.long.track import TrackPlayer
from llm_music_gen.studio.cluster.files import NeededFile
from llm_music_gen.studio.cluster.there import file_here, scratch
from llm_music_gen.studio.long.score import track_of
from llm_music_gen.studio.recipe import Recipe
from llm_music_gen.styles import Style


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
        track = track_of(Recipe.model_validate_json(order.recipe), order.styles, file_here(order.soundfont))
        _own.player = TrackPlayer(track, scratch())
        _own.key = key
    return _own.player, scratch()

"""Takes back what a tool did: songs go to the trash, files get their former version, settings their former value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llm_music_gen.assistant.desk import Desk
from llm_music_gen.errors import LibraryError, StorageError
from llm_music_gen.settings import load_settings, save_settings, with_setting
from llm_music_gen.studio.processing_room import undo_processing


def take_back(desk: Desk, undo: Mapping[str, Any]) -> str:
    """Undo one answer's work and say what was done. Nothing is ever destroyed. Raises StudioError where it cannot be undone."""
    return _KINDS[str(undo["kind"])](desk, undo)


def _songs(desk: Desk, undo: Mapping[str, Any]) -> str:
    """New songs go to the trash."""
    library = desk.studio.library
    gone = [song for name in undo["folders"] if (song := library.song_in(str(name))) is not None]
    if not gone:
        raise LibraryError("Those songs are not in the library any more.")
    for song in gone:
        library.remove(song)
        if desk.file is not None and desk.file.is_relative_to(song.folder):
            desk.file = None
    desk.song = ""
    return f"{_titles([song.title for song in gone])} lies in the trash; it can be brought back."


def _removed(desk: Desk, undo: Mapping[str, Any]) -> str:
    """Removed songs come back."""
    back = [desk.studio.library.restore(str(name)) for name in undo["folders"]]
    return f"{_titles([song.title for song in back])} is back."


def _processed(desk: Desk, undo: Mapping[str, Any]) -> str:
    """The version before becomes current again."""
    current = [undo_processing(Path(str(name)), 1, desk.studio.paths) for name in undo["files"]]
    desk.file = current[-1]
    return f"{', '.join(path.name for path in current)} is the current version again."


def _setting(desk: Desk, undo: Mapping[str, Any]) -> str:
    file = desk.studio.paths.settings_file
    value = undo["value"]
    changed = with_setting(load_settings(file), str(undo["key"]), tuple(value) if isinstance(value, list) else value)
    save_settings(changed, file)
    desk.studio.settings = changed
    return f"{undo['key']} is {value} again."


def _edited(desk: Desk, undo: Mapping[str, Any]) -> str:
    """The song's former version takes its place again."""
    room = desk.studio.editing()
    former = room.undo(desk.studio.library.find(str(undo["song"])), 1)
    desk.song, desk.file = former.folder.name, former.audio_file
    return f'"{former.title}" is as it was before.'


def _files(desk: Desk, undo: Mapping[str, Any]) -> str:
    """Files that a tool wrote move to the trash."""
    trash = desk.studio.paths.data_dir / "trash" / "files"
    moved = []
    try:
        trash.mkdir(parents=True, exist_ok=True)
        for name in undo["files"]:
            path = Path(str(name))
            if path.is_file():
                target, number = trash / path.name, 1
                while target.exists():
                    number += 1
                    target = trash / f"{path.stem} ({number}){path.suffix}"
                path.replace(target)
                moved.append(path.name)
    except OSError as error:
        raise StorageError(f"It cannot be moved to {trash} ({error.strerror or error}).", hint="Move it by hand.") from error
    if not moved:
        raise LibraryError("What was written is not there any more.")
    return f"{', '.join(moved)} lies in {trash}."


def _titles(titles: list[str]) -> str:
    return " and ".join(f'"{title}"' for title in titles)


_KINDS = {"songs": _songs, "removed": _removed, "processed": _processed, "setting": _setting, "files": _files, "edited": _edited}

"""Versions of a song: the newest lies in the library, the others whole in a folder of their own. Nothing is ever deleted.

A change takes place in steps after each of which the library points to complete files. What a crash left between two of them
is finished the next time (`settle`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import LibraryError, StorageError
from llm_music_gen.library.catalogue import Library
from llm_music_gen.library.shelf import read_song
from llm_music_gen.parsing import parse_json
from llm_music_gen.studio.files import move_into_place

_JOURNAL = "change.json"


class SongVersions:
    """The former versions of the library's songs."""

    def __init__(self, folder: Path, library: Library, songs_dir: Path) -> None:
        self._folder = folder
        self._library = library
        self._songs_dir = songs_dir

    def supersede(self, old: Song, new: Song) -> bool:
        """The library has `new`, whose folder lies among the songs, in place of `old`.

        Returns False when `old` is open somewhere and could not be put away yet; that is done next time. Raises StorageError.
        """
        self._note(old, new)
        self._library.add(new)
        return self.settle()

    def bring_back(self, current: Song, identity: str) -> Song:
        """A former version in place of the current one. Raises LibraryError where it is gone, StorageError."""
        kept = self.find(identity)
        if kept is None:
            raise LibraryError(
                f"The former version of {current.title!r} is not among the kept ones.", hint=f"They lie in {self._folder}."
            )
        title = read_song(kept).title
        restored = read_song(move_into_place(kept, self._songs_dir, title))
        self.supersede(current, restored)
        return restored

    def find(self, identity: str) -> Path | None:
        """The folder of a kept version, or None."""
        return next(self._kept(identity), None)

    def settle(self) -> bool:
        """Finish the change that is under way, if one is. Returns whether nothing is left to do."""
        journal = self._folder / _JOURNAL
        try:
            noted = parse_json(journal.read_text(encoding="utf-8"))
            old, new, identity = self._songs_dir / str(noted["old"]), self._songs_dir / str(noted["new"]), str(noted["identity"])
        except FileNotFoundError:
            return True
        except (OSError, ValueError, KeyError, TypeError):
            with suppress(OSError):
                journal.unlink()
            return True
        if new.is_dir() and old.is_dir() and _identity(old) == identity and not self._put_away(old, identity):
            return False
        self._library.look_at(old, new)
        with suppress(OSError):
            journal.unlink()
        return True

    def _kept(self, identity: str) -> Iterator[Path]:
        try:
            folders = sorted(self._folder.glob(f"{identity[:16]}*"))
        except OSError:
            return
        yield from (folder for folder in folders if _identity(folder) == identity)

    def _put_away(self, folder: Path, identity: str) -> bool:
        target, number = self._folder / identity[:16], 1
        while target.exists():
            number += 1
            target = self._folder / f"{identity[:16]}-{number}"
        try:
            folder.rename(target)
        except OSError:
            return False
        return True

    def _note(self, old: Song, new: Song) -> None:
        journal = self._folder / _JOURNAL
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            noted = {"old": old.folder.name, "new": new.folder.name, "identity": old.id}
            disk.write_whole(journal, json.dumps(noted, ensure_ascii=False).encode("utf-8"))
        except OSError as error:
            raise StorageError(
                f"{self._folder} cannot be written ({error.strerror or error}).", hint="The new version is in the library."
            ) from error


def _identity(folder: Path) -> str:
    try:
        return read_song(folder).id
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""

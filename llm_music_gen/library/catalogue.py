"""The catalogue of songs: a SQLite index over the songs' folders, which `rescan` can always build anew."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from llm_music_gen.database import open_database
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import LibraryError, StorageError
from llm_music_gen.library.schema import MIGRATIONS
from llm_music_gen.library.shelf import RECIPE_FILE, songs_on_disk


class Library:
    """The user's songs. Opens the database for each call, so that several programs can use it at once."""

    def __init__(self, database_file: Path, songs_dir: Path, trash_dir: Path) -> None:
        self._database_file = database_file
        self._songs_dir = songs_dir
        self._trash_dir = trash_dir

    def songs(self) -> tuple[Song, ...]:
        """Every song, the oldest first; those whose files are gone are marked `missing`."""
        with closing(self._open()) as connection:
            rows = connection.execute("SELECT * FROM songs ORDER BY created, folder").fetchall()
        return tuple(self._song(row) for row in rows)

    def add(self, song: Song) -> None:
        """Enter a song whose folder lies in the library."""
        self._write([song])

    def find(self, name: str) -> Song:
        """The song with this title, folder name, number in the list (from 1) or beginning of its id. Raises LibraryError."""
        songs = self.songs()
        wanted = name.strip().casefold()
        if wanted.isdigit() and 1 <= int(wanted) <= len(songs) and len(wanted) < 7:
            return songs[int(wanted) - 1]
        for matches in (
            [song for song in songs if wanted in (song.title.casefold(), song.folder.name.casefold())],
            [song for song in songs if len(wanted) >= 6 and song.id.startswith(wanted)],
            [song for song in songs if wanted and wanted in song.title.casefold()],
        ):
            if len(matches) == 1:
                return matches[0]
            if matches:
                names = ", ".join(f'"{song.folder.name}"' for song in matches[:4])
                raise LibraryError(f"{name!r} fits {len(matches)} songs: {names}.", hint="Give the folder's name.")
        raise LibraryError(f"There is no song {name!r} in the library.", hint='"llm-music-gen library list" shows what there is.')

    def rescan(self) -> tuple[int, int]:
        """Make the index agree with the files. Returns how many songs came in and how many went out."""
        on_disk = {song.folder.name: song for song in songs_on_disk(self._songs_dir)}
        with closing(self._open()) as connection:
            known = {str(row["folder"]) for row in connection.execute("SELECT folder FROM songs")}
            with connection:
                connection.executemany("DELETE FROM songs WHERE folder = ?", [(name,) for name in known - set(on_disk)])
        self._write(on_disk.values())
        return len(set(on_disk) - known), len(known - set(on_disk))

    def remove(self, song: Song) -> None:
        """Move a song's folder to the trash and take it off the list; `restore` undoes it."""
        if song.folder.is_dir():
            target = self._trash_dir / song.folder.name
            number = 1
            while target.exists():
                number += 1
                target = self._trash_dir / f"{song.folder.name} ({number})"
            try:
                self._trash_dir.mkdir(parents=True, exist_ok=True)
                song.folder.replace(target)
                os.utime(target)  # the newest in the trash is the one that `restore` takes
            except OSError as error:
                raise StorageError(
                    f"{song.title!r} cannot be moved to {self._trash_dir} ({error.strerror or error}).",
                    hint="Close the program that has it open.",
                ) from error
        with closing(self._open()) as connection, connection:
            connection.execute("DELETE FROM songs WHERE folder = ?", (song.folder.name,))

    def restore(self, name: str = "") -> Song:
        """Bring back the song that was removed last, or the last one whose folder had this name. Raises LibraryError."""
        try:
            removed = [entry for entry in self._trash_dir.iterdir() if (entry / RECIPE_FILE).is_file() and _was(entry.name, name)]
        except OSError:
            removed = []
        if not removed:
            said = f"{name!r} is not in the trash." if name else "The trash is empty."
            raise LibraryError(said, hint="Nothing was removed that could come back.")
        newest = max(removed, key=lambda entry: (entry.stat().st_mtime_ns, entry.name))
        target = self._songs_dir / (name or newest.name)
        if target.exists():
            raise LibraryError(f"A song lies in {target} already.", hint="Move or rename that folder first.")
        try:
            self._songs_dir.mkdir(parents=True, exist_ok=True)
            newest.replace(target)
        except OSError as error:
            raise StorageError(f"{newest} cannot be moved back ({error.strerror or error}).", hint="Move it by hand.") from error
        self.rescan()
        return next(song for song in self.songs() if song.folder == target)

    def total_length_s(self) -> float:
        """Length of all songs whose files are there, in seconds."""
        return sum(song.length_s for song in self.songs() if not song.missing)

    def _open(self) -> sqlite3.Connection:
        return open_database(self._database_file, "library", MIGRATIONS)

    def _write(self, songs: Iterable[Song]) -> None:
        with closing(self._open()) as connection, connection:
            connection.executemany(
                "INSERT OR REPLACE INTO songs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(song) for song in songs],
            )

    def _song(self, row: sqlite3.Row) -> Song:
        folder = self._songs_dir / row["folder"]
        files = {kind: folder / name for kind, name in json.loads(row["files"]).items()}
        present = {kind: path for kind, path in files.items() if path.is_file()}
        song = Song(
            id=row["id"], title=row["title"], styles=tuple(json.loads(row["styles"])), folder=folder, files=present,
            frames=row["frames"], key=row["music_key"], tempo_bpm=row["tempo_bpm"], meter=row["meter"], seed=int(row["seed"]),
            model=row["model"], created=row["created"], lufs=row["lufs"], true_peak_dbtp=row["true_peak_dbtp"],
            hints=tuple(json.loads(row["hints"])), missing=False,
        )  # fmt: skip
        return song if song.audio_file else replace(song, missing=True)


def _was(in_trash: str, name: str) -> bool:
    """Whether a folder in the trash had this name before: another of the same name makes it "name (2)"."""
    return not name or re.fullmatch(rf"{re.escape(name)}(?: \(\d+\))?", in_trash) is not None


def _row(song: Song) -> tuple[object, ...]:
    files = {kind: path.name for kind, path in song.files.items()}
    return (
        song.folder.name, song.id, song.title, json.dumps(song.styles), json.dumps(files), song.frames, song.key, song.tempo_bpm,
        song.meter, str(song.seed), song.model, song.created, song.lufs, song.true_peak_dbtp, json.dumps(song.hints),
    )  # fmt: skip

"""The catalogue of songs: a SQLite index over the songs' folders, which `rescan` can always build anew."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from llm_music_gen.database import database_error, opened
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import LibraryError, StorageError
from llm_music_gen.library.listing import Listing
from llm_music_gen.library.schema import MIGRATIONS, is_audible, words_of
from llm_music_gen.library.shelf import RECIPE_FILE, song_on_disk, songs_on_disk
from llm_music_gen.units import SAMPLE_RATE_HZ

#: The table of songs as `_row` writes it; the first one names a song.
COLUMNS = (
    "folder", "id", "title", "styles", "files", "frames", "music_key", "tempo_bpm", "meter", "seed", "model", "created", "lufs",
    "true_peak_dbtp", "hints", "words", "audible",
)  # fmt: skip
#: SQLite takes only so many question marks in one statement (999 in old versions).
_MOST_ARGUMENTS = 900


class Library:
    """The user's songs. Opens the database for each call, so that several programs can use it at once."""

    def __init__(self, database_file: Path, songs_dir: Path, trash_dir: Path) -> None:
        self._database_file = database_file
        self._songs_dir = songs_dir
        self._trash_dir = trash_dir

    def songs(self) -> tuple[Song, ...]:
        """Every song, the oldest first; those whose files are gone are marked `missing`."""
        with self._opened() as connection:
            return tuple(self._song(row) for row in connection.execute("SELECT * FROM songs ORDER BY created, folder"))

    def search(self, text: str = "", *, newest_first: bool = False) -> Listing:
        """Songs whose title or styles hold every word of `text`, the oldest first unless told. Read as looked at."""
        words = text.casefold().split()
        order = "DESC" if newest_first else "ASC"
        # The order names all of one index, which also holds the words: the songs themselves are not read for this.
        where = " AND ".join("instr(words, ?)" for _ in words) or "1"
        with self._opened() as connection:
            connection.row_factory = None  # plain tuples come twice as fast, and there may be very many
            rows = connection.execute(
                f"SELECT rowid FROM songs INDEXED BY songs_by_words WHERE {where} ORDER BY created {order}, folder {order}", words
            ).fetchall()
        return Listing([row[0] for row in rows], self._read)

    def ids(self) -> frozenset[str]:
        """The ids of all songs."""
        with self._opened() as connection:
            return frozenset(str(row[0]) for row in connection.execute("SELECT id FROM songs"))

    def song_with_id(self, song_id: str) -> Song | None:
        """The song whose recipe has this hash, or None."""
        with self._opened() as connection:
            row = connection.execute("SELECT * FROM songs WHERE id = ? ORDER BY created, folder", (song_id,)).fetchone()
            return None if row is None else self._song(row)

    def song_in(self, folder: str) -> Song | None:
        """The song in the folder of this name, or None."""
        with self._opened() as connection:
            row = connection.execute("SELECT * FROM songs WHERE folder = ?", (folder,)).fetchone()
            return None if row is None else self._song(row)

    def songs_with_file(self, name: str) -> tuple[Song, ...]:
        """The songs with a file of this name."""
        with self._opened() as connection:
            rows = connection.execute("SELECT * FROM songs WHERE instr(files, ?)", (json.dumps(name),))
            songs = [self._song(row) for row in rows]
        return tuple(song for song in songs if any(file.name == name for file in song.files.values()))

    def add(self, song: Song) -> None:
        """Enter a song whose folder lies in the library."""
        self.add_all([song])

    def add_all(self, songs: Iterable[Song]) -> None:
        """Enter songs, all or none. Raises StorageError."""
        with self._opened() as connection:
            try:
                with connection:
                    connection.executemany(
                        f"INSERT INTO songs ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
                        f" ON CONFLICT (folder) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}",
                        [_row(song) for song in songs],
                    )
            except sqlite3.Error as error:
                raise database_error(self._database_file, error) from error

    def find(self, name: str) -> Song:
        """The song with this title, folder name, number in the list (from 1) or beginning of its id; "last" is the newest.

        Raises LibraryError.
        """
        with self._opened() as connection:
            connection.row_factory = None
            known = connection.execute("SELECT rowid, title, folder, id FROM songs ORDER BY created, folder").fetchall()
        wanted = name.strip().casefold()
        if wanted.isdigit() and len(wanted) < 7 and 1 <= int(wanted) <= len(known):
            return Listing([known[int(wanted) - 1][0]], self._read)[0]
        if wanted == "last" and known and not any("last" in (row[1].casefold(), row[2].casefold()) for row in known):
            return Listing([known[-1][0]], self._read)[0]
        for matches in (
            [row for row in known if wanted in (row[1].casefold(), row[2].casefold())],
            [row for row in known if len(wanted) >= 6 and row[3].startswith(wanted)],
            [row for row in known if wanted and wanted in row[1].casefold()],
        ):
            if len(matches) == 1:
                return Listing([matches[0][0]], self._read)[0]
            if matches:
                names = ", ".join(f'"{folder}"' for _, _, folder, _ in matches[:4])
                raise LibraryError(f"{name!r} fits {len(matches)} songs: {names}.", hint="Give the folder's name.")
        raise LibraryError(f"There is no song {name!r} in the library.", hint='"llm-music-gen library list" shows what there is.')

    def rescan(self) -> tuple[int, int]:
        """Make the index agree with the files. Returns how many songs came in and how many went out."""
        on_disk = {song.folder.name: song for song in songs_on_disk(self._songs_dir)}
        with self._opened() as connection:
            known = {str(row["folder"]) for row in connection.execute("SELECT folder FROM songs")}
            with connection:
                connection.executemany("DELETE FROM songs WHERE folder = ?", [(name,) for name in known - set(on_disk)])
        self.add_all(on_disk.values())
        return len(set(on_disk) - known), len(known - set(on_disk))

    def look_at(self, *folders: Path) -> None:
        """Make the index agree with these songs' folders, whether they came, went or changed."""
        there = [folder for folder in folders if (folder / RECIPE_FILE).is_file()]
        found = [song for folder in there if (song := song_on_disk(folder)) is not None]
        gone = {folder.name for folder in folders} - {song.folder.name for song in found}
        with self._opened() as connection, connection:
            connection.executemany("DELETE FROM songs WHERE folder = ?", [(name,) for name in gone])
        self.add_all(found)

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
        with self._opened() as connection, connection:
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
        self.look_at(target)
        song = self.song_in(target.name)
        if song is None:
            raise LibraryError(f"{target} holds no readable song.", hint="Look into its recipe.json.")
        return song

    def total_length_s(self) -> float:
        """Length of all songs that had an audio file when they were last looked at, in seconds."""
        with self._opened() as connection:
            frames = connection.execute("SELECT COALESCE(SUM(frames), 0) FROM songs WHERE audible").fetchone()[0]
        return int(frames) / SAMPLE_RATE_HZ

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return opened(self._database_file, "library", MIGRATIONS)

    def _read(self, rows: Sequence[int]) -> list[Song | None]:
        """The songs with these row numbers, in this order."""
        found: dict[int, Song] = {}
        with self._opened() as connection:
            for first in range(0, len(rows), _MOST_ARGUMENTS):
                some = rows[first : first + _MOST_ARGUMENTS]
                places = ", ".join("?" * len(some))
                for row in connection.execute(f"SELECT rowid, * FROM songs WHERE rowid IN ({places})", list(some)):
                    found[row["rowid"]] = self._song(row)
        return [found.get(row) for row in rows]

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
        words_of(song.title, song.styles), is_audible(files),
    )  # fmt: skip

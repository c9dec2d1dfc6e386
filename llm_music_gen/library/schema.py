"""The library's tables, as numbered steps. Append only: a step that was released is never changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from llm_music_gen.domain.song import AUDIO_KINDS


def _songs(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE songs (
            folder TEXT PRIMARY KEY,       -- name of its folder under songs/
            id TEXT NOT NULL,              -- hash of the recipe
            title TEXT NOT NULL,
            styles TEXT NOT NULL,          -- JSON list
            files TEXT NOT NULL,           -- JSON: kind -> file name inside the folder
            frames INTEGER NOT NULL,
            music_key TEXT NOT NULL,
            tempo_bpm REAL NOT NULL,
            meter TEXT NOT NULL,
            seed TEXT NOT NULL,            -- text, because a seed may exceed 64 bits
            model TEXT NOT NULL,
            created TEXT NOT NULL,
            lufs REAL,
            true_peak_dbtp REAL,
            hints TEXT NOT NULL            -- JSON list
        )"""
    )
    connection.execute("CREATE INDEX songs_by_date ON songs (created, folder)")


def _search(connection: sqlite3.Connection) -> None:
    """What searching and counting need, small enough to be read as a whole for every letter typed."""
    connection.execute("ALTER TABLE songs ADD COLUMN words TEXT NOT NULL DEFAULT ''")  # casefolded title and styles
    connection.execute("ALTER TABLE songs ADD COLUMN audible INTEGER NOT NULL DEFAULT 1")  # whether it has an audio file
    rows = connection.execute("SELECT rowid, title, styles, files FROM songs").fetchall()
    connection.executemany(
        "UPDATE songs SET words = ?, audible = ? WHERE rowid = ?",
        [(words_of(row[1], json.loads(row[2])), is_audible(json.loads(row[3])), row[0]) for row in rows],
    )
    connection.execute("CREATE INDEX songs_by_words ON songs (created, folder, words)")
    connection.execute("CREATE INDEX songs_by_id ON songs (id)")
    connection.execute("DROP INDEX songs_by_date")


def words_of(title: str, styles: Iterable[str]) -> str:
    """What a search looks through."""
    return f"{title} {' '.join(styles)}".casefold()


def is_audible(kinds: Iterable[str]) -> bool:
    """Whether a song with files of these kinds can be played."""
    return not set(AUDIO_KINDS).isdisjoint(kinds)


MIGRATIONS = (_songs, _search)

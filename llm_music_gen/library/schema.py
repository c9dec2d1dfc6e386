"""The library's tables, as numbered steps. Append only: a step that was released is never changed."""

from __future__ import annotations

import sqlite3


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


MIGRATIONS = (_songs,)

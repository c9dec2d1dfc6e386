"""What was done to each file: requests, calls, measurements, versions; and the way back.

Versions of one original form a tree, because work may go on after an undo; one of them is current. Nothing is ever deleted.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from llm_music_gen.database import opened
from llm_music_gen.errors import LibraryError
from llm_music_gen.processing.report import Report
from llm_music_gen.tools.plan import Call


def _versions(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE processed (
            id INTEGER PRIMARY KEY,
            original TEXT NOT NULL,        -- absolute path of the file that was there first
            path TEXT NOT NULL UNIQUE,     -- absolute path of this version
            parent INTEGER REFERENCES processed (id),  -- the version it was made of; NULL: the original
            request TEXT NOT NULL,
            report TEXT NOT NULL,          -- JSON: calls, before, after, notes
            created TEXT NOT NULL
        )"""
    )
    connection.execute("CREATE INDEX processed_by_original ON processed (original, id)")
    connection.execute("CREATE TABLE processed_current (original TEXT PRIMARY KEY, version INTEGER REFERENCES processed (id))")


MIGRATIONS = (_versions,)


@dataclass(frozen=True, slots=True)
class Version:
    """One result in the history of a file."""

    path: Path
    made_of: Path
    request: str
    """In the listener's words."""
    calls: tuple[Call, ...]
    before: dict[str, Any]
    """Measurements as in `Measurement.as_json`."""
    after: dict[str, Any]
    notes: tuple[str, ...]
    created: str
    """ISO 8601, UTC."""
    current: bool

    def as_json(self) -> dict[str, Any]:
        """For `history --json` and MCP."""
        return {
            "path": str(self.path), "made_of": str(self.made_of), "request": self.request,
            "calls": [call.as_json() for call in self.calls], "before": self.before, "after": self.after,
            "notes": list(self.notes), "created": self.created, "current": self.current,
        }  # fmt: skip


class History:
    """The histories of all files. Opens the database for each call, so that several programs can use it at once."""

    def __init__(self, database_file: Path) -> None:
        self._database_file = database_file

    def record(self, report: Report, request: str = "") -> None:
        """Enter a result, which becomes current. What it was made of may be an original or an earlier result."""
        source, output = _key(report.source), _key(report.output)
        with self._opened() as connection, connection:
            parent = connection.execute("SELECT id, original FROM processed WHERE path = ?", (source,)).fetchone()
            original = parent["original"] if parent else source
            # A path that was freed outside and taken again stands for the newer file.
            connection.execute("UPDATE processed SET path = path || ' (' || id || ', gone)' WHERE path = ?", (output,))
            row = connection.execute(
                "INSERT INTO processed (original, path, parent, request, report, created) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    original, output, parent["id"] if parent else None, request,
                    json.dumps(report.as_json(), ensure_ascii=False), datetime.now(timezone.utc).isoformat(timespec="seconds"),
                ),
            )  # fmt: skip
            self._point(connection, original, row.lastrowid)

    def versions(self, file: Path) -> tuple[Version, ...]:
        """Every result of the file's original, the oldest first; `file` is the original or any of them."""
        with self._opened() as connection:
            original = self._original(connection, file)
            rows = connection.execute("SELECT * FROM processed WHERE original = ? ORDER BY id", (original,)).fetchall()
            current = self._current_id(connection, original)
        paths = {row["id"]: Path(row["path"]) for row in rows}
        return tuple(_version(row, paths.get(row["parent"], Path(original)), row["id"] == current) for row in rows)

    def current(self, file: Path) -> Path:
        """The version that requests for this file work on: the latest that was not undone, else the original."""
        with self._opened() as connection:
            original = self._original(connection, file)
            row = connection.execute(
                "SELECT path FROM processed WHERE id = ?", (self._current_id(connection, original),)
            ).fetchone()
        return Path(row["path"]) if row else Path(original)

    def undo(self, file: Path, steps: int = 1) -> Path:
        """Make the version before current again and return it. Raises LibraryError where there is none."""
        with self._opened() as connection, connection:
            original = self._original(connection, file)
            current = self._current_id(connection, original)
            if current is None:
                raise LibraryError(f"Nothing was done to {file.name} that could be undone.")
            for _ in range(max(1, steps)):
                if current is None:
                    break
                current = connection.execute("SELECT parent FROM processed WHERE id = ?", (current,)).fetchone()["parent"]
            self._point(connection, original, current)
            row = connection.execute("SELECT path FROM processed WHERE id = ?", (current,)).fetchone()
        return Path(row["path"]) if row else Path(original)

    def _original(self, connection: sqlite3.Connection, file: Path) -> str:
        row = connection.execute("SELECT original FROM processed WHERE path = ?", (_key(file),)).fetchone()
        return str(row["original"]) if row else _key(file)

    def _current_id(self, connection: sqlite3.Connection, original: str) -> int | None:
        row = connection.execute("SELECT version FROM processed_current WHERE original = ?", (original,)).fetchone()
        return None if row is None or row["version"] is None else int(row["version"])

    def _point(self, connection: sqlite3.Connection, original: str, version: int | None) -> None:
        connection.execute(
            "INSERT INTO processed_current VALUES (?, ?) ON CONFLICT (original) DO UPDATE SET version = excluded.version",
            (original, version),
        )

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return opened(self._database_file, "processing", MIGRATIONS)


def _key(path: Path) -> str:
    return str(path.absolute())


def _version(row: sqlite3.Row, made_of: Path, current: bool) -> Version:
    report = json.loads(row["report"])
    return Version(
        path=Path(row["path"]),
        made_of=made_of,
        request=row["request"],
        calls=tuple(Call(call["tool"], call["args"]) for call in report["calls"]),
        before=report["before"],
        after=report["after"],
        notes=tuple(report["notes"]),
        created=row["created"],
        current=current,
    )

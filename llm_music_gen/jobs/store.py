"""Job rows and the inbox in SQLite. Only the worker changes job rows; everyone else writes to the inbox."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from llm_music_gen.database import damage_told, open_database
from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.errors import JobError, StorageError


def _first_tables(connection: sqlite3.Connection) -> None:
    connection.execute(
        """CREATE TABLE jobs (
            uid TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL,
            position REAL NOT NULL, created_at TEXT NOT NULL,
            started_at TEXT NOT NULL DEFAULT '', ended_at TEXT NOT NULL DEFAULT '',
            fraction REAL NOT NULL DEFAULT 0, stage TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT '',
            detail TEXT NOT NULL DEFAULT '{}', error TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0,
            result TEXT NOT NULL DEFAULT '{}', log_file TEXT NOT NULL DEFAULT '')"""
    )
    connection.execute("CREATE INDEX jobs_by_position ON jobs (state, position)")
    connection.execute(
        """CREATE TABLE job_inbox (
            number INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, uid TEXT NOT NULL, payload TEXT NOT NULL)"""
    )
    connection.execute("CREATE TABLE job_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")


MIGRATIONS = (_first_tables,)
_JSON_COLUMNS = ("request", "detail", "result")


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the inbox."""

    number: int
    name: str
    """submit, cancel, cancel_after_song, pause, resume, retry, move, remove, when_done, stop."""
    uid: str
    payload: dict[str, Any]


def now_utc() -> str:
    """The time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JobStore:
    """The tables, opened once per process and thread of use. Raises StorageError when the disk is full or the file locked."""

    def __init__(self, database_file: Path) -> None:
        self._path = database_file
        self._connection = open_database(database_file, "jobs", MIGRATIONS)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def jobs(self, *states: JobState) -> list[Job]:
        """Jobs in queue order; all of them, or those in the given states."""
        where = f" WHERE state IN ({','.join('?' * len(states))})" if states else ""
        with damage_told(self._path):
            rows = self._connection.execute(
                f"SELECT * FROM jobs{where} ORDER BY position, created_at, uid", [state.value for state in states]
            )
            return [_job(row) for row in rows]

    def job(self, uid: str) -> Job:
        """One job. Raises JobError when there is none."""
        with damage_told(self._path):
            row = self._connection.execute("SELECT * FROM jobs WHERE uid = ?", (uid,)).fetchone()
            if row is None:
                raise JobError(f"There is no job {uid!r}.", hint='"llm-music-gen jobs" lists them.')
            return _job(row)

    def insert(self, job: Job) -> None:
        """Add a row; one that is there already stays as it is (a command may be carried out twice after a crash)."""
        with self._guarded():
            self._connection.execute(
                "INSERT OR IGNORE INTO jobs (uid, kind, title, request, state, position, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (job.uid, job.kind, job.title, json.dumps(job.request), job.state.value, job.position, job.created_at),
            )

    def update(self, uid: str, **values: Any) -> None:
        """Change columns of one job."""
        columns = {
            key: json.dumps(value) if key in _JSON_COLUMNS else value.value if isinstance(value, JobState) else value
            for key, value in values.items()
        }
        assignments = ", ".join(f"{key} = ?" for key in columns)
        with self._guarded():
            self._connection.execute(f"UPDATE jobs SET {assignments} WHERE uid = ?", [*columns.values(), uid])

    def delete(self, uid: str) -> None:
        """Remove one job's row."""
        with self._guarded():
            self._connection.execute("DELETE FROM jobs WHERE uid = ?", (uid,))

    def last_position(self) -> float:
        """Place of the last job in the queue, 0 when empty."""
        with damage_told(self._path):
            return float(self._connection.execute("SELECT COALESCE(MAX(position), 0) FROM jobs").fetchone()[0])

    def post(self, name: str, uid: str = "", payload: dict[str, Any] | None = None) -> None:
        """Put a command into the inbox."""
        with self._guarded():
            self._connection.execute(
                "INSERT INTO job_inbox (command, uid, payload) VALUES (?, ?, ?)", (name, uid, json.dumps(payload or {}))
            )

    def inbox(self) -> list[Command]:
        """Commands that wait, oldest first."""
        with damage_told(self._path):
            rows = self._connection.execute("SELECT * FROM job_inbox ORDER BY number")
            return [Command(row["number"], row["command"], row["uid"], json.loads(row["payload"])) for row in rows]

    def carried_out(self, command: Command) -> None:
        """Take a command out of the inbox."""
        with self._guarded():
            self._connection.execute("DELETE FROM job_inbox WHERE number = ?", (command.number,))

    def meta(self, key: str, default: str = "") -> str:
        """A value that concerns the whole queue."""
        with damage_told(self._path):
            row = self._connection.execute("SELECT value FROM job_meta WHERE key = ?", (key,)).fetchone()
            return default if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        """Set a value that concerns the whole queue."""
        with self._guarded():
            self._connection.execute("INSERT OR REPLACE INTO job_meta VALUES (?, ?)", (key, value))

    def _guarded(self) -> _Guarded:
        return _Guarded(self._connection, self._path)


class _Guarded:
    """A transaction whose SQLite errors become one sentence."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def __enter__(self) -> None:
        self._connection.__enter__()

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            self._connection.__exit__(kind, error, trace)
        except sqlite3.Error as failure:
            error = failure
        if isinstance(error, sqlite3.Error):
            raise StorageError(
                f"{self._path} cannot be written ({error}).", hint="Free some space or close the program that uses it."
            ) from error


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    for column in _JSON_COLUMNS:
        values[column] = json.loads(values[column]) or {}
    values["state"] = JobState(values["state"])
    return Job(**values)

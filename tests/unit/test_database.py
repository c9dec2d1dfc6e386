"""The database: durable, migrated once, rebuilt when damaged."""

from __future__ import annotations

import multiprocessing
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.database import open_database, opened
from llm_music_gen.errors import StorageError


def first(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE notes (text TEXT)")


def second(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE notes ADD COLUMN pitch INTEGER")


def failing(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE half (x)")
    connection.execute("NOT SQL")


def test_it_is_durable_and_waits_for_other_writers(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "deep" / "studio.sqlite", "test", [first])
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert connection.execute("PRAGMA busy_timeout").fetchone()[0] >= 1000
    connection.close()


def test_each_migration_is_applied_once_and_later_ones_are_added(tmp_path: Path) -> None:
    path = tmp_path / "studio.sqlite"
    open_database(path, "test", [first]).close()
    connection = open_database(path, "test", [first, second])
    with connection:
        connection.execute("INSERT INTO notes VALUES ('c', 60)")
    connection.close()
    connection = open_database(path, "test", [first, second])
    assert [tuple(row) for row in connection.execute("SELECT text, pitch FROM notes")] == [("c", 60)]
    connection.close()


def test_two_rooms_count_their_migrations_apart(tmp_path: Path) -> None:
    path = tmp_path / "studio.sqlite"
    open_database(path, "one", [first]).close()
    open_database(path, "two", [lambda connection: None, second]).close()
    connection = open_database(path, "one", [first])
    assert "pitch" in [row["name"] for row in connection.execute("PRAGMA table_info(notes)")]
    connection.close()


def test_a_newer_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "studio.sqlite"
    open_database(path, "test", [first, second]).close()
    with pytest.raises(StorageError, match="newer"):
        open_database(path, "test", [first])


def test_a_failed_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "studio.sqlite"
    with pytest.raises(StorageError):
        open_database(path, "test", [first, failing])
    connection = open_database(path, "test", [first])
    assert connection.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchone() is None
    connection.close()


def test_a_damaged_file_is_set_aside_and_built_anew(tmp_path: Path) -> None:
    path = tmp_path / "studio.sqlite"
    path.write_bytes(b"this is no database" * 100)
    connection = open_database(path, "test", [first])
    assert connection.execute("SELECT COUNT(*) FROM notes").fetchone()[0] == 0
    connection.close()
    assert any(".corrupt-" in entry.name for entry in tmp_path.iterdir())


def test_a_damaged_row_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "studio.sqlite"
    with opened(path, "test", [first]) as connection, connection:
        connection.execute("INSERT INTO notes VALUES (CAST(X'FF6363' AS TEXT))")
    with pytest.raises(StorageError, match="damaged entry"), opened(path, "test", [first]) as connection:
        connection.execute("SELECT * FROM notes").fetchall()
    with pytest.raises(StorageError, match="damaged entry"), opened(path, "test", [first]):
        int("x")


@pytest.mark.skipif(sys.platform == "win32", reason="forked processes start at the same moment")
def test_many_that_make_the_file_at_the_same_moment_wait_for_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for number in range(12):
        together, said = context.Barrier(4), context.SimpleQueue()
        path = tmp_path / f"{number}.sqlite"
        processes = [context.Process(target=_make, args=(path, together, said)) for _ in range(4)]
        for process in processes:
            process.start()
        assert [said.get() for _ in processes] == [""] * 4
        for process in processes:
            process.join()


def _make(path: Path, together: Any, said: Any) -> None:
    together.wait()
    try:
        open_database(path, "room", [first]).close()
        said.put("")
    except Exception as error:  # whatever it is, the test shows it
        said.put(repr(error))

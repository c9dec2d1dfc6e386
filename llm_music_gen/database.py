"""Opens the studio's SQLite file and brings its tables up to date.

Each room that keeps tables hands over its own list of migrations: functions, numbered by their place in the list, applied once
and never changed afterwards. The database is an index over files; a broken one is set aside and built anew.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from llm_music_gen.errors import DiskMissing, StorageError

BUSY_TIMEOUT_MS = 10_000
#: Changes the tables by one step. Runs inside a transaction; must not commit.
Migration = Callable[[sqlite3.Connection], None]

T = TypeVar("T")
_LOOK_AGAIN_S = 0.02

#: Files that this process has looked through already (path, device, inode): reading all of a large one at every call takes time.
_checked: set[tuple[str, int, int]] = set()

_log = logging.getLogger(__name__)


def open_database(path: Path, room: str, migrations: Sequence[Migration]) -> sqlite3.Connection:
    """Open (or make) the file with WAL and full durability, and apply `room`'s migrations that are missing.

    Rows come as `sqlite3.Row`; transactions are explicit (`with connection:`). Raises StorageError when the file cannot be
    opened or was written by a newer version.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise database_error(path.parent, error) from error
    try:
        connection = _patiently(lambda: _connect(path))
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise database_error(path, error) from error
        try:
            _set_aside(path)
            connection = _patiently(lambda: _connect(path))
        except (OSError, sqlite3.Error) as failure:
            raise database_error(path, failure) from failure
    try:
        _patiently(lambda: _migrate(connection, path, room, migrations))
    except sqlite3.Error as error:
        connection.close()
        raise database_error(path, error) from error
    except StorageError:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def opened(path: Path, room: str, migrations: Sequence[Migration]) -> Iterator[sqlite3.Connection]:
    """The file of `open_database` for a while, closed afterwards. Raises StorageError for damaged rows too."""
    with contextlib.closing(open_database(path, room, migrations)) as connection, damage_told(path):
        yield connection


@contextlib.contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """What cannot be read or understood of the rows inside becomes a StorageError: bits may rot where SQLite does not look."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        if isinstance(error, sqlite3.OperationalError) and "decode" not in str(error):
            raise database_error(path, error) from error
        raise StorageError(
            f"{path} holds a damaged entry ({type(error).__name__}: {error}).",
            hint='"llm-music-gen library rescan" makes the list of songs anew; where that is not enough, rename the file.',
        ) from error


def _patiently(action: Callable[[], T]) -> T:
    """Do it again while another program holds the file: SQLite does not wait by itself where a new file is changed to WAL."""
    until_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until_s:
                raise
            time.sleep(_LOOK_AGAIN_S)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_MS / 1000, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        found = path.stat()
        if (file := (str(path), found.st_dev, found.st_ino)) not in _checked:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if answer != "ok":
                raise sqlite3.DatabaseError(str(answer))
            _checked.add(file)
    except UnicodeDecodeError as error:  # even the report about the damage is damaged
        connection.close()
        raise sqlite3.DatabaseError(str(error)) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path, room: str, migrations: Sequence[Migration]) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations (room TEXT, number INTEGER, applied_at TEXT, PRIMARY KEY (room, number))"
    )
    connection.commit()
    for number, migration in enumerate(migrations, start=1):
        # IMMEDIATE takes the write lock before looking, so that two programs starting at once do not both migrate.
        connection.execute("BEGIN IMMEDIATE")
        try:
            done = connection.execute("SELECT MAX(number) FROM migrations WHERE room = ?", (room,)).fetchone()[0] or 0
            if done > len(migrations):
                raise StorageError(
                    f"{path} was written by a newer Llm-Music-Gen ({room} schema {done}).", hint="Use that version."
                )
            if number > done:
                migration(connection)
                connection.execute("INSERT INTO migrations VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))", (room, number))
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def _set_aside(path: Path) -> None:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for suffix in ("", "-wal", "-shm"):
        broken = path.with_name(path.name + suffix)
        if broken.exists():
            broken.replace(path.with_name(f"{path.name}{suffix}.corrupt-{stamp}"))
    _log.warning("%s was damaged; it was set aside and is built anew from the songs' own files", path)


#: What SQLite says where its disk is full or gone.
_MISSING = ("disk is full", "disk I/O error", "unable to open database file")


def database_error(path: Path, error: Exception) -> StorageError:
    """What went wrong with a database, in a sentence. `DiskMissing` where it is its disk that is full or gone."""
    if any(words in str(error) for words in _MISSING):
        return DiskMissing(f"{path} cannot be used ({error}).", hint="Free some space, or connect the disk again.")
    return StorageError(
        f"{path} cannot be used ({error}).", hint="Check the folder's rights and free space, or close the other program using it."
    )

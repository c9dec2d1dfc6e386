"""The part of a file that has arrived so far: beside its place as `NAME.part`, with a note of what it is a part of."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llm_music_gen.errors import DownloadError, StorageError

#: Antivirus programs and indexers hold new files on Windows for a moment.
_RENAME_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class PartFile:
    """The part of the file that will be called `target`."""

    target: Path

    @property
    def path(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def _note(self) -> Path:
        return self.target.with_name(self.target.name + ".part.json")

    def begun(self, identity: str) -> tuple[int, str]:
        """(bytes here, the server's ETag for them) if it is a part of the file `identity`, otherwise (0, "")."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if note["identity"] == identity:
                return self.path.stat().st_size, str(note["validator"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass  # no note, or none that can be read: what is there belongs to nothing we know
        return 0, ""

    def note(self, identity: str, validator: str) -> None:
        """Write down what the part belongs to."""
        fresh = self._note.with_name(f"{self._note.name}.{os.getpid()}")
        fresh.write_text(json.dumps({"identity": identity, "validator": validator}), encoding="utf-8")
        fresh.replace(self._note)

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The part for reading and writing, for this process alone; one that stays empty is gone afterwards.

        Raises DownloadError when another process has it.
        """
        with os.fdopen(
            os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644), "r+b", buffering=0
        ) as file:
            try:
                _lock(file.fileno())
            except OSError as error:
                raise DownloadError(f"{self.target.name} is being fetched by another window; look there.") from error
            try:
                yield file
            finally:
                empty = os.fstat(file.fileno()).st_size == 0
                file.close()  # Windows deletes nothing that is open
                if empty:
                    self.drop()

    def drop_note(self) -> None:
        """What has arrived belongs to nothing any more; the next attempt begins anew."""
        self._note.unlink(missing_ok=True)

    def drop(self) -> None:
        """Delete what has arrived. On Windows only while it is not open."""
        self.path.unlink(missing_ok=True)
        self.drop_note()

    def finish(self) -> None:
        """Give the whole file its name. Raises StorageError."""
        for pause_s in (*_RENAME_PAUSES_S, None):
            try:
                self.path.replace(self.target)
                break
            except OSError as error:
                if pause_s is None or not isinstance(error, PermissionError):
                    raise StorageError(f"{self.path} cannot be renamed ({error.strerror or error}).") from error
                time.sleep(pause_s)
        self._note.unlink(missing_ok=True)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # its first byte; this handle may still read and write it
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""A lock between processes that dies with its holder, on Windows and POSIX alike."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import IO

from llm_music_gen import disk

if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        # Windows locks bytes, also beyond the end of the file: one far away leaves the text readable for others.
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file: IO[bytes]) -> None:
        file.seek(1 << 20)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)


class ProcessLock:
    """Held by at most one process at a time; the operating system frees it when that process ends in any way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None

    def acquire(self, patience_s: float = 0.0) -> bool:
        """Take the lock if it is free. Raises StorageError when its folder cannot be written.

        `patience_s` outlasts another process that only looks whether the lock is held.
        """
        if self._file is not None:
            return True
        deadline_s = time.monotonic() + patience_s
        while (file := self._try_lock()) is None:
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(0.02)
        with contextlib.suppress(OSError):  # on a full disk the lock holds nevertheless; only nobody can read whose it is
            file.truncate(0)
            file.write(str(os.getpid()).encode())
            file.flush()
        self._file = file
        return True

    def _try_lock(self) -> IO[bytes] | None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("a+b")
        except OSError as error:
            raise disk.storage_error(self.path, error) from error
        try:
            _lock(file)
        except OSError:
            file.close()
            return None
        return file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # its disk may be gone
                _unlock(self._file)
                self._file.close()
            self._file = None

    def is_held(self) -> bool:
        """Whether some process, this one included, holds the lock now."""
        if self._file is not None:
            return True
        if not self.path.exists():
            return False
        file = self._try_lock()
        if file is None:
            return True
        _unlock(file)
        file.close()
        return False

    def holder_pid(self) -> int | None:
        """Process id that the holder wrote down, or None."""
        try:
            return int(self.path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

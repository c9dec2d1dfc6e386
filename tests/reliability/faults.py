"""Watches what a process does to the files in a folder, and lets any single step fail, end the process, or be the last before a
power cut. The product knows nothing of it: the calls of the standard library are wrapped, in this process only.
"""

from __future__ import annotations

import builtins
import io
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

Kind = Literal["open", "write", "fsync", "replace", "rename", "unlink", "mkdir", "rmdir", "commit"]
#: Steps that take room on the disk.
ROOM: frozenset[Kind] = frozenset({"open", "write", "fsync", "mkdir", "commit"})
#: Steps that need rights.
RIGHTS: frozenset[Kind] = frozenset({"open", "write", "fsync", "replace", "rename", "unlink", "mkdir", "rmdir", "commit"})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done to a file."""

    number: int
    """From 0."""
    kind: Kind
    path: str
    """Of the file; for a move its new name."""
    source: str = ""
    """Its former name."""

    def __str__(self) -> str:
        return f"{self.kind} {Path(self.path).name}"


Hook = Callable[[Step], None]


def nothing(step: Step) -> None:
    """Do nothing before or after a step."""


class Watch:
    """From now on `before` and `after` are called around every step inside `root`; both may raise or end the process."""

    def __init__(self, patch: pytest.MonkeyPatch, root: Path, before: Hook = nothing, after: Hook = nothing) -> None:
        self.steps: list[Step] = []
        self._root = str(root)
        self._before, self._after = before, after
        self._inside = False
        self._open = io.open
        for module in (io, builtins):
            patch.setattr(module, "open", self._opened)
        for name in ("replace", "rename"):
            patch.setattr(os, name, self._moved(name, getattr(os, name)))
        for name in ("unlink", "remove", "mkdir", "rmdir"):
            patch.setattr(os, name, self._changed("unlink" if name == "remove" else name, getattr(os, name)))
        patch.setattr(os, "fsync", self._synced(os.fsync))
        patch.setattr(sqlite3, "connect", self._connected(sqlite3.connect))

    def around(self, kind: Any, path: str, source: str, action: Callable[[], Any]) -> Any:
        """Do something that changes the disk."""
        if self._inside or not path.startswith(self._root):
            return action()
        step = Step(len(self.steps), kind, path, source)
        self.steps.append(step)
        self._hook(self._before, step)
        result = action()
        self._hook(self._after, step)
        return result

    def _hook(self, hook: Hook, step: Step) -> None:
        self._inside = True  # what a hook does is no step
        try:
            hook(step)
        finally:
            self._inside = False

    def _opened(self, file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **named: Any) -> Any:
        if isinstance(file, int) or "opener" in named or not set(mode) & set("wax+"):  # no file with a name, or only read
            return self._open(file, mode, buffering, *rest, **named)
        if self._inside or not _full(file).startswith(self._root):
            return self._open(file, mode, buffering, *rest, **named)
        raw = self.around("open", _full(file), "", lambda: _WatchedFile(self, file, mode.replace("b", "").replace("t", "")))
        buffered: Any = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *rest, **named)

    def _moved(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def moved(source: Any, target: Any, **named: Any) -> Any:
            return self.around(kind, _full(target), _full(source), lambda: function(source, target, **named))

        return moved

    def _changed(self, kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def changed(path: Any, *rest: Any, **named: Any) -> Any:
            full = _full(path, named.get("dir_fd"))
            there = kind == "mkdir" or os.path.lexists(full)  # what is not there is not removed
            return self.around(kind, full if there else "", "", lambda: function(path, *rest, **named))

        return changed

    def _synced(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def synced(handle: int) -> Any:
            return self.around("fsync", str(Path(f"/proc/self/fd/{handle}").readlink()), "", lambda: function(handle))

        return synced

    def _connected(self, function: Callable[..., Any]) -> Callable[..., Any]:
        watch = self

        class Connection(sqlite3.Connection):
            def __init__(self, database: Any, *rest: Any, **named: Any) -> None:
                super().__init__(database, *rest, **named)
                self._place = _full(database)

            def __exit__(self, *error: Any) -> Any:
                if error[0] is not None or not self.in_transaction:
                    return super().__exit__(*error)
                try:
                    return watch.around("commit", self._place, "", lambda: super(Connection, self).__exit__(*error))
                except sqlite3.Error:
                    self.rollback()
                    raise

        def connected(*arguments: Any, **named: Any) -> Any:
            return function(*arguments, **{"factory": Connection, **named})

        return connected


class _WatchedFile(io.FileIO):
    def __init__(self, watch: Watch, file: Any, mode: str) -> None:
        super().__init__(file, mode)
        self._watch = watch
        self._path = _full(file)

    def write(self, data: Any) -> int:
        written = self._watch.around("write", self._path, "", lambda: io.FileIO.write(self, data))
        assert isinstance(written, int)
        return written


def _full(path: Any, folder_handle: int | None = None) -> str:
    name = os.fspath(path)
    name = name.decode() if isinstance(name, bytes) else name
    if folder_handle is not None:
        return os.path.join(Path(f"/proc/self/fd/{folder_handle}").readlink(), name)  # noqa: PTH118 - as text, to be compared
    return os.path.abspath(name)  # noqa: PTH100 - links stay as they are


def refuse(step: Step, number: int) -> None:
    """Let a step fail with an error number, as the system or SQLite would."""
    if step.kind == "commit":
        raise sqlite3.OperationalError("database or disk is full" if number == 28 else "attempt to write a readonly database")
    raise OSError(number, os.strerror(number), step.path)

"""Power cuts: what was written and not flushed is lost, and so are names that were given since their folder was flushed.

Kept in memory while a process works: the flushed content of each file, and the changes of names that may still be undone. The cut
leaves a prefix of those changes, as a journal does, and of each file what was flushed, or of what was never flushed nothing, a
part, or zeros. SQLite's own files are taken at its word (a commit with synchronous=FULL is on the disk).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.reliability.faults import Step
from tests.reliability.track import KILLED


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of names that the disk may not have seen."""

    folders: frozenset[Path]
    undo: Callable[[], None]


class PowerCut:
    """Cuts the power after the step with a number; both hooks have to be called around every step."""

    def __init__(self, root: Path, at: int, seed: int) -> None:
        self._root = root
        self._at = at
        self._chance = np.random.default_rng(seed)
        self._flushed: dict[int, bytes | None] = {}
        self._changes: list[_Change] = []
        self._undo: Callable[[], None] = lambda: None
        for path in root.rglob("*"):
            if path.is_file() and ".sqlite" not in path.name:
                self._flushed[path.stat().st_ino] = path.read_bytes()

    def before(self, step: Step) -> None:
        """Remember what is needed to undo a change."""
        path, source = Path(step.path), Path(step.source)
        old = path.read_bytes() if path.is_file() else None
        inode = path.stat().st_ino if old is not None else 0
        flushed = self._flushed.get(inode)

        def back() -> None:
            if step.kind == "open":
                path.unlink(missing_ok=True)
            elif step.kind == "mkdir":
                shutil.rmtree(path, ignore_errors=True)
            elif step.kind == "rmdir":
                path.mkdir()
            else:
                if step.source:
                    path.rename(source)
                if old is not None:
                    path.write_bytes(old)
                    self._flushed[path.stat().st_ino] = old if ".sqlite" in path.name else flushed

        new = step.kind == "open" and old is None
        self._undo = back if new or step.kind in ("replace", "rename", "unlink", "mkdir", "rmdir") else _nothing

    def after(self, step: Step) -> None:
        """Take note of what is on the disk now, and cut when it is time."""
        path = Path(step.path)
        if step.kind == "fsync" and path.is_dir():
            self._changes = [change for change in self._changes if path not in change.folders]
        elif step.kind == "fsync":
            self._flushed[path.stat().st_ino] = path.read_bytes()
        elif self._undo is not _nothing:
            folders = {path.parent} | ({Path(step.source).parent} if step.source else set())
            self._changes.append(_Change(frozenset(folders), self._undo))
            if step.kind == "open":
                self._flushed[path.stat().st_ino] = None
        if step.number == self._at:
            self._cut()

    def _cut(self) -> None:
        for change in reversed(self._changes[int(self._chance.integers(0, len(self._changes) + 1)) :]):
            change.undo()
        for path in [found for found in self._root.rglob("*") if found.is_file() and ".sqlite" not in found.name]:
            flushed, written = self._flushed.get(path.stat().st_ino), path.read_bytes()
            if flushed is None:
                kept = int(self._chance.integers(0, len(written) + 1))
                flushed = [b"", written[:kept], bytes(len(written))][int(self._chance.integers(0, 3))]
            if flushed != written:
                path.write_bytes(flushed)
        os._exit(KILLED)


def _nothing() -> None:
    return

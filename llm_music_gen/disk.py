"""Files that stand under their name whole or not at all: whatever kills the program, after a power cut, and past programs that
hold new files for a moment, as scanners and indexers do on Windows.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from llm_music_gen.errors import DiskMissing, StorageError

#: A scanner, an indexer or a player lets go of a file within seconds.
PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
PART_SUFFIX = ".part"
#: What a disk says that is full, over its quota, unplugged or no longer reached. All of it passes without a change of the work.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOST = frozenset({errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.ENOENT})
#: ERROR_NOT_READY, ERROR_HANDLE_DISK_FULL, ERROR_BAD_NETPATH, ERROR_NETNAME_DELETED, ERROR_DISK_FULL, ERROR_NO_SUCH_DEVICE.
_FULL_WINDOWS, _LOST_WINDOWS = frozenset({39, 112}), frozenset({21, 53, 59, 64, 67, 433, 1167})


def part_of(path: Path) -> Path:
    """Where this process writes a file until it is whole."""
    return path.with_name(f"{path.name}.{os.getpid()}{PART_SUFFIX}")


def write_whole(path: Path, data: bytes) -> None:
    """Write (or replace) a file, whole or not at all. Raises OSError."""
    with being_written(path) as file:
        file.write(data)


@contextlib.contextmanager
def being_written(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `path` once everything in it is on the disk; on any error nothing of it stays."""
    part = part_of(path)
    try:
        with part.open("w+b") as file:
            yield file
            sync(file)
        replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def replace(part: Path, path: Path) -> None:
    """Move a file that is whole to its name, in place of what is there; with patience where another program holds it.

    The folder is written out too, so that the name outlives a power cut. Raises OSError.
    """
    patiently(lambda: part.replace(path))
    sync_folder(path.parent)


def patiently(move: Callable[[], object]) -> None:
    """Try again and again while another program holds the file. Raises PermissionError when it never lets go, or OSError."""
    for pause_s in (*PAUSES_S, None):
        try:
            move()
            return
        except PermissionError:
            if pause_s is None:
                raise
            time.sleep(pause_s)


def sync(file: IO[bytes] | IO[str]) -> None:
    """See to it that what was written is on the disk. Raises OSError."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """See to it that the names in a folder are on the disk, where the system has a way to ask for that."""
    if sys.platform == "win32":
        return
    # Some network disks cannot do it. They keep order by themselves.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_tree(folder: Path) -> None:
    """See to it that everything in a folder is on the disk, before the folder is moved to its name. Raises OSError."""
    for place, _, names in os.walk(folder):
        for name in names:
            with (Path(place) / name).open("r+b") as file:
                os.fsync(file.fileno())
        sync_folder(Path(place))


def storage_error(path: Path, error: OSError, *, needed_bytes: int = 0) -> StorageError:
    """What went wrong with a file, in a sentence. `DiskMissing` where waiting helps: the disk is full, or gone."""
    needed = f" of {needed_bytes / 1e6:.1f} MB" if needed_bytes else ""
    if error.errno in _FULL or getattr(error, "winerror", None) in _FULL_WINDOWS:
        return DiskMissing(
            f"There is no room for {path.name}{needed} in {path.parent}.", hint="Free some space; the work goes on from there."
        )
    if error.errno in _LOST or getattr(error, "winerror", None) in _LOST_WINDOWS:
        return DiskMissing(
            f"{path} cannot be reached ({error.strerror or error}).", hint="Connect the disk again; the work goes on from there."
        )
    return StorageError(
        f"{path} cannot be written ({error.strerror or error}).", hint="Check the folder's rights, or what else uses the file."
    )

"""Puts finished songs where they belong: a folder appears whole, in one move, under a name that is free and safe."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.errors import StorageError
from llm_music_gen.jobs.lock import ProcessLock
from llm_music_gen.studio.names import free_name, safe_name

#: Space that stays free beside what a song needs.
RESERVE_BYTES = 50_000_000
#: Working files of a song in float32 stereo: the mix, the master, and the delivered files.
WORKING_COPIES = 3
_WORK_PREFIX = ".unfinished-"
STALE_AFTER_S = 2 * 24 * 3600


def check_room(folder: Path, frames: int) -> None:
    """Make sure that a song of this length can be written there. Raises StorageError with the bytes that are needed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, probe = tempfile.mkstemp(prefix=_WORK_PREFIX, dir=folder)
        os.close(handle)
        Path(probe).unlink()
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        raise StorageError(
            f"The folder {folder} cannot be written ({error.strerror or error}).",
            hint="Choose another with --output or in the settings.",
        ) from error
    needed_bytes = frames * 8 * WORKING_COPIES + RESERVE_BYTES
    if free_bytes < needed_bytes:
        raise StorageError(
            f"The folder {folder} has {free_bytes / 1e6:.0f} MB free, but the song needs {needed_bytes / 1e6:.0f} MB.",
            hint="Free some space or choose another folder.",
        )


@contextlib.contextmanager
def unfinished_folder(songs_dir: Path) -> Iterator[Path]:
    """A working folder beside the songs. It is gone afterwards, unless it was moved into place."""
    try:
        songs_dir.mkdir(parents=True, exist_ok=True)
        _sweep(songs_dir)
        folder = Path(tempfile.mkdtemp(prefix=_WORK_PREFIX, dir=songs_dir))
        lock = _lock_of(folder)
        lock.acquire()
    except OSError as error:
        raise StorageError(
            f"The folder {songs_dir} cannot be written ({error.strerror or error}).", hint="Check its rights."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        with contextlib.suppress(OSError):
            lock.path.unlink(missing_ok=True)


def move_into_place(folder: Path, songs_dir: Path, title: str) -> Path:
    """Rename a working folder to the song's name, or to one with a number where that is taken. Raises StorageError."""
    wanted = safe_name(title)
    for _ in range(100):
        try:
            songs_dir.mkdir(parents=True, exist_ok=True)
            taken = [entry.name for entry in songs_dir.iterdir()]
        except OSError as error:
            raise StorageError(f"The folder {songs_dir} cannot be read ({error.strerror or error}).") from error
        target = songs_dir / free_name(wanted, taken)
        if _renamed(folder, target):
            os.chmod(target, 0o755)  # noqa: PTH101 - mkdtemp makes folders that only their owner can open
            return target
    raise StorageError(f"No free name for {title!r} could be found in {songs_dir}.")


def copy_out(files: Mapping[str, Path], output_dir: Path, stem: str) -> dict[str, Path]:
    """Copy a song's files into the user's own folder, all under one free name. Nothing there is overwritten."""
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        endings = {path.suffix for path in files.values()}
        taken_stems = {_stem(entry.name) for entry in output_dir.iterdir() if entry.suffix in endings}
        name = free_name(safe_name(stem), taken_stems)
        copies: dict[str, Path] = {}
        for kind, path in files.items():
            ending = ".recipe.json" if kind == "recipe" else path.suffix
            target = output_dir / (name + ending)
            with path.open("rb") as source, disk.being_written(target) as file:
                shutil.copyfileobj(source, file, 1 << 20)
            copies[kind] = target
    except OSError as error:
        raise StorageError(
            f"The song cannot be copied to {output_dir} ({error.strerror or error}).", hint="It is in the library nevertheless."
        ) from error
    return copies


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with plain line ends, the same bytes on every system. Raises StorageError."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file inside a working folder. Raises StorageError."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise disk.storage_error(path, error, needed_bytes=len(data)) from error


def _stem(name: str) -> str:
    return name[: -len(".recipe.json")] if name.endswith(".recipe.json") else Path(name).stem


def _renamed(folder: Path, target: Path) -> bool:
    """Whether the move worked; False when somebody else took the name meanwhile. Raises StorageError."""
    try:
        disk.sync_tree(folder)  # a name must not outlive a power cut that its contents did not
        disk.patiently(lambda: folder.rename(target))
    except OSError as error:
        if target.exists():
            return False
        raise disk.storage_error(target, error) from error
    disk.sync_folder(target.parent)
    return True


def _sweep(songs_dir: Path) -> None:
    """Remove what a crash left behind days ago. Clocks jump, so what is in work is known by its lock and not by its age."""
    limit = time.time() - STALE_AFTER_S
    for entry in songs_dir.glob(_WORK_PREFIX + "*"):
        with contextlib.suppress(OSError, StorageError):
            if entry.is_dir() and entry.stat().st_mtime < limit and not _lock_of(entry).is_held():
                shutil.rmtree(entry, ignore_errors=True)
                _lock_of(entry).path.unlink(missing_ok=True)


def _lock_of(folder: Path) -> ProcessLock:
    """Held while a working folder is in use. Beside it, because Windows moves no folder in which a file is open."""
    return ProcessLock(folder.with_name(folder.name + ".lock"))

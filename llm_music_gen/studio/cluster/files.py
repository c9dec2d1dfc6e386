"""Files that a worker needs, found there by their checksum or sent to it once, in pieces, into its own cache."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from llm_music_gen import disk
from llm_music_gen.errors import StorageError
from llm_music_gen.llm.registry import find_models
from llm_music_gen.paths import StudioPaths
from llm_music_gen.sound.soundfonts import list_soundfonts
from llm_music_gen.studio.recipe import file_sha256

#: Small enough for a scheduler to pass on without a pause.
PIECE_BYTES = 4 << 20
SENT_FOLDER = "sent"
_HEX = re.compile(r"[0-9a-f]{64}$")
_SUFFIXES = {"soundfont": (".sf2", ".sf3"), "model": (".gguf",)}


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A file as this side knows it; the other side has it under any name, or nowhere."""

    kind: Literal["soundfont", "model"]
    name: str
    sha256: str
    size: int

    @staticmethod
    def of(kind: Literal["soundfont", "model"], path: Path, sha256: str) -> NeededFile:
        """The file at `path`, whose checksum is known. Raises StorageError."""
        try:
            return NeededFile(kind, path.name, sha256, path.stat().st_size)
        except OSError as error:
            raise StorageError(f"{path} cannot be read ({error.strerror or error}).", hint="Put it back.") from error


def find_file(needed: NeededFile, paths: StudioPaths) -> Path | None:
    """Where the file stands on this machine, whatever it is called, or None. Only files of its size are read."""
    for path in (sent_path(needed, paths), *_candidates(needed, paths)):
        try:
            state = path.stat()
        except OSError:
            continue
        if state.st_size == needed.size and _known_sha256(path, state.st_size, state.st_mtime_ns) == needed.sha256:
            return path
    return None


def sent_path(needed: NeededFile, paths: StudioPaths) -> Path:
    """Where the file stands once it was sent. What came over the network names neither folder nor suffix by itself.

    Raises StorageError for what is no checksum.
    """
    if not _HEX.match(needed.sha256):
        raise StorageError("A file was announced without a checksum.", hint="Use the same version everywhere.")
    suffix = Path(needed.name).suffix.lower()
    allowed = _SUFFIXES[needed.kind]
    return paths.cache_dir / SENT_FOLDER / f"{needed.sha256}{suffix if suffix in allowed else allowed[0]}"


def receive_piece(needed: NeededFile, sender: str, offset: int, data: bytes, paths: StudioPaths) -> bool:
    """Write one piece of a file that is being sent; whether it is whole now. Pieces come in order, from one `sender`.

    The file gets its name when its checksum is right. Raises StorageError.
    """
    path = sent_path(needed, paths)
    part = path.with_name(f"{path.name}.{hashlib.sha256(sender.encode('utf-8')).hexdigest()[:12]}{disk.PART_SUFFIX}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(data)
            if offset + len(data) < needed.size:
                return False
            file.truncate(needed.size)
            disk.sync(file)
        if file_sha256(part) != needed.sha256:
            part.unlink(missing_ok=True)
            raise StorageError(f"{needed.name} was damaged while it was sent.", hint="It is sent again the next time.")
        disk.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise disk.storage_error(path, error, needed_bytes=needed.size) from error
    return True


def pieces(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of a file. Raises StorageError."""
    try:
        with path.open("rb") as file:
            offset = 0
            while data := file.read(PIECE_BYTES):
                yield offset, data
                offset += len(data)
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror or error}).", hint="Put it back.") from error


def sender_name() -> str:
    """Says who sends, so that two senders of one file do not write into each other's."""
    return f"{platform.node()}-{os.getpid()}-{threading.get_ident()}"


def _candidates(needed: NeededFile, paths: StudioPaths) -> Iterator[Path]:
    if needed.kind == "soundfont":
        yield from (font.path for font in list_soundfonts(paths.soundfonts_dir))
    else:
        yield from (model.path for model in find_models(paths.models_dir))


@lru_cache(maxsize=256)
def _known_sha256(path: Path, size: int, modified_ns: int) -> str:
    """Checksum of a file in this state; "" where it cannot be read."""
    try:
        return file_sha256(path)
    except OSError:
        return ""

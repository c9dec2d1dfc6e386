"""Samples that do not fit into memory wait on disk: written once, read whenever a note comes back. The file goes by itself."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Hashable
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

K = TypeVar("K", bound=Hashable)
#: No more than this, and never so much that others run out of space.
MOST_BYTES = 4_000_000_000
_LEAVE_FREE_BYTES = 2_000_000_000


class Spill(Generic[K]):
    """Arrays of shape (frames, 2) by key, in one temporary file of a folder."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        # Nameless where the system allows it, so a killed process leaves nothing behind.
        self._file = tempfile.TemporaryFile(dir=folder, prefix="notes-", buffering=0)  # noqa: SIM115 - lives as long as this
        with contextlib.suppress(OSError):
            most_bytes = min(most_bytes, shutil.disk_usage(folder).free - _LEAVE_FREE_BYTES)
        self._most_bytes = most_bytes
        self._places: dict[K, tuple[int, int]] = {}
        self._end = 0

    def put(self, key: K, samples: NDArray[np.float32]) -> None:
        """Keep the samples unless they are there or there is no room."""
        if key in self._places or self._end + samples.nbytes > self._most_bytes:
            return
        try:
            self._file.seek(self._end)
            written = self._file.write(np.ascontiguousarray(samples).data)
        except OSError:
            self._most_bytes = 0  # the disk is full: what is there stays of use
            return
        if written == samples.nbytes:
            self._places[key] = (self._end, len(samples))
            self._end += samples.nbytes

    def get(self, key: K) -> NDArray[np.float32] | None:
        """The samples, or None where they were never kept."""
        place = self._places.get(key)
        if place is None:
            return None
        offset, frames = place
        out = np.empty((frames, 2), dtype=np.float32)
        self._file.seek(offset)
        if self._file.readinto(out.data.cast("B")) != out.nbytes:
            return None
        return out

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

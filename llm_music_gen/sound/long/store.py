"""Where finished segments wait: one file each beside a small database that holds their checksums and what was measured.

A segment counts as done when its row stands; the row is written after the file is complete under its own name. So whatever
kills the studio, a file without a row is rendered again, and a file that no longer fits its row is noticed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen import disk
from llm_music_gen.database import Migration, database_error, open_database
from llm_music_gen.errors import StorageError
from llm_music_gen.units import SAMPLE_RATE_HZ

#: Two minutes; a whole number of the meter's 100 ms steps.
SEGMENT_FRAMES = 120 * SAMPLE_RATE_HZ
DATABASE_FILE = "segments.sqlite"


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """What is known of a finished segment."""

    index: int
    sha256: str
    """Of its file."""
    true_peak: float
    """Linear."""
    steps: tuple[float, ...]
    """K-weighted mean squares of each 100 ms, summed over the channels."""
    peaks: Mapping[str, float]
    """Linear sample peak by kind of sound: music, layers."""


def segment_count(frames: int) -> int:
    """How many segments a track has."""
    return -(-frames // SEGMENT_FRAMES)


def segment_at(frame: int) -> int:
    """The segment in which a frame lies."""
    return frame // SEGMENT_FRAMES


def segment_range(index: int, frames: int) -> tuple[int, int]:
    """(first frame, number of frames) of a segment."""
    first = index * SEGMENT_FRAMES
    return first, min(SEGMENT_FRAMES, frames - first)


def segment_name(index: int) -> str:
    """Name of its file."""
    return f"segment-{index:05d}.flac"


def write_segment(folder: Path, index: int, samples: NDArray[np.float32]) -> str:
    """Write a segment as 24-bit FLAC under its name, complete or not at all; its checksum. Raises StorageError.

    Samples beyond full scale would be clipped, so callers keep their mixes well under it.
    """
    import soundfile

    path = folder / segment_name(index)
    # In memory first: the library that writes FLAC does not notice every write that a full disk cuts short.
    made = io.BytesIO()
    soundfile.write(made, samples, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_24", compression_level=0.0)
    data = made.getvalue()
    try:
        disk.write_whole(path, data)
    except OSError as error:
        raise disk.storage_error(path, error, needed_bytes=len(data)) from error
    return hashlib.sha256(data).hexdigest()


class SegmentDamaged(StorageError):
    """A segment's file is gone or is not what was written. It can be rendered again."""

    def __init__(self, index: int, path: Path) -> None:
        super().__init__(f"The segment {path} is damaged.", hint='"llm-music-gen resume" renders it again.')
        self.index = index
        self.path = path

    def __reduce__(self) -> tuple[type[SegmentDamaged], tuple[int, Path]]:
        return SegmentDamaged, (self.index, self.path)


class SegmentStore:
    """The segments of one track in one folder. One process writes rows; any may read files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = open_database(folder / DATABASE_FILE, "segments", _MIGRATIONS)

    def close(self) -> None:
        """Let go of the database."""
        with contextlib.suppress(sqlite3.Error):  # its disk may be gone
            self._database.close()

    def rows(self) -> dict[int, SegmentRow]:
        """Every finished segment by its number. Raises StorageError."""
        found = {}
        try:
            rows = self._database.execute("SELECT * FROM segments ORDER BY number").fetchall()
        except sqlite3.Error as error:
            raise database_error(self.folder / DATABASE_FILE, error) from error
        for row in rows:
            try:
                peaks = {str(name): float(value) for name, value in json.loads(row["peaks"]).items()}
                steps = tuple(np.frombuffer(row["steps"], dtype="<f8").tolist())
                found[int(row["number"])] = SegmentRow(int(row["number"]), row["sha256"], row["true_peak"], steps, peaks)
            except (ValueError, TypeError, AttributeError, OverflowError):
                continue  # damaged on the disk: the segment counts as missing and is rendered again
        return found

    def add(self, row: SegmentRow) -> None:
        """A segment is finished. Raises StorageError when the disk is full."""
        try:
            with self._database:
                self._database.execute(
                    "INSERT OR REPLACE INTO segments (number, sha256, true_peak, steps, peaks) VALUES (?, ?, ?, ?, ?)",
                    (
                        row.index,
                        row.sha256,
                        row.true_peak,
                        np.array(row.steps, dtype="<f8").tobytes(),
                        json.dumps(dict(row.peaks)),
                    ),
                )
        except sqlite3.Error as error:
            raise database_error(self.folder / DATABASE_FILE, error) from error

    def finished(self, frames: int) -> FinishedSegments:
        """All segments, once none is missing."""
        rows = self.rows()
        return FinishedSegments(self.folder, frames, tuple(rows[index].sha256 for index in range(segment_count(frames))))

    def forget(self, index: int) -> None:
        """The segment has to be rendered again. Raises StorageError."""
        path = self.folder / segment_name(index)
        try:
            with self._database:
                self._database.execute("DELETE FROM segments WHERE number = ?", (index,))
            path.unlink(missing_ok=True)
        except sqlite3.Error as error:
            raise database_error(self.folder / DATABASE_FILE, error) from error
        except OSError as error:
            raise disk.storage_error(path, error) from error

    def replan(self, plan: str, stale: Iterable[int]) -> None:
        """Another plan holds from now on, and those segments have to be rendered again: both at once, or nothing.

        Raises StorageError.
        """
        try:
            with self._database:
                self._database.executemany("DELETE FROM segments WHERE number = ?", [(index,) for index in stale])
                self._database.execute("INSERT OR REPLACE INTO plans (number, plan) VALUES (1, ?)", (plan,))
        except sqlite3.Error as error:
            raise database_error(self.folder / DATABASE_FILE, error) from error

    def plan(self) -> str | None:
        """The plan that holds, or None while it is the one with which the track was begun. Raises StorageError."""
        try:
            row = self._database.execute("SELECT plan FROM plans").fetchone()
        except sqlite3.Error as error:
            raise database_error(self.folder / DATABASE_FILE, error) from error
        return None if row is None else str(row["plan"])

    def damaged(self, rows: Mapping[int, SegmentRow]) -> list[int]:
        """Numbers whose file is gone or is not what was written."""
        bad = []
        for index, row in rows.items():
            path = self.folder / segment_name(index)
            try:
                if _sha256(path) != row.sha256:
                    bad.append(index)
            except OSError:
                bad.append(index)
        return bad


@dataclass(frozen=True, slots=True)
class FinishedSegments:
    """All segments of a track as files with their checksums; small enough to be sent to a worker."""

    folder: Path
    frames: int
    sha256: tuple[str, ...]

    def pieces(self, first_frame: int, stop_frame: int, gain: float) -> Iterator[NDArray[np.float32]]:
        """Samples [first_frame, stop_frame) with the master's gain, in pieces of shape (n, 2). Raises SegmentDamaged."""
        for index in range(segment_at(first_frame), segment_count(stop_frame)):
            start, _ = segment_range(index, self.frames)
            yield self.segment(index)[max(0, first_frame - start) : stop_frame - start] * np.float32(gain)

    def blocks(self, gain: float) -> Iterator[NDArray[np.float32]]:
        """The whole track, one segment after the other. Raises SegmentDamaged."""
        for index in range(len(self.sha256)):
            yield self.segment(index) * np.float32(gain)

    def segment(self, index: int) -> NDArray[np.float32]:
        """One segment as it was rendered, shape (frames, 2). Raises SegmentDamaged when its file is not what was written."""
        import soundfile

        path = self.folder / segment_name(index)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SegmentDamaged(index, path) from error
        if hashlib.sha256(data).hexdigest() != self.sha256[index]:
            raise SegmentDamaged(index, path)
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            out: NDArray[np.float32] = file.read(dtype="float32", always_2d=True)
        return out


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _first(connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE segments (number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, true_peak REAL NOT NULL, "
        "steps BLOB NOT NULL, peaks TEXT NOT NULL)"
    )


def _plans(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE plans (number INTEGER PRIMARY KEY, plan TEXT NOT NULL)")


_MIGRATIONS: tuple[Migration, ...] = (_first, _plans)

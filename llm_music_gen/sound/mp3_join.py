"""Chunks of an MP3, each from its own encoder, made into one stream as if a single encoder had written it.

Around each boundary both encoders have coded the same moments. The change from one to the other is made where it cannot be heard:
at a frame whose predecessor has the same windows in both (so that what overlaps cancels as it should) and whose coded sound fits
into the bytes saved so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from llm_music_gen.errors import EncodingError
from llm_music_gen.sound.mp3_frames import BIT_RATES_KBPS, SAMPLES_PER_FRAME, ChunkFrames, frame_bytes, frames_of
from llm_music_gen.sound.mp3_info import crc16, info_frame
from llm_music_gen.sound.mp3_pack import Packer, Plan, needs, planned

#: Frames at the beginning of an encoder's run that are not used: it has to get its bearings first.
SETTLING_FRAMES = 24
#: Frames before a join that may get a higher bit rate.
_MOST_WIDENED = 8


def join_chunks(
    chunks: Iterable[bytes | Path], total_frames: int, path: Path, kbps: int, quality: int, chunk_frames: int
) -> Iterator[int]:
    """Write the MP3 at `path` from its chunks, in order. Yields the samples (per channel) written so far.

    `total_frames`: length of the sound in samples per channel. `chunk_frames`: MP3 frames of a chunk. Raises EncodingError,
    OSError.
    """
    with path.open("wb") as file:
        joiner = Joiner(file, kbps, chunk_frames)
        for chunk in chunks:
            joiner.push(ChunkFrames.from_bytes(chunk if isinstance(chunk, bytes) else chunk.read_bytes()))
            yield min(total_frames, joiner.frames * SAMPLES_PER_FRAME)
        joiner.finish(total_frames, quality)
    yield total_frames


class Joiner:
    """Takes the chunks one after the other and writes frames to a file; the Info frame, whose place is kept, comes last."""

    def __init__(self, file: BinaryIO, kbps: int, chunk_frames: int) -> None:
        self._file = file
        self._kbps = kbps
        self._chunk_frames = chunk_frames
        self._packer = Packer(kbps)
        self._current: ChunkFrames | None = None
        self._crc = 0
        self._size = 0
        self.frames = 0
        """MP3 frames whose place is settled."""
        file.write(bytes(frame_bytes(kbps)))

    def push(self, chunk: ChunkFrames) -> None:
        """Raises EncodingError when it is not the chunk that comes next, or cannot be joined."""
        expected = 0 if self._current is None else self._current.index + 1
        if chunk.kbps != self._kbps or chunk.index != expected:
            raise EncodingError(f"Piece {chunk.index} of the MP3 is not the one that comes next.", hint="Encode it again.")
        if self._current is not None:
            plan = planned(self._current, self.frames, self._packer.saved, self._packer.owed)
            join = find_join(self._current, chunk, plan, self._chunk_frames * chunk.index, self._packer.owed)
            self._write(self._packer.pack(self._current, join.plan, join.frame))
            self.frames = join.frame
        self._current = chunk

    def finish(self, total_frames: int, quality: int) -> None:
        """Write what is left and the Info frame. `total_frames` in samples per channel."""
        last = self._current
        if last is None or last.end != frames_of(total_frames):
            raise EncodingError("A piece of the MP3 is missing.", hint="Encode it again.")
        plan = planned(last, self.frames, self._packer.saved, self._packer.owed)
        self._write(self._packer.pack(last, plan, last.end))
        self._write(self._packer.rest())
        self.frames = last.end
        self._file.seek(0)
        self._file.write(info_frame(self._kbps, self.frames, total_frames, self._size, self._crc, quality))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._crc = crc16(data, self._crc)
        self._size += len(data)


@dataclass(frozen=True, slots=True)
class Join:
    """Where one chunk's frames take over from the other's."""

    frame: int
    """Place in the file of the first frame that is taken from the chunk that comes."""
    plan: Plan
    """For the frames before it."""


def find_join(before: ChunkFrames, after: ChunkFrames, plan: Plan, boundary: int, owed: int) -> Join:
    """The first frame from `boundary` on (else the last before it) where the change from one chunk to the other does no harm.

    `plan` is that of `before`. Where too few bytes are saved everywhere, the frames before the place that lacks least get a
    higher bit rate; where there is none, differing windows are put up with. Raises EncodingError when nothing helps.
    """
    first, last = max(plan.start + 1, after.first + SETTLING_FRAMES), min(before.end, after.end - 1)
    order = np.array([*range(max(first, boundary), last + 1), *range(min(boundary, last + 1) - 1, first - 1, -1)], dtype=np.int64)
    if not len(order):
        raise EncodingError(f"Piece {after.index} of the MP3 does not follow the one before.", hint="Encode it again.")
    lacking = needs(after)[order - after.first] - plan.saved[order - plan.start]
    ours, theirs = before.block_kinds()[order - 1 - before.first], after.block_kinds()[order - 1 - after.first]
    alike = (ours == theirs).all(axis=1)
    for choice in np.flatnonzero(alike & (lacking <= 0)).tolist():
        return Join(int(order[choice]), plan)
    places = np.flatnonzero(alike)
    for choice in places[np.argsort(lacking[places], kind="stable")].tolist():
        frame = int(order[choice])
        wider = _widened(before, plan, frame, int(lacking[choice]), owed)
        if wider is not None:
            return Join(frame, wider)
    for choice in np.flatnonzero(lacking <= 0).tolist():
        return Join(int(order[choice]), plan)
    raise EncodingError(f"Piece {after.index} of the MP3 cannot be joined at {after.kbps} kbit/s.", hint="Try another bit rate.")


def _widened(before: ChunkFrames, plan: Plan, frame: int, lacking: int, owed: int) -> Plan | None:
    """A plan that has `lacking` bytes more saved before `frame`; None when higher bit rates do not give them."""
    gains = {rate: frame_bytes(rate) - frame_bytes(before.kbps) for rate in BIT_RATES_KBPS if rate > before.kbps}
    if not gains:
        return None
    wanted = plan.saved[frame - plan.start] + lacking
    rates: dict[int, int] = {}
    for wide in range(frame - 1, max(plan.start, frame - _MOST_WIDENED) - 1, -1):
        rates[wide] = next((rate for rate, gain in gains.items() if gain >= lacking), max(gains))
        lacking -= gains[rates[wide]]
        if lacking <= 0:
            wider = planned(before, plan.start, int(plan.saved[0]), owed, rates)
            return wider if wider.saved[frame - plan.start] >= wanted else None
    return None

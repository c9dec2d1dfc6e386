"""Chunks of an MP3, each from its own encoder, made into one stream as if a single encoder had written it.

Around each boundary both encoders have coded the same moments. The change from one to the other is made where it cannot be heard:
at a frame whose predecessor has the same windows in both (so that what overlaps cancels as it should) and whose coded sound fits
into the bits saved up so far. The frames are then packed anew, as tightly as ISO/IEC 11172-3 allows, at constant bit rate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import EncodingError
from llm_music_gen.sound.mp3_frames import BIT_RATES_KBPS, HEAD_BYTES, SAMPLES_PER_FRAME, ChunkFrames, frame_bytes
from llm_music_gen.sound.mp3_info import crc16, info_frame

#: Bytes before a frame in which its coded sound may begin: main_data_begin has nine bits.
MOST_SAVED = 511
#: Frames at the beginning of an encoder's run that are not used: it has to get its bearings first.
SETTLING_FRAMES = 24
_HIGHEST_KBPS = BIT_RATES_KBPS[-1]


def join_chunks(
    chunks: Iterable[bytes | Path], total_frames: int, path: Path, kbps: int, quality: int = 3, *, chunk_frames: int
) -> Iterator[int]:
    """Write the MP3 at `path`. Yields the samples (per channel) written so far; one chunk after the other is held in memory.

    `chunks`: what `encode_chunk` returned, or files that hold it, in order. `total_frames`: length of the sound in samples per
    channel. Raises EncodingError when a chunk is damaged, missing or of another file, and OSError.
    """
    with path.open("w+b") as file:
        joiner = Joiner(file, kbps, chunk_frames)
        for chunk in chunks:
            joiner.push(ChunkFrames.from_bytes(chunk if isinstance(chunk, bytes) else chunk.read_bytes()))
            yield min(total_frames, joiner.frames * SAMPLES_PER_FRAME)
        joiner.finish(total_frames, quality)
    yield total_frames


class Joiner:
    """Takes the chunks one after the other and writes frames to a file; the place of the Info frame is filled in last."""

    def __init__(self, file: BinaryIO, kbps: int, chunk_frames: int) -> None:
        self._file = file
        self._kbps = kbps
        self._chunk_frames = chunk_frames
        self._packer = Packer(kbps)
        self._pushed = 0
        self._current: ChunkFrames | None = None
        self._crc = 0
        self._size = 0
        self.frames = 0
        """Frames that are settled."""
        file.write(bytes(frame_bytes(kbps)))

    def push(self, chunk: ChunkFrames) -> None:
        """Raises EncodingError when it is not the chunk that comes next, or cannot be joined."""
        if chunk.kbps != self._kbps or chunk.index != self._pushed:
            raise EncodingError(f"Piece {chunk.index} of the MP3 is not the one that comes next.", hint="Encode it again.")
        current = self._current
        if current is not None:
            boundary = self._chunk_frames * chunk.index
            join = find_join(current, chunk, self.frames, boundary, self._packer.saved)
            self._pack(current, join.frame, join.kbps)
        self._current = chunk
        self._pushed += 1

    def finish(self, total_frames: int, quality: int) -> None:
        """Write what is left and the Info frame. `total_frames` in samples per channel."""
        current = self._current
        if current is None or current.end * SAMPLES_PER_FRAME < total_frames:
            raise EncodingError("A piece of the MP3 is missing.", hint="Encode it again.")
        self._pack(current, current.end, {})
        self._write(self._packer.rest())
        self._file.seek(0)
        self._file.write(info_frame(self._kbps, self.frames, total_frames, self._size, self._crc, quality))

    def _pack(self, chunk: ChunkFrames, end: int, kbps: dict[int, int]) -> None:
        self._write(self._packer.pack(chunk, self.frames, end, kbps))
        self.frames = end

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._crc = crc16(data, self._crc)
        self._size += len(data)


@dataclass(frozen=True, slots=True)
class Join:
    """Where one chunk's frames take over from the other's."""

    frame: int
    """Place in the file of the first frame that is taken from the chunk that comes."""
    kbps: dict[int, int]
    """Frames before it that need another bit rate, because too few bits are saved: none as a rule."""


def find_join(before: ChunkFrames, after: ChunkFrames, start: int, boundary: int, saved: int) -> Join:
    """`start`: the first frame not packed yet, before which `saved` bytes are saved. Raises EncodingError when nothing fits.

    Tried are the frames from the boundary on, then those just before it.
    """
    first, last = max(start + 1, after.first + SETTLING_FRAMES), min(before.end, after.end - 1)
    order = np.array([*range(max(first, boundary), last + 1), *range(min(boundary, last + 1) - 1, first - 1, -1)], dtype=np.int64)
    if not len(order):
        raise EncodingError(f"Piece {after.index} of the MP3 does not follow the one before.", hint="Encode it again.")
    fill = _fill(before, start, saved)
    missing = needs(after)[order - after.first] - fill[order - start]
    ours, theirs = before.block_kinds()[order - 1 - before.first], after.block_kinds()[order - 1 - after.first]
    alike = (ours == theirs).all(axis=1)
    good = np.flatnonzero(alike & (missing <= 0))
    if len(good):
        return Join(int(order[good[0]]), {})
    for choice in np.flatnonzero(alike)[np.argsort(missing[alike], kind="stable")]:
        kbps = _widened(before, start, int(order[choice]), saved, int(missing[choice]))
        if kbps is not None:
            return Join(int(order[choice]), kbps)
    fitting = np.flatnonzero(missing <= 0)
    if not len(fitting):
        raise EncodingError(
            f"Piece {after.index} of the MP3 cannot be joined at {after.kbps} kbit/s.", hint="Try another bit rate."
        )
    return Join(int(order[fitting[0]]), {})


def needs(chunk: ChunkFrames) -> NDArray[np.int64]:
    """Bytes that must have been saved before each frame so that it and all that follow fit: shape (frames,)."""
    lacking = np.cumsum(chunk.sizes - chunk.capacities())
    worst = np.maximum.accumulate(lacking[::-1])[::-1]
    needed: NDArray[np.int64] = np.maximum(0, worst - np.concatenate(([0], lacking[:-1])))
    return needed


def _fill(chunk: ChunkFrames, start: int, saved: int, more: dict[int, int] | None = None) -> NDArray[np.int64]:
    """Bytes saved before each frame from `start` to the end of the chunk (and after the last)."""
    at = start - chunk.first
    gains = (chunk.capacities() - chunk.sizes)[at:].tolist()
    for frame, kbps in (more or {}).items():
        gains[frame - start] += frame_bytes(kbps) - frame_bytes(chunk.kbps)
    out = [saved]
    for gain in gains:
        saved = min(MOST_SAVED, saved + gain)
        out.append(saved)
    return np.array(out, dtype=np.int64)


def _widened(chunk: ChunkFrames, start: int, join: int, saved: int, missing: int) -> dict[int, int] | None:
    """Bit rates of the frames just before `join` that save the missing bytes; None when they cannot."""
    out: dict[int, int] = {}
    rest = missing
    for frame in range(join - 1, max(start, join - 8) - 1, -1):
        gains = [(rate, frame_bytes(rate) - frame_bytes(chunk.kbps)) for rate in BIT_RATES_KBPS if rate > chunk.kbps]
        if not gains:
            return None
        out[frame], gain = next((pair for pair in gains if pair[1] >= rest), gains[-1])
        rest -= gain
        if rest <= 0:
            fill = _fill(chunk, start, saved)[join - start]
            reached = _fill(chunk, start, saved, out)[join - start]
            return out if reached >= fill + missing else None
    return None


class Packer:
    """Gives each frame's coded sound its place: as early as allowed, so that as much as possible is saved for what follows."""

    def __init__(self, kbps: int) -> None:
        self._kbps = kbps
        self.saved = 0
        """Bytes that the next frame can use in the frames before it."""
        self._owed = 0
        """Bytes that the file is longer than constant bit rate would make it, through frames of higher rates."""
        self._heads: list[bytes] = []
        self._capacities: list[int] = []
        self._main = b""

    def pack(self, chunk: ChunkFrames, start: int, end: int, kbps: dict[int, int]) -> bytes:
        """Frames `start` to `end` (excluded) of the file, taken from `chunk`: returns the bytes that have become final.

        `kbps`: bit rates of single frames that are not the file's own.
        """
        at, to = start - chunk.first, end - chunk.first
        sizes = chunk.sizes[at:to].tolist()
        capacities = chunk.capacities()[at:to].tolist()
        heads = chunk.heads[at:to].copy()
        rates = {frame - start: rate for frame, rate in kbps.items()}
        for place, rate in rates.items():
            self._change_rate(heads, capacities, place, rate)
        begins, stuffing = self._places(sizes, capacities, heads, rates, needs(chunk)[at : to + 1].tolist())
        heads[:, 4] = begins >> 1
        heads[:, 5] |= ((begins & 1) << 7).astype(np.uint8)
        all_heads = heads.tobytes()
        self._heads += [all_heads[head : head + HEAD_BYTES] for head in range(0, len(all_heads), HEAD_BYTES)]
        self._capacities += capacities
        ends = np.concatenate(([0], np.cumsum(chunk.sizes)))[at : to + 1].tolist()
        self._main += _with_gaps(memoryview(chunk.payload), ends, stuffing)
        return self._finished()

    def rest(self) -> bytes:
        """The last frames; what is saved in them stays empty."""
        self._main += bytes(self.saved)
        self.saved = 0
        return self._finished()

    def _places(
        self, sizes: list[int], capacities: list[int], heads: NDArray[np.uint8], fixed: dict[int, int], needed: list[int]
    ) -> tuple[NDArray[np.int64], list[tuple[int, int]]]:
        """main_data_begin of each frame, and (frame, bytes) of stuffing behind frames whose savings have reached the limit."""
        begins = np.empty(len(sizes), dtype=np.int64)
        stuffing: list[tuple[int, int]] = []
        saved = self.saved
        for place, size in enumerate(sizes):
            begins[place] = saved
            saved += capacities[place] - size
            if self._owed and place not in fixed and place + 1 < len(needed):
                saved -= self._give_back(heads, capacities, place, saved - needed[place + 1])
            if saved > MOST_SAVED:
                stuffing.append((place, saved - MOST_SAVED))
                saved = MOST_SAVED
            elif saved < 0:
                raise EncodingError("The MP3 needs more bits than its bit rate has.", hint="Try a higher bit rate.")
        self.saved = saved
        return begins, stuffing

    def _change_rate(self, heads: NDArray[np.uint8], capacities: list[int], place: int, rate: int) -> int:
        """Returns the bytes by which the frame got longer."""
        longer = frame_bytes(rate) - frame_bytes(self._kbps)
        heads[place, 2] = BIT_RATES_KBPS.index(rate) << 4 | int(heads[place, 2]) & 0x0F
        capacities[place] += longer
        self._owed += longer
        return longer

    def _give_back(self, heads: NDArray[np.uint8], capacities: list[int], place: int, spare: int) -> int:
        """A lower bit rate for one frame, if the file is too long by that much and the bytes are not needed."""
        most = min(self._owed, spare)
        lower = [rate for rate in BIT_RATES_KBPS[1:] if 0 < frame_bytes(self._kbps) - frame_bytes(rate) <= most]
        lower = [rate for rate in lower if frame_bytes(rate) >= HEAD_BYTES]
        return -self._change_rate(heads, capacities, place, lower[0]) if lower else 0

    def _finished(self) -> bytes:
        """Takes out the frames whose bytes are all known."""
        pieces: list[bytes] = []
        at = 0
        count = 0
        for head, capacity in zip(self._heads, self._capacities, strict=True):
            if at + capacity > len(self._main):
                break
            pieces += (head, self._main[at : at + capacity])
            at += capacity
            count += 1
        self._main = self._main[at:]
        del self._heads[:count], self._capacities[:count]
        return b"".join(pieces)


def _with_gaps(payload: memoryview, ends: list[int], gaps: list[tuple[int, int]]) -> bytes:
    """The coded sound of frames with bytes of nothing behind some of them. `ends`: where each begins, and the last one ends."""
    pieces: list[bytes | memoryview] = []
    at = ends[0]
    for place, size in gaps:
        pieces += (payload[at : ends[place + 1]], bytes(size))
        at = ends[place + 1]
    pieces.append(payload[at : ends[-1]])
    return b"".join(pieces)

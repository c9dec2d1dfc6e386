"""Places for the coded sound of MP3 frames: as early as ISO/IEC 11172-3 allows, so that as much as possible is saved for later.

What a frame does not need of its bytes the frames after it can use, as far as main_data_begin reaches back. Frames have the bit
rate of the file. Single ones may get a higher one where bytes are missing at a join; lower ones then make up for it, so that a
moment stays where a player looks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import EncodingError
from llm_music_gen.sound.mp3_frames import BIT_RATES_KBPS, HEAD_BYTES, ChunkFrames, frame_bytes

#: Bytes before a frame in which its coded sound may begin: main_data_begin has nine bits.
MOST_SAVED = 511


@dataclass(frozen=True, slots=True)
class Plan:
    """How frames of a chunk can be packed, from one on to the chunk's end."""

    start: int
    """Place in the file of the first of these frames."""
    saved: NDArray[np.int64]
    """Bytes that each frame finds saved before it (and those after the last): shape (frames + 1,)."""
    rates: dict[int, int] = field(default_factory=dict)
    """Place in the file -> kbit/s of the frames whose bit rate is not the file's."""


def planned(chunk: ChunkFrames, start: int, saved: int, owed: int = 0, widened: dict[int, int] | None = None) -> Plan:
    """What a plan for the frames of `chunk` from `start` on looks like.

    `saved`: bytes saved so far. `owed`: bytes by which the file is longer than constant bit rate makes it. `widened`: frames that
    are to have a higher bit rate.
    """
    at = start - chunk.first
    gains = (chunk.capacities() - chunk.sizes)[at:].tolist()
    filled = [saved]
    if not owed and not widened:
        for gain in gains:
            saved = min(MOST_SAVED, saved + gain)
            filled.append(saved)
        return Plan(start, np.array(filled, dtype=np.int64))
    rates = dict(widened or {})
    needed = [*needs(chunk)[at + 1 :].tolist(), MOST_SAVED]
    for frame, (gain, need) in enumerate(zip(gains, needed, strict=True), start):
        saved += gain
        if frame not in rates and (lower := _lower_rate(chunk.kbps, min(owed, saved - need))):
            rates[frame] = lower
        if frame in rates:
            longer = frame_bytes(rates[frame]) - frame_bytes(chunk.kbps)
            saved += longer
            owed += longer
        saved = min(MOST_SAVED, saved)
        filled.append(saved)
    return Plan(start, np.array(filled, dtype=np.int64), rates)


def needs(chunk: ChunkFrames) -> NDArray[np.int64]:
    """Bytes that must have been saved before each frame so that it and all that follow it fit: shape (frames,)."""
    lacking = np.cumsum(chunk.sizes - chunk.capacities())
    worst = np.maximum.accumulate(lacking[::-1])[::-1]
    needed: NDArray[np.int64] = np.maximum(0, worst - np.concatenate(([0], lacking[:-1])))
    return needed


def _lower_rate(kbps: int, most: int) -> int | None:
    """The bit rate that makes a frame shorter by as much as possible but at most `most` bytes."""
    return next((rate for rate in BIT_RATES_KBPS[1:] if 0 < frame_bytes(kbps) - frame_bytes(rate) <= most), None)


class Packer:
    """Writes frames according to their plans."""

    def __init__(self, kbps: int) -> None:
        self._kbps = kbps
        self.saved = 0
        """Bytes that the next frame finds saved."""
        self.owed = 0
        """Bytes that the file is longer than constant bit rate would make it."""
        self._heads: list[bytes] = []
        self._capacities: list[int] = []
        self._main = b""

    def pack(self, chunk: ChunkFrames, plan: Plan, end: int) -> bytes:
        """Frames of `chunk` from the plan's start to place `end` (excluded) in the file. Returns the bytes that are final now.

        Raises EncodingError when they do not fit.
        """
        at, to = plan.start - chunk.first, end - chunk.first
        heads, capacities, sizes = chunk.heads[at:to].copy(), chunk.capacities()[at:to], chunk.sizes[at:to]
        for frame, rate in plan.rates.items():
            if frame < end:
                longer = frame_bytes(rate) - frame_bytes(self._kbps)
                heads[frame - plan.start, 2] = BIT_RATES_KBPS.index(rate) << 4 | int(heads[frame - plan.start, 2]) & 0x0F
                capacities[frame - plan.start] += longer
                self.owed += longer
        saved = plan.saved[: to - at + 1]
        if saved[0] != self.saved or (saved < 0).any():
            raise EncodingError("The MP3 needs more bits than its bit rate has.", hint="Try a higher bit rate.")
        heads[:, 4] = saved[:-1] >> 1
        heads[:, 5] |= (saved[:-1] << 7 & 0x80).astype(np.uint8)
        self._heads += [head.tobytes() for head in np.ascontiguousarray(heads).view(f"V{HEAD_BYTES}")[:, 0]]
        self._capacities += capacities.tolist()
        ends = np.concatenate(([0], np.cumsum(chunk.sizes)))[at : to + 1]
        self._main += _with_gaps(memoryview(chunk.payload), ends, saved[:-1] + capacities - sizes - saved[1:])
        self.saved = int(saved[-1])
        return self._finished()

    def rest(self) -> bytes:
        """The last frames; what is saved in them stays empty."""
        self._main += bytes(self.saved)
        self.saved = 0
        return self._finished()

    def _finished(self) -> bytes:
        """Takes out the frames all of whose bytes are known."""
        pieces: list[bytes] = []
        at = count = 0
        for head, capacity in zip(self._heads, self._capacities, strict=True):
            if at + capacity > len(self._main):
                break
            pieces += (head, self._main[at : at + capacity])
            at += capacity
            count += 1
        self._main = self._main[at:]
        del self._heads[:count], self._capacities[:count]
        return b"".join(pieces)


def _with_gaps(payload: memoryview, ends: NDArray[np.int64], gaps: NDArray[np.int64]) -> bytes:
    """The coded sound of frames, with bytes of nothing behind some. `ends`: where each begins, and the last one ends."""
    pieces: list[bytes | memoryview] = []
    at = int(ends[0])
    for place in np.flatnonzero(gaps).tolist():
        end = int(ends[place + 1])
        pieces += (payload[at:end], bytes(int(gaps[place])))
        at = end
    pieces.append(payload[at : int(ends[-1])])
    return b"".join(pieces)

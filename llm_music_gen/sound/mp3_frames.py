"""MP3 frames taken apart: what an encoder wrote, as headers and the coded sound of each frame, to be put together anew.

The sound of a frame may begin in frames before it (the "bit reservoir"), so frames cannot be cut and joined as they lie in a
file. Here each frame gets its own bytes back, shorn of stuffing; `mp3_pack` finds them places again. Layout after
ISO/IEC 11172-3, 2.4.1: MPEG-1 layer III, two channels, no CRC.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import EncodingError
from llm_music_gen.units import SAMPLE_RATE_HZ

SAMPLES_PER_FRAME = 1_152
#: Header (4) and side information of an MPEG-1 stereo frame (32).
HEAD_BYTES = 36
BIT_RATES_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
#: Frames after which the pattern of padding bytes at 44.1 kHz begins again, whatever the bit rate.
PADDING_PERIOD = 49
_SIDE_BITS_BEFORE_GRANULES = 20  # main_data_begin (9), private bits (3), scfsi (8)
_GRANULE_BITS = 59
_LENGTH_BITS = 12
_SWITCHED_BIT = 33  # of a granule: window_switching_flag; block_type (2) and mixed_block_flag (1) follow
_MAGIC = b"LMGMP3C1"
_HEADER = struct.Struct("<8sIIIIII")  # magic, CRC-32 of all that follows it, index, kbps, first frame, frames, payload bytes


def frame_bytes(kbps: int, padded: int = 0) -> int:
    """Length of a frame at 44.1 kHz."""
    return 144_000 * kbps // SAMPLE_RATE_HZ + padded


def frames_of(samples: int) -> int:
    """Frames of a file, its header frame aside: enough for LAME's delay and a decoder's (1,105 samples), and one to spare."""
    return -(-samples // SAMPLES_PER_FRAME) + 2


@dataclass(frozen=True, slots=True)
class ChunkFrames:
    """Frames of one encoder, one after the other."""

    index: int
    """Which chunk of the file this is."""
    kbps: int
    first: int
    """Place of the first frame in the finished file, the header frame not counted."""
    heads: NDArray[np.uint8]
    """Header and side information, shape (frames, 36); main_data_begin is 0."""
    sizes: NDArray[np.int64]
    """Bytes of coded sound of each frame."""
    payload: bytes
    """The coded sound of all frames, end to end."""

    @property
    def end(self) -> int:
        """Place of the frame after the last."""
        return self.first + len(self.sizes)

    def capacities(self) -> NDArray[np.int64]:
        """Bytes for coded sound that each frame brings along."""
        padded = (self.heads[:, 2] >> 1 & 1).astype(np.int64)
        return frame_bytes(self.kbps) - HEAD_BYTES + padded

    def block_kinds(self) -> NDArray[np.uint8]:
        """What has to match the frame that follows, shape (frames, 2): the windows of the last granule in both channels."""
        bits = np.unpackbits(self.heads[:, 4:], axis=1)
        kinds = np.zeros((len(bits), 2), dtype=np.uint8)
        for channel in range(2):
            at = _SIDE_BITS_BEFORE_GRANULES + (2 + channel) * _GRANULE_BITS + _SWITCHED_BIT
            kinds[:, channel] = bits[:, at] * (8 + bits[:, at + 1] * 4 + bits[:, at + 2] * 2 + bits[:, at + 3])
        return kinds

    def to_bytes(self) -> bytes:
        """The chunk as it is kept on disk; the same frames give the same bytes."""
        body = self.heads.tobytes() + self.sizes.astype("<u2").tobytes() + self.payload
        rest = (self.index, self.kbps, self.first, len(self.sizes), len(self.payload))
        crc = zlib.crc32(body, zlib.crc32(struct.pack("<5I", *rest)))
        return _HEADER.pack(_MAGIC, crc, *rest) + body

    @staticmethod
    def from_bytes(data: bytes) -> ChunkFrames:
        """Raises EncodingError when a byte is wrong or missing."""
        damaged = EncodingError("A piece of the MP3 that was kept is damaged.", hint="It has to be encoded again.")
        if len(data) < _HEADER.size:
            raise damaged
        magic, crc, index, kbps, first, frames, payload_bytes = _HEADER.unpack_from(data)
        whole = len(data) == _HEADER.size + frames * (HEAD_BYTES + 2) + payload_bytes
        if magic != _MAGIC or not whole or zlib.crc32(memoryview(data)[len(_MAGIC) + 4 :]) != crc:
            raise damaged
        at = _HEADER.size
        heads = np.frombuffer(data, dtype=np.uint8, count=frames * HEAD_BYTES, offset=at).reshape(frames, HEAD_BYTES)
        at += frames * HEAD_BYTES
        sizes = np.frombuffer(data, dtype="<u2", count=frames, offset=at).astype(np.int64)
        return ChunkFrames(index, kbps, first, heads, sizes, data[at + 2 * frames :])


def taken_apart(stream: bytes, index: int, kbps: int, first: int, frames: int) -> ChunkFrames:
    """The first `frames` frames of an encoder's output (more may follow). Raises EncodingError when they are not all there."""
    starts = _frame_starts(stream, kbps, frames)
    heads = np.frombuffer(stream, dtype=np.uint8)[starts[:-1, None] + np.arange(HEAD_BYTES)].copy()
    sizes = _coded_bytes(heads)
    main = b"".join([stream[at + HEAD_BYTES : end] for at, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)])
    main_starts = starts[:-1] - starts[0] - HEAD_BYTES * np.arange(frames)
    begins = main_starts - (heads[:, 4].astype(np.int64) << 1 | heads[:, 5] >> 7)
    if frames and (begins[0] < 0 or (begins[1:] < (begins + sizes)[:-1]).any() or begins[-1] + sizes[-1] > len(main)):
        raise _unreadable()
    payload = b"".join([main[at : at + size] for at, size in zip(begins.tolist(), sizes.tolist(), strict=True)])
    heads[:, 4] = 0
    heads[:, 5] &= 0x7F
    return ChunkFrames(index, kbps, first, heads, sizes, payload)


def _frame_starts(stream: bytes, kbps: int, frames: int) -> NDArray[np.int64]:
    """Offsets of the frames and of what follows them."""
    wanted = (0xFF, 0xFB, BIT_RATES_KBPS.index(kbps) << 4)
    starts = [0]
    at = 0
    for _ in range(frames):
        if at + HEAD_BYTES > len(stream) or (stream[at], stream[at + 1], stream[at + 2] & 0xFC) != wanted:
            raise _unreadable()
        at += frame_bytes(kbps, stream[at + 2] >> 1 & 1)
        starts.append(at)
    if at > len(stream):
        raise _unreadable()
    return np.array(starts, dtype=np.int64)


def _coded_bytes(heads: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Bytes that the four granules of each frame take: part2_3_length is in bits."""
    bits = np.unpackbits(heads[:, 4:], axis=1)
    weights = 1 << np.arange(_LENGTH_BITS - 1, -1, -1, dtype=np.int64)
    total = np.zeros(len(heads), dtype=np.int64)
    for granule in range(4):
        at = _SIDE_BITS_BEFORE_GRANULES + granule * _GRANULE_BITS
        total += bits[:, at : at + _LENGTH_BITS] @ weights
    return -(-total // 8)


def _unreadable() -> EncodingError:
    return EncodingError("The MP3 encoder wrote something that is no whole frame.", hint="Try another format.")

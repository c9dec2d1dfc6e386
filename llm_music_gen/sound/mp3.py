"""MP3 files whose length is exact: LAME through lameenc, and the Info header that it leaves out, written by us.

The header tells players how many frames there are and how many samples of padding the encoder put in front and behind, so that
decoding gives back exactly the frames that went in ("Mp3 Info Tag rev 1" of the LAME project). The only module that imports
lameenc.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import EncodingError
from llm_music_gen.units import SAMPLE_RATE_HZ

SAMPLES_PER_FRAME = 1_152
#: Samples that LAME puts in front (its own delay; a decoder adds 529 more and takes both away).
ENCODER_DELAY = 576
_DECODER_DELAY = 529
_BITRATES_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
#: LAME turns its input down by these factors at these bit rates, to spare headroom that our master has already left.
_LAME_SCALE = {128: 0.95, 160: 0.95, 192: 0.97, 224: 0.98}
_INFO_OFFSET = 36  # header (4) and side information of an MPEG-1 stereo frame (32)
#: As the lame program does by default; 2 takes twice the time.
_QUALITY = 3


def encode_mp3(blocks: Iterable[NDArray[np.float32]], path: Path, kbps: int = 192) -> Iterator[int]:
    """Write an MP3 of constant bit rate. Yields the samples encoded so far. Raises EncodingError, OSError.

    `blocks`: float32, shape (n, 2), 44,100 Hz; values beyond 1 are clipped.
    """
    import lameenc

    encoder = lameenc.Encoder()
    encoder.set_bit_rate(kbps)
    encoder.set_in_sample_rate(SAMPLE_RATE_HZ)
    encoder.set_channels(2)
    encoder.set_quality(_QUALITY)
    encoder.silence()
    stream = _Stream()
    scale = np.float32(32767.0 / _LAME_SCALE.get(kbps, 1.0))
    samples = 0
    with path.open("w+b") as file:
        file.write(bytes(_frame_length(kbps)))  # the header's place
        for block in blocks:
            pcm = np.clip(np.round(block * scale), -32768, 32767).astype("<i2")
            stream.write(file.write, bytes(encoder.encode(pcm.tobytes())))
            samples += len(block)
            yield samples
        # A decoder needs its delay's worth of signal behind the last sample; silence makes LAME write those frames.
        stream.write(file.write, bytes(encoder.encode(bytes(4 * SAMPLES_PER_FRAME))))
        stream.write(file.write, bytes(encoder.flush()))
        frames = stream.frames()
        padding = frames * SAMPLES_PER_FRAME - ENCODER_DELAY - samples
        if not _DECODER_DELAY <= padding < 4096:
            raise EncodingError(f"The MP3 encoder wrote {frames} frames for {samples} samples.", hint="Try another format.")
        file.seek(_frame_length(kbps))
        music_crc = crc16(file.read())
        file.seek(0)
        file.write(_info_frame(kbps, frames, stream, padding, music_crc))


class _Stream:
    """What went into the file, counted for the header."""

    def __init__(self) -> None:
        self.size = 0
        self.first_header = b""
        self._frames = 0
        self._rest = b""

    def write(self, write: object, data: bytes) -> None:
        assert callable(write)
        if not self.first_header:
            self.first_header = data[:4]
        write(data)
        self.size += len(data)
        self._count(self._rest + data)

    def frames(self) -> int:
        """MP3 frames so far. Raises EncodingError when the stream does not consist of whole frames."""
        if self._rest:
            raise EncodingError("The MP3 encoder left half a frame.", hint="Try another format.")
        return self._frames

    def _count(self, data: bytes) -> None:
        at = 0
        while at + 4 <= len(data):
            if data[at] != 0xFF or data[at + 1] & 0xE0 != 0xE0:
                raise EncodingError("The MP3 encoder wrote something that is no frame.", hint="Try another format.")
            length = _frame_length(_BITRATES_KBPS[data[at + 2] >> 4]) + (data[at + 2] >> 1 & 1)
            if at + length > len(data):
                break
            at += length
            self._frames += 1
        self._rest = data[at:]


@dataclass(frozen=True, slots=True)
class _LameFields:
    encoder: bytes = b"LAME3.100"
    method_cbr: int = 1
    lowpass_hz: int = 18_600


def _frame_length(kbps: int) -> int:
    return 144_000 * kbps // SAMPLE_RATE_HZ


def _info_frame(kbps: int, frames: int, stream: _Stream, padding: int, music_crc: int) -> bytes:
    frame = bytearray(_frame_length(kbps))
    header = bytearray(stream.first_header)
    header[2] &= 0xFD  # no padding byte in this one
    frame[:4] = header
    fields = _LameFields()
    size = stream.size + len(frame)
    table = bytes(min(255, 256 * percent // 100) for percent in range(100))
    tag = b"Info" + struct.pack(">III", 0x0F, frames, size) + table + struct.pack(">I", 100 - 10 * _QUALITY)
    lame = (
        fields.encoder
        + bytes([fields.method_cbr, fields.lowpass_hz // 100])
        + bytes(8)  # replay gain: none
        + bytes([0, min(255, kbps)])
        + (ENCODER_DELAY << 12 | padding).to_bytes(3, "big")
        + bytes([0, 0])
        + bytes(2)
        + struct.pack(">I", size)
        + struct.pack(">H", music_crc)
    )
    frame[_INFO_OFFSET : _INFO_OFFSET + len(tag) + len(lame)] = tag + lame
    end = _INFO_OFFSET + len(tag) + len(lame)
    frame[end : end + 2] = struct.pack(">H", crc16(bytes(frame[:end])))
    return bytes(frame)


def crc16(data: bytes) -> int:
    """CRC-16/ARC (bit-reflected 0x8005), as the LAME tag wants it; binascii only offers the other 16-bit polynomial.

    The bytes are cut into lanes whose sums are worked out side by side and then joined, which a CRC allows because it is linear.
    """
    lanes = 1 if len(data) < 4096 else 1024
    length = -(-len(data) // lanes)
    padded = np.frombuffer(bytes(lanes * length - len(data)) + data, dtype=np.uint8).reshape(lanes, length)
    sums = np.zeros(lanes, dtype=np.uint16)
    for column in padded.T:
        sums = sums >> 8 ^ _CRC_TABLE[(sums ^ column) & 0xFF]
    bits = np.array([1 << bit for bit in range(16)], dtype=np.uint16)
    for _ in range(length):
        bits = bits >> 8 ^ _CRC_TABLE[bits & 0xFF]
    moved = bits.tolist()
    total = 0
    for lane in sums.tolist():
        carried = 0
        for bit in range(16):
            if total >> bit & 1:
                carried ^= moved[bit]
        total = carried ^ lane
    return total


def _crc_table() -> NDArray[np.uint16]:
    out = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        out.append(crc)
    return np.array(out, dtype=np.uint16)


_CRC_TABLE = _crc_table()

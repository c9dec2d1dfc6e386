"""The Info header of an MP3 file: how many frames there are, and how much of them is not music.

It tells players how many samples the encoder put in front and behind, so that decoding gives back exactly what went in ("Mp3 Info
Tag rev 1" of the LAME project).
"""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.sound.mp3_frames import BIT_RATES_KBPS, HEAD_BYTES, SAMPLES_PER_FRAME, frame_bytes

#: Samples that LAME puts in front (its own delay; a decoder adds 529 more and takes both away).
ENCODER_DELAY = 576
#: Where LAME cuts off the highest sounds, by bit rate; 20.5 kHz above.
_LOWPASS_HZ = {64: 11_000, 80: 13_500, 96: 15_100, 112: 15_600, 128: 17_000, 160: 17_500, 192: 18_600, 224: 19_400, 256: 19_700}
_ENCODER = b"LAME3.100"
_CONSTANT_BIT_RATE = 1
_CRC_ORDER = 32_767
_CRC_LANES = 256


def info_frame(kbps: int, frames: int, samples: int, music_bytes: int, music_crc: int, quality: int) -> bytes:
    """The frame that comes first. `frames` and `music_bytes` count what follows it, `music_crc` is the CRC-16 of that."""
    frame = bytearray(frame_bytes(kbps))
    frame[:4] = bytes((0xFF, 0xFB, BIT_RATES_KBPS.index(kbps) << 4, 0x64))
    size = music_bytes + len(frame)
    padding = frames * SAMPLES_PER_FRAME - ENCODER_DELAY - samples
    table = bytes(min(255, 256 * percent // 100) for percent in range(100))
    tag = b"Info" + struct.pack(">III", 0x0F, frames, size) + table + struct.pack(">I", 100 - 10 * quality)
    lame = (
        _ENCODER
        + bytes([_CONSTANT_BIT_RATE, _LOWPASS_HZ.get(kbps, 20_500) // 100])
        + bytes(8)  # replay gain: none
        + bytes([0, min(255, kbps)])
        + (ENCODER_DELAY << 12 | padding).to_bytes(3, "big")
        + bytes([0, 0])
        + bytes(2)
        + struct.pack(">I", size)
        + struct.pack(">H", music_crc)
    )
    end = HEAD_BYTES + len(tag) + len(lame)
    frame[HEAD_BYTES:end] = tag + lame
    frame[end : end + 2] = struct.pack(">H", crc16(bytes(frame[:end])))
    return bytes(frame)


def crc16(data: bytes, before: int = 0) -> int:
    """CRC-16/ARC (bit-reflected 0x8005), as the LAME tag wants it; binascii only offers the other 16-bit polynomial.

    `before` is the CRC of what came before `data`. Modulo this polynomial x^32767 is 1, so blocks of that many bytes can be
    added up (exclusive or) and their sum taken in place of them all; it is cut into lanes whose CRCs are worked out side by side.
    """
    padded = np.frombuffer(bytes(-len(data) % _CRC_ORDER) + data, dtype=np.uint8).reshape(-1, _CRC_ORDER)
    folded = np.append(np.zeros(1, dtype=np.uint8), np.bitwise_xor.reduce(padded, axis=0))  # 32,768 bytes
    sums = np.zeros(_CRC_LANES, dtype=np.uint16)
    for column in folded.reshape(_CRC_LANES, -1).T:
        sums = sums >> 8 ^ _CRC_TABLE[(sums ^ column) & 0xFF]
    length = len(folded) // _CRC_LANES
    while len(sums) > 1:
        sums = _after(sums[::2], _past(length)) ^ sums[1::2]
        length *= 2
    return int(sums[0]) ^ int(_after(np.array([before], dtype=np.uint16), _past(len(data) % _CRC_ORDER))[0])


@lru_cache(maxsize=64)
def _past(length: int) -> NDArray[np.uint16]:
    """What becomes of each bit of a CRC when `length` zero bytes follow: shape (16,)."""
    bits = np.array([1 << bit for bit in range(16)], dtype=np.uint16)
    step = bits >> 8 ^ _CRC_TABLE[bits & 0xFF]
    while length:
        if length & 1:
            bits = _after(bits, step)
        step = _after(step, step)
        length >>= 1
    return bits


def _after(sums: NDArray[np.uint16], moved: NDArray[np.uint16]) -> NDArray[np.uint16]:
    out = np.zeros_like(sums)
    for bit in range(16):
        out ^= np.where(sums >> bit & 1, moved[bit], 0).astype(np.uint16)
    return out


def _crc_table() -> NDArray[np.uint16]:
    crc = np.arange(256, dtype=np.uint16)
    for _ in range(8):
        crc = np.where(crc & 1, crc >> 1 ^ 0xA001, crc >> 1).astype(np.uint16)
    return crc


_CRC_TABLE = _crc_table()

"""A second reader of MP3 frames, written frame by frame from the standard: what the packed files are held against."""

from __future__ import annotations

from dataclasses import dataclass

_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)


@dataclass(frozen=True)
class Frame:
    place: int
    kbps: int
    main_data_begin: int
    main: bytes


def frames_in(data: bytes) -> list[Frame]:
    """All frames of a file of MPEG-1 layer III at 44.1 kHz in two channels; a file with anything else in it fails."""
    out = []
    at = 0
    while at < len(data):
        word = int.from_bytes(data[at : at + 4], "big")
        assert word >> 16 == 0xFFFB and word >> 10 & 3 == 0
        kbps = _KBPS[word >> 12 & 15]
        length = 144_000 * kbps // 44_100 + (word >> 9 & 1)
        assert at + length <= len(data)
        begin = int.from_bytes(data[at + 4 : at + 6], "big") >> 7
        out.append(Frame(at, kbps, begin, data[at + 36 : at + length]))
        at += length
    return out


def coded_sound(frames: list[Frame], sizes: list[int]) -> list[bytes]:
    """The coded sound of each frame, found by its main_data_begin as a decoder does."""
    out = []
    main = b""
    for frame, size in zip(frames, sizes, strict=True):
        assert frame.main_data_begin <= len(main)
        start = len(main) - frame.main_data_begin
        main += frame.main
        assert start + size <= len(main), "a decoder would run out of bits"
        out.append(main[start : start + size])
    return out

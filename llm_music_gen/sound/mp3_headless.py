"""MP3 files that do not say how long they are: every frame is counted, and the header they lack is put in front while reading.

Decoders guess the length of such files from their first frame, and libsndfile then stops there: of a song with a changing bit
rate more than half can be missing. Frame layout after ISO/IEC 11172-3, 2.4.1.3; the header is Xing's.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBPS_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_PIECE_BYTES = 1 << 20
#: How far the first frame is looked for behind the tags.
_MOST_JUNK_BYTES = 1 << 16
#: Bit rate whose frame has room for a Xing header at any rate: 128 kbit/s in MPEG 1, 64 in MPEG 2.
_ROOMY = {3: 9, 2: 8, 0: 8}


@dataclass(frozen=True, slots=True)
class _Frame:
    size: int
    mark: int
    """What is the same in every frame: version, layer, sample rate."""
    header: int


class Headed(io.RawIOBase):
    """The audio of a file with a header in front of it."""

    def __init__(self, path: Path, start: int, header: bytes) -> None:
        self._file = path.open("rb")
        self._start, self._header = start, header
        self._size = len(header) + self._file.seek(0, os.SEEK_END) - start
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at < len(self._header):
            part = self._header[self._at : self._at + len(buffer)]
            buffer[: len(part)] = part
            self._at += len(part)
            return len(part)
        self._file.seek(self._start + self._at - len(self._header))
        count = self._file.readinto(buffer)
        self._at += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._file.close()
        super().close()


def with_header(path: Path) -> Callable[[], Headed] | None:
    """Opens the file as a decoder should see it; None when it has a header of its own or cannot be followed to its end."""
    with path.open("rb") as file:
        start = _after_tags(file)
        file.seek(start)
        junk = file.read(_MOST_JUNK_BYTES)
        offset = next((at for at in range(len(junk) - 4) if junk[at] == 0xFF and _follows(junk, at)), None)
        if offset is None:
            return None
        first = _frame(int.from_bytes(junk[offset : offset + 4], "big"))
        assert first is not None
        if any(name in junk[offset : offset + first.size] for name in (b"Xing", b"Info", b"VBRI")):
            return None
        count, end = _counted(file, start + offset, first.mark)
        if file.seek(0, os.SEEK_END) - end > _MOST_JUNK_BYTES:
            return None
    return partial(Headed, path, start + offset, _xing(first, count))


def _follows(piece: bytes, at: int) -> bool:
    """Whether a frame begins here: it is followed by another of its kind, or by the end of the file."""
    frame = _frame(int.from_bytes(piece[at : at + 4], "big"))
    if frame is None:
        return False
    after = at + frame.size
    if after + 4 > len(piece):
        return after == len(piece)
    second = _frame(int.from_bytes(piece[after : after + 4], "big"))
    return second is not None and second.mark == frame.mark


def _counted(file: io.BufferedReader, start: int, mark: int) -> tuple[int, int]:
    """Frames from an offset on, and where no frame follows any more."""
    frames, at, base, piece = 0, start, start, b""
    while True:
        if at + 4 > base + len(piece):
            file.seek(at)
            base, piece = at, file.read(_PIECE_BYTES)
            if len(piece) < 4:
                return frames, at
        frame = _frame(int.from_bytes(piece[at - base : at - base + 4], "big"))
        if frame is None or frame.mark != mark:
            return frames, at
        frames += 1
        at += frame.size


def _frame(word: int) -> _Frame | None:
    version, layer = word >> 19 & 3, word >> 17 & 3
    bit_rate, rate = word >> 12 & 15, word >> 10 & 3
    if word >> 21 != 0x7FF or version == 1 or layer != 1 or bit_rate in (0, 15) or rate == 3:
        return None
    kbps = (_KBPS_V1 if version == 3 else _KBPS_V2)[bit_rate]
    samples = 1152 if version == 3 else 576
    size = samples // 8 * kbps * 1000 // _RATES_HZ[version][rate] + (word >> 9 & 1)
    return _Frame(size, word & 0xFFFE0C00, word)


def _xing(first: _Frame, count: int) -> bytes:
    version = first.header >> 19 & 3
    # Its bit rate, no padding, no checksum.
    word = first.header & ~(0xF << 12) & ~(1 << 9) | _ROOMY[version] << 12 | 1 << 16
    frame = _frame(word)
    assert frame is not None
    mono = word >> 6 & 3 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    body = bytes(side) + b"Xing" + struct.pack(">II", 1, count)
    return (word.to_bytes(4, "big") + body).ljust(frame.size, b"\0")


def _after_tags(file: io.BufferedReader) -> int:
    """Behind an ID3 tag, if there is one."""
    head = file.read(10)
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if head[5] & 0x10 else 0)

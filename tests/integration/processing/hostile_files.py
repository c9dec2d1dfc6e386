"""Files that lie, break off or are no sound at all, and names that programs read as something else."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from tests.unit.processing.sounds import Samples, noise, sine

RATE_HZ = 44_100
FIVE_GIGABYTES = 5 * 10**9
#: A JPEG's first and last bytes: what a cover without any sound is to a decoder.
_COVER = b"\xff\xd8\xff\xe0" + bytes(5_000) + b"\xff\xd9"


def _tone() -> Samples:
    return sine(440.0, 0.6, -20.0) + noise(0.6, -60.0)


def _plain(path: Path) -> None:
    soundfile.write(path, _tone(), RATE_HZ, format="WAV")


def _header_claims(path: Path, data_bytes: int, riff_bytes: int | None = None) -> None:
    """Write other sizes into a WAV header."""
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", data_bytes)
    if riff_bytes is not None:
        data[4:8] = struct.pack("<I", riff_bytes)
    path.write_bytes(data)


def _no_frames(path: Path) -> None:
    soundfile.write(path, np.zeros((0, 2)), RATE_HZ, format="WAV")


def _odd_chunks(path: Path) -> None:
    """Unknown chunks of odd length, with and without their padding byte, before and after the sound."""
    _plain(path)
    data = path.read_bytes()
    odd = b"odd1" + struct.pack("<I", 3) + b"abc\0"
    unpadded = b"LIST" + struct.pack("<I", 7) + b"INFOabc"
    path.write_bytes(data[:12] + odd + data[12:] + unpadded + b"junk")


def _chunk_without_end(path: Path) -> None:
    _plain(path)
    data = path.read_bytes()
    path.write_bytes(data[:12] + b"odd\0" + struct.pack("<I", 0xFFFFFFFF) + data[12:])


def _no_numbers(path: Path) -> None:
    wave = _tone()
    wave[100:200], wave[300, 0], wave[400, 1] = np.nan, np.inf, -1e30
    soundfile.write(path, wave, RATE_HZ, format="WAV", subtype="FLOAT")


def _nothing_but_nan(path: Path) -> None:
    soundfile.write(path, np.full((RATE_HZ, 2), np.nan), RATE_HZ, format="WAV", subtype="DOUBLE")


def _text(path: Path) -> None:
    path.write_text("It was a dark and stormy night.\n" * 400, encoding="utf-8")


def _truncated_mp3(path: Path) -> None:
    soundfile.write(path, np.concatenate([_tone()] * 4), RATE_HZ, format="MP3")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3 + 7])


def _cover_only_mp3(path: Path) -> None:
    picture = b"\0image/jpeg\0\x03\0" + _COVER
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\0\0" + picture
    size = len(frame)
    syncsafe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\0\0" + syncsafe + frame)


def _five_gigabytes(claimed_bytes: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        _plain(path)
        _header_claims(path, claimed_bytes, 36 + claimed_bytes & 0xFFFFFFFF)
        os.truncate(path, FIVE_GIGABYTES)  # a hole: no disk is used

    return make


def _five_gigabytes_of_another_kind(path: Path) -> None:
    path.write_bytes(b"RIFF" + struct.pack("<I", 2_000_000_000) + b"WAVEfmt " + struct.pack("<I", 0xFFFFFF00))
    os.truncate(path, FIVE_GIGABYTES)


def _sizes_unknown(path: Path) -> None:
    _plain(path)
    _header_claims(path, 0xFFFFFFFF, 0xFFFFFFFF)


def _rf64(path: Path) -> None:
    soundfile.write(path, _tone(), RATE_HZ, format="RF64", subtype="PCM_24")


def _rf64_that_lies(path: Path) -> None:
    _rf64(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"ds64")
    data[at + 16 : at + 24] = struct.pack("<Q", 2**62)
    path.write_bytes(data)


def _extensible(path: Path) -> None:
    soundfile.write(path, _tone(), RATE_HZ, format="WAVEX", subtype="PCM_24")


def _dangling(path: Path) -> None:
    path.symlink_to(path.with_name("gone.wav"))


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _rated(rate_hz: int, channels: int) -> Callable[[Path], None]:
    # Half a second, or what one hertz makes of it.
    frames = max(rate_hz // 2, 100)
    return lambda path: soundfile.write(path, noise(1.0, -20.0, frames, channels), rate_hz, format="WAV")


LINE_BREAK, ESCAPES = "line\nbreak.wav", "\x1b[31mred\x07.wav"
#: Name -> what makes a file that is no sound, or is none any more.
BROKEN: dict[str, Callable[[Path], None]] = {
    "no frames.wav": _no_frames,
    "nothing.wav": Path.touch,
    "chunk without end.wav": _chunk_without_end,
    "one hertz.wav": _rated(1, 2),
    "text.wav": _text,
    "text.mp3": _text,
    "text.m4a": _text,
    "text.flac": _text,
    "cover only.mp3": _cover_only_mp3,
    "directory.wav": Path.mkdir,
    "dangling.wav": _dangling,
    "loop.wav": _loop,
    "five gigabytes of nothing.wav": _five_gigabytes_of_another_kind,
}
#: Name -> what makes a file that holds sound all the same.
ODD: dict[str, Callable[[Path], None]] = {
    "odd chunks.wav": _odd_chunks,
    "nan.wav": _no_numbers,
    "nothing but nan.wav": _nothing_but_nan,
    "fast.wav": _rated(768_000, 1),
    "many.wav": _rated(48_000, 32),
    "truncated.mp3": _truncated_mp3,
    "five gigabytes.wav": _five_gigabytes(4 * 2 * RATE_HZ // 4),
    "sizes unknown.wav": _sizes_unknown,
    "big.rf64": _rf64,
    "rf64.wav": _rf64,
    "rf64 that lies.wav": _rf64_that_lies,
    "extensible.wav": _extensible,
    "it's a 'quote'.wav": _plain,
    'a "double" quote.wav': _plain,
    LINE_BREAK: _plain,
    "-dash.wav": _plain,
    "file:song.wav": _plain,
    "concat:a|b.wav": _plain,
    "percent %d %s {0}.wav": _plain,
    ESCAPES: _plain,
}

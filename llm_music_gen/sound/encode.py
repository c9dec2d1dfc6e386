"""Finished audio files: WAV (RF64 beyond 4 GB), FLAC, MP3, Opus. A file stands under its name only when it is whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from llm_music_gen import disk
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import EncodingError
from llm_music_gen.sound.ahead import ahead
from llm_music_gen.sound.mp3 import encode_mp3
from llm_music_gen.units import SAMPLE_RATE_HZ

LOSSY = frozenset(("mp3", "opus"))
NAMES = {"wav": "WAV", "flac": "FLAC", "mp3": "Mp3", "opus": "Opus"}
_OPUS_RATE_HZ = 48_000
#: A WAV header counts bytes in 32 bits; well before that the 64-bit form is taken.
LARGEST_WAV_BYTES = 4_000_000_000
WAV_FRAME_BYTES = 6


def encode(blocks: Iterable[NDArray[np.float32]], frames: int, path: Path, audio_format: str, kbps: int = 192) -> Work[Path]:
    """Write one audio file of exactly `frames` frames. Yields progress of the stage "convert".

    Raises EncodingError, or StorageError when the disk is full or the folder cannot be written; nothing half-written stays.
    """
    part = path.with_name(path.name + ".part")
    try:
        writer = _mp3 if audio_format == "mp3" else _soundfile
        with closing(ahead(blocks)) as ready:
            for done in writer(ready, frames, part, audio_format, kbps):
                yield Progress("convert", min(1.0, done / max(1, frames)), f"Converting to {NAMES[audio_format]}")
        disk.replace(part, path)
    except OSError as error:
        raise disk.storage_error(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path


class _Sink:
    """A file for libsndfile, which goes on after a write that failed; what failed is remembered."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data) if self.error is None else 0
        except OSError as error:
            self.error = error
            return 0

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:  # what was still to be written is written first
            self.error = error
            return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()


def _mp3(blocks: Iterable[NDArray[np.float32]], frames: int, path: Path, audio_format: str, kbps: int) -> Iterator[int]:
    return encode_mp3(blocks, path, kbps)


def _soundfile(blocks: Iterable[NDArray[np.float32]], frames: int, path: Path, audio_format: str, kbps: int) -> Iterator[int]:
    import soundfile

    container, subtype, rate_hz = {
        "wav": ("RF64" if frames * WAV_FRAME_BYTES > LARGEST_WAV_BYTES else "WAV", "PCM_24", SAMPLE_RATE_HZ),
        "flac": ("FLAC", "PCM_24", SAMPLE_RATE_HZ),
        "opus": ("OGG", "OPUS", _OPUS_RATE_HZ),
    }[audio_format]
    if rate_hz != SAMPLE_RATE_HZ:
        blocks = _resampled(blocks, frames)
    done = 0
    with path.open("w+b") as target:
        sink = _Sink(target)
        try:
            with soundfile.SoundFile(sink, "w", rate_hz, 2, subtype, format=container) as file:
                for block in blocks:
                    file.write(block)
                    if sink.error is not None:
                        raise sink.error
                    done += len(block) * SAMPLE_RATE_HZ // rate_hz
                    yield done
        except (soundfile.SoundFileError, AssertionError) as error:  # the latter for a block that was written in part
            if sink.error is None:
                raise EncodingError(f"{path.name} cannot be written ({error}).", hint="Try another format.") from error
        if sink.error is not None:
            raise sink.error
        disk.sync(target)


def _resampled(blocks: Iterable[NDArray[np.float32]], frames: int) -> Iterator[NDArray[np.float32]]:
    """44.1 to 48 kHz in pieces, each resampled with its neighbours' edges so that the joints are exact (ratio 160 to 147)."""
    from scipy.signal import resample_poly

    margin, piece = 147 * 20, 147 * 2_000
    waiting = np.zeros((0, 2), dtype=np.float32)
    left_margin = 0
    wanted = -(-frames * 160 // 147)
    written = 0
    for block in blocks:
        waiting = np.concatenate((waiting, block))
        while len(waiting) >= left_margin + piece + margin:
            part = resample_poly(waiting[: left_margin + piece + margin], 160, 147, axis=0).astype(np.float32)
            out = part[left_margin * 160 // 147 : (left_margin + piece) * 160 // 147]
            written += len(out)
            yield out
            waiting = waiting[left_margin + piece - margin :]
            left_margin = margin
    if len(waiting) > left_margin:
        rest = resample_poly(waiting, 160, 147, axis=0).astype(np.float32)[left_margin * 160 // 147 :]
        yield rest[: wanted - written]

"""From segments to the finished file: one constant gain, then encoding, on all cores where the format can be cut."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from pathlib import Path

import numpy as np

from llm_music_gen import disk
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import EncodingError
from llm_music_gen.sound.encode import encode
from llm_music_gen.sound.long.render import crashed_again, worker_pool
from llm_music_gen.sound.long.store import FinishedSegments
from llm_music_gen.sound.mp3 import chunk_count, chunk_is_whole, chunk_range, encode_chunk, join_chunks, to_pcm
from llm_music_gen.units import db_to_gain

#: Quality of LAME for hours. On held sounds 7 is as good as 3 by noise-to-mask ratio (within 0.6 dB) at twice the speed; on
#: drums it is not, so bands get 5.
CALM_QUALITY, BAND_QUALITY = 7, 5
_JOIN_SHARE = 0.05


def encode_track(
    segments: FinishedSegments,
    gain_db: float,
    path: Path,
    audio_format: str,
    kbps: int,
    quality: int,
    scratch: Path,
    workers: int,
) -> Work[None]:
    """Write the finished file at `path`. Yields the stage "convert".

    MP3 is encoded in chunks that stay in `scratch` until the file is whole, so encoding goes on where it was interrupted.
    Raises SegmentDamaged, EncodingError, StorageError.
    """
    if audio_format == "mp3":
        yield from _mp3(segments, gain_db, path, kbps, quality, scratch, workers)
    else:
        yield from encode(segments.blocks(db_to_gain(gain_db)), segments.frames, path, audio_format, kbps)


def _mp3(
    segments: FinishedSegments, gain_db: float, path: Path, kbps: int, quality: int, scratch: Path, workers: int
) -> Work[None]:
    count = chunk_count(segments.frames)
    files = [scratch / f"chunk-{kbps}-{index:05d}.part" for index in range(count)]
    missing = [index for index, file in enumerate(files) if not (file.is_file() and chunk_is_whole(file, index, kbps))]
    done = count - len(missing)
    yield Progress("convert", (1.0 - _JOIN_SHARE) * done / count, f"{done} of {count} pieces")
    for _ in _encoded(segments, gain_db, files, missing, kbps, quality, workers):
        done += 1
        yield Progress("convert", (1.0 - _JOIN_SHARE) * done / count, f"{done} of {count} pieces")
    try:
        part = disk.part_of(path)
        try:
            for samples in join_chunks(files, segments.frames, part, kbps, quality):
                yield Progress("convert", 1.0 - _JOIN_SHARE * (1.0 - samples / segments.frames), "Joining")
            disk.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except EncodingError as error:
        # A chunk that was damaged since it was written: all are made again the next time.
        for file in files:
            file.unlink(missing_ok=True)
        raise EncodingError(
            f"{error.message} The encoded pieces were thrown away.", hint='Go on with "llm-music-gen resume".'
        ) from error
    except OSError as error:
        raise disk.storage_error(path, error) from error


def _encoded(
    segments: FinishedSegments, gain_db: float, files: list[Path], missing: list[int], kbps: int, quality: int, workers: int
) -> Iterator[None]:
    """Write the chunks that are missing; yields once for each."""
    if workers <= 0 or len(missing) <= 1:
        for index in missing:
            _write_chunk(segments, index, gain_db, kbps, quality, files[index])
            yield
        return
    left = list(missing)
    crashes = 0
    while left:
        try:
            with worker_pool(workers) as pool:
                waiting = {
                    index: pool.submit(_write_chunk, segments, index, gain_db, kbps, quality, files[index]) for index in left
                }
                for index, future in waiting.items():
                    future.result()
                    left.remove(index)
                    yield
        except BrokenExecutor as error:
            crashes = crashed_again(crashes, "encodes", error)


def _write_chunk(segments: FinishedSegments, index: int, gain_db: float, kbps: int, quality: int, path: Path) -> None:
    """Encode one chunk into its file, complete or not at all. A pure function of its arguments."""
    first, stop = chunk_range(index, segments.frames)
    gain = db_to_gain(gain_db)
    pcm = np.concatenate([to_pcm(piece, kbps) for piece in segments.pieces(first, stop, gain)])
    data = encode_chunk(index, pcm, segments.frames, kbps, quality)
    try:
        disk.write_whole(path, data)
    except OSError as error:
        raise disk.storage_error(path, error, needed_bytes=len(data)) from error

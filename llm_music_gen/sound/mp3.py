"""MP3 files whose length is exact, encoded in pieces: on all cores, and from any piece on.

A file is always cut into chunks of the same number of frames, and each is encoded by an encoder of its own that hears some of the
music before and after; so a chunk depends on nothing but its samples. `mp3_join` makes one stream of them. The only module that
imports lameenc.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import EncodingError
from llm_music_gen.sound import mp3_join
from llm_music_gen.sound.mp3_frames import BIT_RATES_KBPS, PADDING_PERIOD, SAMPLES_PER_FRAME, ChunkFrames, frames_of, taken_apart
from llm_music_gen.units import SAMPLE_RATE_HZ

#: Two minutes; a multiple of the padding's period, so that every encoder pads the frames that one encoder would.
CHUNK_FRAMES = 94 * PADDING_PERIOD
#: Frames that an encoder hears before its chunk: 1.3 s.
RUN_IN_FRAMES = PADDING_PERIOD
#: Frames that it writes beyond its chunk, for the join.
RUN_OUT_FRAMES = 60
#: Frames that LAME takes in before it lets go of one.
_LOOKAHEAD_FRAMES = 16
#: The last chunk takes up to this many frames more than the others rather than leave them to a chunk of their own.
_MOST_LEFT_FRAMES = 2 * PADDING_PERIOD
#: LAME turns its input down by these factors at these bit rates (0.95 at lower ones), to spare headroom that our master has left.
_LAME_SCALE = {192: 0.97, 224: 0.98, 256: 1.0, 320: 1.0}
_LOWEST_KBPS = 64
#: As the lame program does by default; 2 takes twice the time.
QUALITY = 3
_FED_FRAMES = 96
_POLL_S = 0.2
_PIECE = 1 << 16


def encode_mp3(
    blocks: Iterable[NDArray[np.float32]], path: Path, kbps: int = 192, *, quality: int = QUALITY, workers: int | None = None
) -> Iterator[int]:
    """Write an MP3 of constant bit rate. Yields the samples encoded so far. Raises EncodingError, OSError.

    `blocks`: float32, shape (n, 2), 44,100 Hz; values beyond 1 are clipped. `workers`: chunks that are encoded at a time (as
    many as there are cores, at most 4); the bytes do not depend on it. Each takes 22 MB of memory.
    """
    workers = workers or min(4, os.cpu_count() or 1)
    work = _Chunks(kbps, quality)
    with path.open("wb") as file, ThreadPoolExecutor(workers, "mp3") as pool:
        joiner = mp3_join.Joiner(file, kbps, CHUNK_FRAMES)
        running: deque[Future[ChunkFrames]] = deque()
        try:
            for block in blocks:
                for at in range(0, len(block), _PIECE):
                    work.take(to_pcm(block[at : at + _PIECE], kbps))
                    if work.chunk_is_ready():
                        running.append(pool.submit(work.encode, *work.next_chunk()))
                    while len(running) > workers:
                        yield from work.waited_for(running[0])
                        joiner.push(running.popleft().result())
                yield work.encoded
            running.append(pool.submit(work.encode, *work.last_chunk()))
            while running:
                yield from work.waited_for(running[0])
                joiner.push(running.popleft().result())
            joiner.finish(work.samples, quality)
            yield work.samples
        finally:
            work.stopped.set()
            pool.shutdown(cancel_futures=True)


def chunk_count(total_frames: int) -> int:
    """Chunks of a file of that many samples per channel."""
    return max(1, -(-(frames_of(total_frames) - _MOST_LEFT_FRAMES) // CHUNK_FRAMES))


def chunk_range(index: int, total_frames: int) -> tuple[int, int]:
    """(first, end) of the samples per channel, end excluded, that chunk `index` is made from: its own and those around it."""
    first = max(0, index * CHUNK_FRAMES - RUN_IN_FRAMES) * SAMPLES_PER_FRAME
    if index == chunk_count(total_frames) - 1:
        return first, total_frames
    end = ((index + 1) * CHUNK_FRAMES + RUN_OUT_FRAMES + _LOOKAHEAD_FRAMES) * SAMPLES_PER_FRAME
    return first, min(total_frames, end)


def to_pcm(block: NDArray[np.float32], kbps: int) -> NDArray[np.int16]:
    """Samples as `encode_chunk` wants them: 16 bits, raised by what LAME lowers them."""
    scale = np.float32(32767.0 / _LAME_SCALE.get(kbps, 0.95))
    pcm = np.empty(block.shape, dtype=np.int16)
    for at in range(0, len(block), _PIECE):
        pcm[at : at + _PIECE] = np.clip(np.round(block[at : at + _PIECE] * scale), -32768, 32767)
    return pcm


def encode_chunk(index: int, pcm: NDArray[np.int16], total_frames: int, kbps: int, quality: int = QUALITY) -> bytes:
    """Chunk `index` of a file of `total_frames` samples per channel, as bytes to be kept until `join_chunks`.

    `pcm`: the samples of `chunk_range(index, total_frames)`, shape (n, 2), from `to_pcm`. The bytes depend on the arguments
    alone and carry a checksum. Raises EncodingError.
    """
    return _encoded(index, pcm, total_frames, kbps, quality).to_bytes()


def chunk_is_whole(chunk: bytes | Path, index: int, kbps: int) -> bool:
    """Whether a kept chunk is the one it should be, with every byte as `encode_chunk` returned it. Raises OSError."""
    try:
        found = ChunkFrames.from_bytes(chunk if isinstance(chunk, bytes) else chunk.read_bytes())
    except EncodingError:
        return False
    return (found.index, found.kbps) == (index, kbps)


def join_chunks(
    chunks: Iterable[bytes | Path], total_frames: int, path: Path, kbps: int, quality: int = QUALITY
) -> Iterator[int]:
    """Write the MP3 at `path` from all its chunks, in order. Yields the samples (per channel) written so far.

    `chunks`: what `encode_chunk` returned, or files that hold it. Two of them are in memory at a time. Raises EncodingError when
    one is damaged, missing or of another file, and OSError.
    """
    return mp3_join.join_chunks(chunks, total_frames, path, kbps, quality, CHUNK_FRAMES)


class _Chunks:
    """Cuts samples that come in blocks into the samples of chunks, and counts what has been encoded."""

    def __init__(self, kbps: int, quality: int) -> None:
        self._kbps = kbps
        self._quality = quality
        self._index = 0
        self._first = 0
        self._held = self._room()
        self._lock = threading.Lock()
        self._fed = 0
        self.samples = 0
        self.stopped = threading.Event()

    @property
    def encoded(self) -> int:
        """Samples that have gone through an encoder; those that two chunks share count twice, so this is a little ahead."""
        return min(self.samples, self._fed)

    def take(self, pcm: NDArray[np.int16]) -> None:
        """At most `_PIECE` samples; a chunk that is ready then has to be fetched before the next."""
        at = self.samples - self._first
        self._held[at : at + len(pcm)] = pcm
        self.samples += len(pcm)

    def chunk_is_ready(self) -> bool:
        """Whether all samples of a chunk are there that is certainly not the last one."""
        return self._index < chunk_count(self.samples) - 1

    def next_chunk(self) -> tuple[int, NDArray[np.int16], int]:
        """What `encode` takes. Samples that the chunk after it needs too are kept."""
        chunk = self.last_chunk()
        following, _ = chunk_range(self._index + 1, self.samples)
        kept = self._held[following - self._first : self.samples - self._first]
        self._held = self._room()
        self._held[: len(kept)] = kept
        self._first = following
        self._index += 1
        return chunk

    def last_chunk(self) -> tuple[int, NDArray[np.int16], int]:
        """What `encode` takes when no more samples come."""
        first, end = chunk_range(self._index, self.samples)
        return self._index, self._held[: end - first], self.samples

    def encode(self, index: int, pcm: NDArray[np.int16], total_frames: int) -> ChunkFrames:
        return _encoded(index, pcm, total_frames, self._kbps, self._quality, self._feed)

    def waited_for(self, future: Future[ChunkFrames]) -> Iterator[int]:
        while not future.done():
            wait((future,), _POLL_S)
            yield self.encoded

    def _feed(self, samples: int) -> None:
        """Called by the encoders' threads, which end when nobody waits for the file any more."""
        with self._lock:
            self._fed += samples
        if self.stopped.is_set():
            raise EncodingError("The MP3 is not wanted any more.")

    @staticmethod
    def _room() -> NDArray[np.int16]:
        frames = RUN_IN_FRAMES + CHUNK_FRAMES + _MOST_LEFT_FRAMES
        return np.empty((frames * SAMPLES_PER_FRAME + _PIECE, 2), dtype=np.int16)


def _encoded(
    index: int,
    pcm: NDArray[np.int16],
    total_frames: int,
    kbps: int,
    quality: int,
    fed: Callable[[int], None] = lambda samples: None,
) -> ChunkFrames:
    """Frames of one chunk, with those around it. `fed` is told the samples that the encoder has taken in since."""
    first, end = chunk_range(index, total_frames)
    if pcm.shape != (end - first, 2) or pcm.dtype != np.int16:
        raise EncodingError(
            f"Piece {index} of the MP3 needs the samples {first} to {end}.", hint="This is a defect: please report it."
        )
    last = frames_of(total_frames)
    if index < chunk_count(total_frames) - 1:
        last = min(last, (index + 1) * CHUNK_FRAMES + RUN_OUT_FRAMES)
    frames = last - first // SAMPLES_PER_FRAME
    encoder = _encoder(kbps, quality)
    stream = bytearray()
    step = _FED_FRAMES * SAMPLES_PER_FRAME
    for at in range(0, (frames + _LOOKAHEAD_FRAMES) * SAMPLES_PER_FRAME, step):
        piece = pcm[at : at + step].astype("<i2", copy=False).tobytes()
        # Behind the end of the music there is silence, which makes LAME write the frames that a decoder's delay needs.
        stream += encoder.encode(piece.ljust(4 * step, b"\0"))
        fed(len(piece) // 4)
    return taken_apart(bytes(stream), index, kbps, first // SAMPLES_PER_FRAME, frames)


def _encoder(kbps: int, quality: int):  # type: ignore[no-untyped-def]  # lameenc has no types
    import lameenc

    if kbps not in BIT_RATES_KBPS or kbps < _LOWEST_KBPS:
        raise EncodingError(f"MP3 files cannot have {kbps} kbit/s.", hint="Choose 128, 192 or 320.")
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(kbps)
    encoder.set_in_sample_rate(SAMPLE_RATE_HZ)
    encoder.set_out_sample_rate(SAMPLE_RATE_HZ)  # LAME would choose a lower one at low bit rates
    encoder.set_channels(2)
    encoder.set_quality(quality)
    encoder.silence()
    return encoder

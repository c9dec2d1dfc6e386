"""Blocks of parts that were rendered before, on disk: a song that is edited renders only what has changed.

A block is addressed by everything that it is made of: instrument, soundfont, tuning, the part's channel, and each note that can
sound in it, with its place in the block. What was not edited is read; the sum is the same to the last bit.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen import disk
from llm_music_gen.domain.score import Arrangement, Part
from llm_music_gen.sound.mix import LONGEST_RELEASE, Strip, add_note
from llm_music_gen.sound.notes import NoteCache

#: The oldest blocks go when all take more.
MOST_BYTES = 1_000_000_000
_LAYOUT = 2
_CHECK_BYTES = 16
_SUFFIX = ".block"
_log = logging.getLogger(__name__)


@dataclass
class PartBlocks:
    """The blocks in one folder. Counts what was rendered and what was read."""

    folder: Path
    source: str
    """What notes come from: checksum of the soundfont and how this computer renders."""
    most_bytes: int = MOST_BYTES
    rendered: dict[str, int] = field(default_factory=dict)
    """Part -> blocks that were rendered."""
    reused: dict[str, int] = field(default_factory=dict)
    """Part -> blocks that were read."""

    def strip(self, part: Part, arrangement: Arrangement, cache: NoteCache, first_frame: int) -> Strip:
        """A part's channel for the mixer, as `Strip` is."""
        if first_frame:
            return Strip(part, arrangement, cache, first_frame)
        return _KeptStrip(part, arrangement, cache, self)

    def get(self, key: str, frames: int) -> NDArray[np.float32] | None:
        """A block, or None where it is not there or not whole."""
        path = self._path(key)
        try:
            data = path.read_bytes()
            os.utime(path)  # the one that was used last stays longest
        except OSError:
            return None
        samples = memoryview(data)[_CHECK_BYTES:]
        if len(samples) not in (0, frames * 8) or data[:_CHECK_BYTES] != _check(samples):
            return None
        return np.frombuffer(samples, dtype=np.float32).reshape(-1, 2)

    def put(self, key: str, block: NDArray[np.float32]) -> None:
        """Keep a block; an empty one stands for silence. Without room nothing is kept."""
        path = self._path(key)
        part = disk.part_of(path)
        samples = block.tobytes()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(_check(samples) + samples)  # not flushed: what a power cut spoils is noticed
            disk.patiently(lambda: part.replace(path))
        except OSError as error:
            _log.info("a block could not be kept: %s", error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove the blocks that were not used for longest until the rest fits."""
        found = []
        for path in self.folder.glob(f"*/*{_SUFFIX}*"):
            with contextlib.suppress(OSError):
                state = path.stat()
                found.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.most_bytes:
                return
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size

    @property
    def changed_parts(self) -> tuple[str, ...]:
        """Parts of which anything had to be rendered."""
        return tuple(self.rendered)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key[2:]}{_SUFFIX}"


class _KeptStrip(Strip):
    """A channel that reads the sum of its notes where it was kept; level, place and cuts come after, as always."""

    def __init__(self, part: Part, arrangement: Arrangement, cache: NoteCache, blocks: PartBlocks) -> None:
        super().__init__(part, arrangement, cache, 0)
        self._blocks = blocks
        self._candidates: list[int] = []
        tuning = (arrangement.a4_hz, repr(arrangement.intonation), arrangement.quarter_bpm if part.voice else 0.0)
        sound = (_LAYOUT, blocks.source, part.voice, part.bank, part.program, part.is_drums, *tuning)
        self._sound = repr(sound).encode()

    def summed(self, start: int, frames: int) -> NDArray[np.float32] | None:
        """See `Strip`: read where it was kept, otherwise rendered and kept."""
        notes = self._within(start, start + frames)
        if not notes:
            return None
        key = self._key(notes, start, frames)
        block = self._blocks.get(key, frames)
        if block is not None:
            _count(self._blocks.reused, self._part.name)
            return np.array(block) if len(block) else None
        _count(self._blocks.rendered, self._part.name)
        out = np.zeros((frames, 2), dtype=np.float32)
        heard = False
        for index in notes:
            samples = self._cache.samples(self._part, self._part.notes[index], self._lengths[index])
            if len(samples):
                heard |= add_note(out, start, self._starts[index], samples, self._ends[index]) > start
        self._blocks.put(key, out if heard else out[:0])
        return out if heard else None

    def _within(self, start: int, end: int) -> list[int]:
        """Numbers of the notes that can be heard in a block, in order."""
        while self._next < len(self._starts) and self._starts[self._next] < end:
            self._candidates.append(self._next)
            self._next += 1
        self._candidates = [
            index for index in self._candidates if self._starts[index] + self._lengths[index] + LONGEST_RELEASE > start
        ]
        return self._candidates

    def _key(self, notes: list[int], start: int, frames: int) -> str:
        digest = hashlib.sha256(self._sound)
        digest.update(f"{frames}".encode())
        for index in notes:
            note, choke = self._part.notes[index], self._ends[index]
            ends = None if choke is None else choke - start
            digest.update(f";{self._starts[index] - start},{self._lengths[index]},{note.pitch},{note.velocity},{ends}".encode())
        return digest.hexdigest()


def _check(samples: bytes | memoryview) -> bytes:
    """What stands before the samples of a block, so that one that decayed is rendered again."""
    return hashlib.blake2b(samples, digest_size=_CHECK_BYTES).digest()


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1

"""The master: a constant gain to the loudness wanted, and a limiter only as far as the true peak demands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import SoundError, StorageError
from llm_music_gen.sound.ahead import ahead
from llm_music_gen.sound.limiter import BLOCK, limited, peak_envelope
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter
from llm_music_gen.sound.mix import RenderedMix
from llm_music_gen.units import SAMPLE_RATE_HZ

#: Highest true peak of finished files. Lossy coding moves peaks, so its files are made with more room.
CEILING_DBTP = -1.0
LOSSY_CEILING_DBTP = -1.5
_TOLERANCE_LU = 0.2
_MOST_ROUNDS = 5
_FRAME_BYTES = 8
#: Half the length of a dip: flat over 26 ms, the length of an MP3 frame, with flanks of as much.
_DIP_HALF = 1_152
#: A mix further under the target than this is as good as silent; lifting it would lift noise.
_MOST_GAIN_DB = 60.0


@dataclass(frozen=True, slots=True)
class Dip:
    """A moment that is turned down."""

    frame: int
    """Its middle."""
    gain: float
    """Linear, under 1."""


@dataclass(frozen=True, slots=True)
class Master:
    """How a mix becomes the finished sound: gain, then the limiter."""

    mix: RenderedMix
    """Its file carries the true-peak envelope behind the samples."""
    target_lufs: float
    ceiling_db: float
    gain_db: float
    measured: Loudness
    """Before the dips."""
    dips: tuple[Dip, ...] = ()

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """The finished sound, block by block, shape (n, 2)."""
        blocks = limited(self.mix.samples(), _envelope(self.mix), self.gain_db, self.ceiling_db)
        return _dipped(blocks, self.dips) if self.dips else blocks


def master(mix: RenderedMix, target_lufs: float, ceiling_db: float) -> Work[Master]:
    """Find the gain with which the limited mix has the target loudness within 0.2 LU. Yields progress of the stage "master".

    Where even a wall of sound cannot reach the target under the ceiling, the loudest that the limiter can do in four rounds is
    taken. Raises SoundError for a silent mix, StorageError when the disk is full.
    """
    if not np.isfinite(mix.loudness.integrated_lufs):
        raise SoundError("The mix is silent, so there is nothing to master.")
    yield from _find_peaks(mix)
    return (yield from _fitted(Master(mix, target_lufs, ceiling_db, 0.0, mix.loudness), 1))


def refitted(made: Master, target_lufs: float, ceiling_db: float) -> Work[Master]:
    """The same mix mastered to another loudness or ceiling, from where the first one ended. Yields "master"."""
    return (yield from _fitted(replace(made, target_lufs=target_lufs, ceiling_db=ceiling_db, dips=()), 0))


def _fitted(made: Master, rounds_before: int) -> Work[Master]:
    """Correct the gain by what is missing until the limited sound has its loudness; the nearest of all rounds."""
    gain_db, reached = made.gain_db, made.measured.integrated_lufs
    best: Master | None = None
    for number in range(rounds_before, _MOST_ROUNDS):
        gain_db = min(_MOST_GAIN_DB, gain_db + made.target_lufs - reached)
        tried = replace(made, gain_db=gain_db)
        measured = yield from _loudness(tried, number / _MOST_ROUNDS, (number + 1) / _MOST_ROUNDS)
        reached = measured.integrated_lufs
        if best is None or abs(reached - made.target_lufs) < abs(best.measured.integrated_lufs - made.target_lufs):
            best = replace(tried, measured=measured)
        if abs(reached - made.target_lufs) <= _TOLERANCE_LU:
            break
    assert best is not None
    yield Progress("master", 1.0, f"{best.measured.integrated_lufs:.1f} LUFS")
    return best


def _find_peaks(mix: RenderedMix) -> Work[None]:
    """Write the true-peak envelope behind the samples, so that both are one file to remove."""
    samples = mix.samples()
    try:
        with mix.path.open("r+b") as file:
            file.seek(mix.frames * _FRAME_BYTES)
            for start in range(0, mix.frames, BLOCK):
                stop = min(mix.frames, start + BLOCK)
                file.write(peak_envelope(samples, start, stop).tobytes())
                yield Progress("master", stop / mix.frames / _MOST_ROUNDS, "Measuring")
    except OSError as error:
        raise StorageError(f"{mix.path} cannot be written ({error}).", hint="Free some space and try again.") from error


def _loudness(master: Master, start: float, end: float) -> Work[Loudness]:
    meter = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False)
    done = 0
    with closing(ahead(master.blocks())) as blocks:
        for block in blocks:
            meter.push(block)
            done += len(block)
            yield Progress("master", start + (end - start) * done / master.mix.frames, "Mastering")
    return meter.result()


def _dipped(blocks: Iterator[NDArray[np.float32]], dips: tuple[Dip, ...]) -> Iterator[NDArray[np.float32]]:
    start = 0
    for block in blocks:
        end = start + len(block)
        near = [dip for dip in dips if start - _DIP_HALF < dip.frame < end + _DIP_HALF]
        if near:
            curve = np.ones(len(block), dtype=np.float32)
            for dip in near:
                first, last = max(start, dip.frame - _DIP_HALF), min(end, dip.frame + _DIP_HALF)
                away = np.abs(np.arange(first, last) - dip.frame) / _DIP_HALF
                depth = (1.0 - dip.gain) * (0.5 + 0.5 * np.cos(np.pi * np.clip(2.0 * away - 1.0, 0.0, 1.0)))
                curve[first - start : last - start] *= 1.0 - depth.astype(np.float32)
            block = block * curve[:, None]
        yield block
        start = end


def _envelope(mix: RenderedMix) -> NDArray[np.float32]:
    return np.memmap(mix.path, dtype=np.float32, mode="r", offset=mix.frames * _FRAME_BYTES, shape=(mix.frames,))

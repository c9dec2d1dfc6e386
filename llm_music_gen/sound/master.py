"""The master: a constant gain to the loudness wanted, and a limiter only as far as the true peak demands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import SoundError
from llm_music_gen.sound.limiter import limited
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter
from llm_music_gen.sound.mix import RenderedMix
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain

#: Highest true peak of finished files. Lossy coding moves peaks, so its files are made with more room.
CEILING_DBTP = -1.0
LOSSY_CEILING_DBTP = -1.5
_TOLERANCE_LU = 0.1
_MOST_ROUNDS = 5
#: A mix further under the target than this is as good as silent; lifting it would lift noise.
_MOST_GAIN_DB = 60.0
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Master:
    """How a mix becomes the finished sound: gain, then the limiter."""

    mix: RenderedMix
    gain_db: float
    ceiling_db: float
    measured: Loudness

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """The finished sound, block by block, shape (n, 2)."""
        return _mastered(self.mix, self.gain_db, self.ceiling_db)


def master(mix: RenderedMix, target_lufs: float, ceiling_db: float) -> Work[Master]:
    """Find the gain with which the limited mix has the target loudness within 0.1 LU. Yields progress of the stage "master".

    Where even a wall of sound cannot reach the target under the ceiling, the loudest that the limiter can do in five rounds is
    taken. Raises SoundError for a silent mix.
    """
    gain_db = 0.0
    best: tuple[float, float, Loudness] | None = None
    measured = yield from _measured(mix, None, 0.0, 0.0, 1.0 / _MOST_ROUNDS)
    if not np.isfinite(measured.integrated_lufs):
        raise SoundError("The mix is silent, so there is nothing to master.")
    for round_number in range(1, _MOST_ROUNDS):
        reached = measured.integrated_lufs if best is not None else measured.integrated_lufs + gain_db
        gain_db = min(_MOST_GAIN_DB, gain_db + target_lufs - reached)
        measured = yield from _measured(mix, ceiling_db, gain_db, round_number / _MOST_ROUNDS, (round_number + 1) / _MOST_ROUNDS)
        error = abs(measured.integrated_lufs - target_lufs)
        if best is None or error < abs(best[2].integrated_lufs - target_lufs):
            best = (error, gain_db, measured)
        if error <= _TOLERANCE_LU:
            break
    assert best is not None
    yield Progress("master", 1.0, f"{best[2].integrated_lufs:.1f} LUFS")
    return Master(mix, best[1], ceiling_db, best[2])


def _measured(mix: RenderedMix, ceiling_db: float | None, gain_db: float, start: float, end: float) -> Work[Loudness]:
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    samples = mix.samples()
    if ceiling_db is None:
        blocks: Iterator[NDArray[np.float32]] = (samples[at : at + _BLOCK] for at in range(0, mix.frames, _BLOCK))
    else:
        blocks = _mastered(mix, gain_db, ceiling_db)
    done = 0
    for block in blocks:
        meter.push(block)
        done += len(block)
        yield Progress("master", start + (end - start) * done / mix.frames, "Measuring")
    return meter.result()


def _mastered(mix: RenderedMix, gain_db: float, ceiling_db: float) -> Iterator[NDArray[np.float32]]:
    samples = mix.samples()
    gain = np.float32(db_to_gain(gain_db))
    return limited(lambda start, stop: samples[start:stop] * gain, mix.frames, ceiling_db, _BLOCK)

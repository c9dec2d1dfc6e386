"""Finished files as loud as wanted and under a true-peak ceiling, as they are heard: encoded, decoded again, corrected.

Lossy coding moves peaks by up to a decibel, unforeseeably. Lowering the whole master for a few of them would only roll the dice
again, so just the moments that came out too high are turned down, smoothly, before the file is made again. Where they are many
the music would get quieter, and the master is made anew under a lower ceiling.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import EncodingError
from llm_music_gen.sound.decode import audio_info, decoded, measure_file
from llm_music_gen.sound.encode import encode
from llm_music_gen.sound.loudness import TAPS_PER_PHASE, Loudness, loudest, oversampled
from llm_music_gen.sound.master import Dip, Master, refitted
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain

_MOST_ROUNDS = 8
_LOUDNESS_ROUNDS = 3
_TOLERANCE_LU = 0.4
#: Making the file again moves peaks again: moments that are nearly too high are turned down too, all by a little more.
_NEAR_DB = 0.3
_EXTRA_DB = 0.15
_MOMENT_S = 0.025
#: Share of the music up to which moments are turned down one by one.
_MOST_EASED = 0.03


def encode_under(made: Master, path: Path, audio_format: str, kbps: int, ceiling_dbtp: float) -> Work[tuple[Master, Loudness]]:
    """Write `path` so that, decoded, it has the master's loudness and a true peak of at most `ceiling_dbtp`.

    Yields progress of the stage "convert". Returns the master as it was used and what the file measures. Raises
    EncodingError, StorageError.
    """
    wanted_lufs, reached = made.target_lufs, 0.0
    for number in range(_MOST_ROUNDS):
        for report in encode(made.blocks(), made.mix.frames, path, audio_format, kbps):
            reached = max(reached, report.fraction)
            yield replace(report, fraction=reached)
        loudness = measure_file(path)
        excess_db = loudness.true_peak_dbtp - ceiling_dbtp
        missing_lu = wanted_lufs - loudness.integrated_lufs
        # Coders leave out the highest sounds, so very bright music comes back quieter.
        quiet = number < _LOUDNESS_ROUNDS and _TOLERANCE_LU < abs(missing_lu) < math.inf
        if excess_db <= 0 and not quiet:
            return made, loudness
        yield Progress("convert", reached, "Making room for the peaks")
        dips = tuple(_dips(path, ceiling_dbtp)) if excess_db > 0 else ()
        if not quiet and len(dips) * _MOMENT_S * SAMPLE_RATE_HZ < _MOST_EASED * made.mix.frames:
            made = replace(made, dips=(*made.dips, *dips))
            continue
        target_lufs = made.target_lufs + (missing_lu if quiet else 0.0)
        ceiling_db = made.ceiling_db - (excess_db + _EXTRA_DB if excess_db > 0 else 0.0)
        made = yield from _unseen(refitted(made, target_lufs, ceiling_db), reached)
    path.unlink(missing_ok=True)
    raise EncodingError(
        f"The peaks of {path.name} stay above {ceiling_dbtp:.1f} dBTP.", hint="Choose a higher bit rate or another format."
    )


def _unseen(work: Work[Master], reached: float) -> Work[Master]:
    """Work that the bar of "convert" does not show: it stands still meanwhile."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: Master = stop.value
            return result
        yield Progress("convert", reached, "Making room for the peaks")


def _dips(path: Path, ceiling_dbtp: float) -> Iterator[Dip]:
    """What has to be turned down for the decoded file to stay under the ceiling: one dip for each moment that is too loud."""
    rate_hz = audio_info(path).sample_rate_hz
    near = db_to_gain(ceiling_dbtp - _NEAR_DB)
    moment = int(_MOMENT_S * rate_hz)
    worst: dict[int, float] = {}
    for start, peaks in _true_peaks(path):
        for at in np.flatnonzero(peaks > near).tolist():
            number = (start + at) // moment
            worst[number] = max(worst.get(number, 0.0), float(peaks[at]))
    for number, peak in sorted(worst.items()):
        frame = round((number + 0.5) * moment * SAMPLE_RATE_HZ / rate_hz)
        yield Dip(frame, near / peak * db_to_gain(-_EXTRA_DB))


def _true_peaks(path: Path) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """(first frame, true peak around each frame) of a file, block by block, to within a few frames."""
    before = np.zeros((TAPS_PER_PHASE - 1, audio_info(path).channels), dtype=np.float32)
    start = 0
    for block in decoded(path):
        joined = np.concatenate((before, block))
        yield start, np.maximum(oversampled(joined), loudest(block))
        before = joined[-(TAPS_PER_PHASE - 1) :]
        start += len(block)

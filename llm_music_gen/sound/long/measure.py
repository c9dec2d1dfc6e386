"""Measures a finished file of hours on all cores: every worker decodes a stretch, and the stretches are merged."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.sound.decode import audio_info, measure_file
from llm_music_gen.sound.long.render import crashed_again, worker_pool
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter, TruePeak, integrated_lufs, loudness_range_lu, momentary_lufs
from llm_music_gen.units import SAMPLE_RATE_HZ, gain_to_db

#: Shorter files are measured where they are: starting processes would take longer.
_WORTH_IT_S = 1_200
_BLOCK = 65_536
_SETTLE = SAMPLE_RATE_HZ * 4 // 5
_SILENCE = 1e-3


@dataclass(frozen=True, slots=True)
class _Stretch:
    steps: NDArray[np.float64]
    true_peak: float
    sample_peak: float
    sums: NDArray[np.float64]
    sounding: tuple[int, int] | None
    """First and last frame over -60 dBFS, from the stretch's start; None for silence."""
    longest_silence: int
    """Inside, between the two."""
    frames: int


def measure_long_file(path: Path, workers: int) -> Work[Loudness]:
    """As `decode.measure_file`, on several cores. Yields "files". Raises SoundError."""
    info = audio_info(path)
    if workers <= 1 or info.length_s < _WORTH_IT_S or info.sample_rate_hz != SAMPLE_RATE_HZ:
        return measure_file(path)
    step = SAMPLE_RATE_HZ // 10
    count = 4 * workers
    edges = [info.frames * number // count // step * step for number in range(count)] + [info.frames]
    found: dict[int, _Stretch] = {}
    crashes = 0
    while len(found) < count:
        try:
            with worker_pool(workers) as pool:
                stretches = list(enumerate(pairwise(edges)))
                waiting = {number: pool.submit(_measured, path, *ends) for number, ends in stretches if number not in found}
                for number, future in waiting.items():
                    found[number] = future.result()
                    yield Progress("files", 0.5 * len(found) / count, "Measuring the finished file")
        except BrokenExecutor as error:
            crashes = crashed_again(crashes, "measures", error)
    return _merged([found[number] for number in range(count)])


def _measured(path: Path, first: int, end: int) -> _Stretch:
    import soundfile

    meter, peak = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False), TruePeak()
    before = min(first, _SETTLE)
    sums, sample_peak, at = np.zeros(2), 0.0, 0
    begin: int | None = None
    last, longest = 0, 0
    with soundfile.SoundFile(str(path)) as file:
        file.seek(first - before)
        while at < before + end - first:
            block = file.read(min(_BLOCK, before + end - first - at), dtype="float32", always_2d=True)
            if not len(block):
                break
            meter.push(block)
            own = block[max(0, before - at) :]
            peak.push(own)
            sums += own.sum(axis=0, dtype=np.float64)
            sample_peak = max(sample_peak, float(np.abs(own).max(initial=0.0)))
            place = max(at, before) - before
            loud = np.flatnonzero(np.abs(own).max(axis=1) >= _SILENCE) + place if len(own) else np.zeros(0, dtype=np.int64)
            if len(loud):
                gaps = np.diff(loud) - 1
                longest = max(longest, int(gaps.max(initial=0)), int(loud[0]) - last - 1 if begin is not None else 0)
                begin = int(loud[0]) if begin is None else begin
                last = int(loud[-1])
            at += len(block)
    steps = meter.steps()[before // (SAMPLE_RATE_HZ // 10) :]
    sounding = None if begin is None else (begin, last)
    return _Stretch(steps, peak.value(), sample_peak, sums, sounding, longest, at - before)


def _merged(stretches: list[_Stretch]) -> Loudness:
    steps = np.concatenate([stretch.steps for stretch in stretches])
    frames = sum(stretch.frames for stretch in stretches)
    quiet = longest = 0
    for stretch in stretches:
        if stretch.sounding is None:
            quiet += stretch.frames
            continue
        longest = max(longest, quiet + stretch.sounding[0], stretch.longest_silence)
        quiet = stretch.frames - 1 - stretch.sounding[1]
    momentary = momentary_lufs(steps)
    sample_peak = max(stretch.sample_peak for stretch in stretches)
    sums = np.sum([stretch.sums for stretch in stretches], axis=0)
    return Loudness(
        frames=frames, integrated_lufs=integrated_lufs(steps), range_lu=loudness_range_lu(steps),
        true_peak_dbtp=gain_to_db(max(sample_peak, *(stretch.true_peak for stretch in stretches))),
        sample_peak_dbfs=gain_to_db(sample_peak), dc_dbfs=gain_to_db(float(np.abs(sums).max()) / max(1, frames)),
        longest_silence_frames=max(longest, quiet),
        momentary_max_lufs=float(momentary.max()) if len(momentary) else -np.inf,
    )  # fmt: skip

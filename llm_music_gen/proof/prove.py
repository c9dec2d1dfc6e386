"""One pass over a file's decoded samples: everything that was promised, measured.

Loudness, peaks, silence, length and pitch classes are of the whole file; the tonic and the beat of stretches of 30 seconds spread
over it (at most sixteen and eight), the tempo of two minutes in its middle. Memory does not grow with the length of the file
beyond some bytes a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.proof.beats import BeatSeen, beat_check, beat_in
from llm_music_gen.proof.checks import Check, Promises, Proof, bounded, judged
from llm_music_gen.proof.harmony import PitchClasses, key_check, likeness_checks
from llm_music_gen.proof.stretches import Collector, Stretch
from llm_music_gen.proof.tempo import tempo_check
from llm_music_gen.proof.tones import ReferenceEstimate, Sighting, sightings, tonic_checks
from llm_music_gen.sound.ahead import ahead
from llm_music_gen.sound.decode import audio_info, decoded
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter

_STRETCH_S, _MOST_STRETCHES, _MOST_BEATS = 30.0, 16, 8
_TEMPO_S = 120.0
_LOUDNESS_DOUBT_LU, _PEAK_DOUBT_DB = 0.1, 0.05


def prove(path: Path, promises: Promises, *, loudness: Loudness | None = None) -> Proof:
    """Measure a file against what was promised. `loudness` saves measuring it again where it was measured of this very file.

    Raises SoundError for what is not audio.
    """
    info = audio_info(path)
    rate_hz = info.sample_rate_hz
    meter = LoudnessMeter(rate_hz, info.channels) if loudness is None else None
    classes = PitchClasses(rate_hz, promises.a4_hz)
    close = Collector(info.frames, rate_hz, _STRETCH_S, _MOST_STRETCHES)
    pulse = Collector(info.frames, rate_hz, _TEMPO_S, 1)
    reference = ReferenceEstimate()
    seen: list[Sighting] = []
    beats: list[BeatSeen] = []
    middle: Stretch | None = None
    mono, number, frames = True, 0, 0
    every = max(1, min(_MOST_STRETCHES, info.frames // max(1, round(_STRETCH_S * rate_hz))) // _MOST_BEATS)
    for block in ahead(_metered(decoded(path), meter)):
        frames += len(block)
        classes.push(np.ascontiguousarray(block.mean(axis=1)))
        for stretch in close.push(block):
            mono = mono and stretch.is_mono
            if promises.tonic_hz is not None:
                seen += sightings(stretch, promises.tonic_hz, promises.spoken)
            else:
                reference.push(stretch)
            if promises.beat is not None and number % every == 0:
                beat = beat_in(stretch, promises.beat)
                beats += [beat] if beat is not None else []
            number += 1
        for stretch in pulse.push(block):
            middle = stretch
    measured = meter.result() if meter is not None else loudness
    assert measured is not None
    seconds = classes.seconds()
    checks = [
        *tonic_checks(seen, promises),
        *([reference.check()] if promises.tonic_hz is None else []),
        *beat_check(beats, promises.beat, mono=mono),
        tempo_check(middle, promises.tempo_bpm),
        key_check(seconds, promises),
        _duration(frames, rate_hz, promises),
        *_levels(measured, rate_hz, promises),
        *likeness_checks(seconds, promised=promises.varied),
    ]
    return Proof(path.name, promises, tuple(checks))


def _metered(blocks: Iterator[NDArray[np.float32]], meter: LoudnessMeter | None) -> Iterator[NDArray[np.float32]]:
    """Blocks that the meter has seen: it works while the block before is looked at."""
    for block in blocks:
        if meter is not None:
            meter.push(block)
        yield block


def _duration(frames: int, rate_hz: int, promises: Promises) -> Check:
    """The exact number of frames; at another rate than promised, the nearest number."""
    if promises.frames is None:
        return Check("duration", frames, None, 0.0, "frames", "not promised")
    wanted = promises.frames if rate_hz == promises.sample_rate_hz else round(promises.frames * rate_hz / promises.sample_rate_hz)
    verdict = judged("duration", frames, wanted, 0.0, "frames").verdict
    return Check("duration", frames, wanted, 0.0, "frames", verdict, f"{frames / rate_hz:.3f} s")


def _levels(measured: Loudness, rate_hz: int, promises: Promises) -> list[Check]:
    silence_s = measured.longest_silence_frames / rate_hz
    lufs = measured.integrated_lufs
    if promises.lufs is None:
        loud = bounded("loudness", lufs, None, "LUFS", _LOUDNESS_DOUBT_LU)
    elif math.isfinite(lufs):
        loud = judged("loudness", lufs, promises.lufs, promises.lufs_tolerance, "LUFS", _LOUDNESS_DOUBT_LU)
    else:
        loud = Check("loudness", str(lufs), promises.lufs, None, "LUFS", "fail", "the file is silent")
    return [
        loud,
        bounded("true peak", measured.true_peak_dbtp, promises.true_peak_dbtp, "dBTP", _PEAK_DOUBT_DB),
        bounded("longest silence", silence_s, promises.longest_silence_s, "s"),
    ]

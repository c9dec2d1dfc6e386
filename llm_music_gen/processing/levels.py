"""Tools for level: gain, normalize, limit, compress, fade, tremolo."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.measure import loudness_of, metered
from llm_music_gen.processing.streams import Change, mapped, placed, steady
from llm_music_gen.sound.effects import GainComputer
from llm_music_gen.sound.limiter import limited_stream
from llm_music_gen.tools.spec import Range
from llm_music_gen.units import db_to_gain, seconds_to_frames

_TOLERANCE_LU = 0.03
#: When no more than this is missing the next step is near enough to need no other pass over the sound.
_SURE_LU = 0.12
#: Nearer to the ceiling than this the limiter has a look, which is stricter at beginnings and ends than the meter.
_NEAR_DB = 1.0
_LONG_S, _EXCERPT_S, _EXCERPT_SHARE = 600.0, 3.0, 0.25
#: How much more gain the limiter may eat. Where that is not enough the target is out of reach: pressing on would only lift the
#: noise between the loud moments.
_MOST_EXTRA_DB = 6.0
_MOST_ROUNDS = 6
#: Nearer to its target than this nothing is gained by lifting what is as good as silent.
_MOST_GAIN_DB = 60.0


def gain(audio: Audio, db: Annotated[float, Range(-60, 40, "dB")] = 3.0) -> Audio:
    """Make it louder or softer by a number of decibels.

    db: How much; negative is softer.
    """
    factor = np.float32(db_to_gain(db))
    return mapped(audio, lambda: lambda block: block * factor)


def normalize(
    audio: Audio, lufs: Annotated[float, Range(-50, -5, "LUFS")] = -14.0, tp: Annotated[float, Range(-12, 0, "dBTP")] = -1.0
) -> Audio:
    """Bring it to a loudness, with a ceiling for the true peak; limits peaks only as far as the ceiling demands.

    lufs: Integrated loudness wanted (-14 for YouTube and Spotify, -16 for podcasts, -23 for EBU R 128).
    tp: Ceiling of the true peak.
    """

    @cache
    def fitted_gain() -> tuple[float, bool]:
        return _fitted_gain(audio, lufs, tp)

    def walk() -> Iterator[Block]:
        gain_db, limiting = fitted_gain()
        if limiting:
            return limited_stream(gain(audio, gain_db).walk(), audio.channels, audio.sample_rate_hz, tp)
        return gain(audio, gain_db).walk()

    return replace(audio, walk=walk)


def _fitted_gain(audio: Audio, lufs: float, tp: float) -> tuple[float, bool]:
    """The gain in dB that brings the sound to its loudness, and whether a limiter has to follow."""
    before = loudness_of(audio)
    if not math.isfinite(before.integrated_lufs):
        return 0.0, before.true_peak_dbtp > tp
    gain_db = min(lufs - before.integrated_lufs, _MOST_GAIN_DB)
    if before.true_peak_dbtp + gain_db <= tp - _NEAR_DB:
        return gain_db, False
    # What limiting costs is found on excerpts of long sounds: the rest loses as much.
    part = _excerpts(audio)
    aim = lufs if part is audio else lufs - before.integrated_lufs + metered(part, true_peak=False).integrated_lufs
    best = (math.inf, gain_db)
    for _ in range(_MOST_ROUNDS):
        limited = replace(part, walk=_limited_walk(part, gain_db, tp))
        missing = aim - metered(limited, true_peak=False).integrated_lufs
        best = min(best, (abs(missing), gain_db))
        if abs(missing) <= _TOLERANCE_LU:
            break
        # Each further decibel of gain gives less loudness under a ceiling, so the step is a little larger than what is missing.
        gain_db = min(gain_db + missing * 1.2, lufs - before.integrated_lufs + _MOST_EXTRA_DB)
        if abs(missing) <= _SURE_LU:
            return gain_db, True
    return best[1], True


def _excerpts(audio: Audio) -> Audio:
    """Of more than ten minutes a quarter: stretches of three seconds, drawn evenly but not in step with any music."""
    if audio.length_s <= _LONG_S:
        return audio
    stretch = round(_EXCERPT_S * audio.sample_rate_hz)
    taken = np.random.default_rng(4).random(audio.frames // stretch) < _EXCERPT_SHARE

    def walk() -> Iterator[Block]:
        for number, block in enumerate(steady(audio.walk(), stretch)):
            if number < len(taken) and taken[number]:
                yield block

    return replace(audio, frames=int(taken.sum()) * stretch, walk=walk)


def _limited_walk(audio: Audio, gain_db: float, ceiling_db: float) -> Callable[[], Iterator[Block]]:
    return lambda: limited_stream(gain(audio, gain_db).walk(), audio.channels, audio.sample_rate_hz, ceiling_db)


def limit(audio: Audio, ceiling_db: Annotated[float, Range(-40, 0, "dBTP")] = -1.0) -> Audio:
    """Hold all peaks, also those between samples, under a ceiling; what is below stays as it is.

    ceiling_db: The ceiling.
    """
    return replace(audio, walk=_limited_walk(audio, 0.0, ceiling_db))


def compress(
    audio: Audio,
    threshold_db: Annotated[float, Range(-60, 0, "dB")] = -20.0,
    ratio: Annotated[float, Range(1, 20)] = 3.0,
    attack_ms: Annotated[float, Range(0.1, 200, "ms")] = 15.0,
    release_ms: Annotated[float, Range(5, 2000, "ms")] = 150.0,
) -> Audio:
    """Turn down what is louder than a threshold, so that loud and soft come nearer; all channels together, no make-up gain.

    threshold_db: Where it begins.
    ratio: How many dB above the threshold become one.
    attack_ms: How fast it takes hold; slow lets the hits through.
    release_ms: How fast it lets go.
    """

    def start() -> Change:
        computer = GainComputer(threshold_db, ratio, attack_ms, release_ms, audio.sample_rate_hz)
        return lambda block: block * computer.gains(block)[:, None]

    return mapped(audio, start) if ratio > 1 else audio


def fade(
    audio: Audio, in_s: Annotated[float, Range(0, 86400, "s")] = 0.0, out_s: Annotated[float, Range(0, 86400, "s")] = 0.0
) -> Audio:
    """Fade in at the beginning and out at the end, in a smooth curve.

    in_s: Length of the fade in.
    out_s: Length of the fade out.
    """
    rate = audio.sample_rate_hz
    rising, falling = (min(seconds_to_frames(length_s, rate), audio.frames) for length_s in (in_s, out_s))

    def change(block: Block, first: int) -> NDArray[Any]:
        curve = np.ones(len(block))
        at = np.arange(first, first + len(block))
        if first < rising:
            curve *= 0.5 - 0.5 * np.cos(np.pi * np.clip((at + 0.5) / rising, 0.0, 1.0))
        if first + len(block) > audio.frames - falling:
            curve *= 0.5 - 0.5 * np.cos(np.pi * np.clip((audio.frames - at - 0.5) / falling, 0.0, 1.0))
        return block * curve[:, None].astype(np.float32)

    return placed(audio, change) if rising or falling else audio


def tremolo(audio: Audio, hz: Annotated[float, Range(0.05, 40, "Hz")] = 5.0, depth: Annotated[float, Range(0, 1)] = 0.5) -> Audio:
    """Let the level swing up and down.

    hz: How often.
    depth: How far; 1 goes down to silence.
    """

    def change(block: Block, first: int) -> NDArray[Any]:
        phase = np.arange(first, first + len(block)) * (hz / audio.sample_rate_hz) % 1.0
        level = 1.0 - depth * (0.5 - 0.5 * np.cos(2 * np.pi * phase))
        return np.asarray(block * level[:, None])

    return placed(audio, change)

"""Tools that distort on purpose: saturate, bitcrush."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.streams import mapped, steady
from llm_music_gen.tools.spec import Range
from llm_music_gen.units import db_to_gain

_OVERSAMPLING = 4
#: Frames on each side that the resampling filters of a piece reach into.
_REACH = 64


def saturate(audio: Audio, drive_db: Annotated[float, Range(0, 36, "dB")] = 6.0) -> Audio:
    """Warm it up like a tape or tube driven hot; worked out at four times the rate, so that no false tones come in.

    drive_db: How hot. Half of the loudness this brings is taken back.
    """
    if drive_db == 0:
        return audio
    drive, back = db_to_gain(drive_db), db_to_gain(-drive_db / 2)
    return oversampled_map(audio, lambda samples: np.tanh(drive * samples) * (back / math.tanh(drive) ** 0.5))


def oversampled_map(audio: Audio, function: Callable[[NDArray[Any]], NDArray[Any]]) -> Audio:
    """A function without memory, applied to each channel at four times the rate. Zero latency."""
    from scipy.signal import resample_poly

    def walk() -> Iterator[Block]:
        # Each piece is worked out with its neighbours' edges, so that the joints are exact.
        waiting = np.zeros((_REACH, audio.channels), dtype=np.float32)
        left = audio.frames

        def ready(frames: int) -> Block:
            nonlocal waiting, left
            high = resample_poly(waiting[: frames + 2 * _REACH].astype(np.float64), _OVERSAMPLING, 1, axis=0)
            out = resample_poly(function(high), 1, _OVERSAMPLING, axis=0)[_REACH : _REACH + frames]
            waiting, left = waiting[frames:], left - frames
            return np.asarray(out, dtype=np.float32)

        for block in steady(audio.walk()):
            waiting = np.concatenate((waiting, block))
            if len(waiting) > 2 * _REACH:
                yield ready(len(waiting) - 2 * _REACH)
        waiting = np.concatenate((waiting, np.zeros((_REACH, audio.channels), dtype=np.float32)))
        if left:
            yield ready(left)

    return replace(audio, walk=walk)


def bitcrush(audio: Audio, bits: Annotated[int, Range(1, 16, "bits")] = 8) -> Audio:
    """Round to few steps, as old samplers do.

    bits: How many remain.
    """
    steps = np.float32(2 ** (bits - 1))
    return mapped(audio, lambda: lambda block: np.clip(np.rint(block * steps) / steps, -1.0, 1.0))

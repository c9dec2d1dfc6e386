"""Another sample rate, in a stream: windowed-sinc interpolation whose joints are exact."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block

#: Input samples on each side of a point that take part in it, at the lower of both rates.
_HALF_TAPS = 64
#: Stopband of about 100 dB.
_KAISER_BETA = 10.0
_PIECE_FRAMES = 1 << 16


def resampled(audio: Audio, sample_rate_hz: int) -> Audio:
    """The same sound at another rate: flat to 0.91 of the lower Nyquist frequency, images and aliases 100 dB down."""
    if sample_rate_hz == audio.sample_rate_hz:
        return audio
    common = math.gcd(sample_rate_hz, audio.sample_rate_hz)
    up, down = sample_rate_hz // common, audio.sample_rate_hz // common
    frames = -(-audio.frames * up // down)
    return replace(audio, sample_rate_hz=sample_rate_hz, frames=frames, walk=lambda: _blocks(audio, up, down, frames))


def _blocks(audio: Audio, up: int, down: int, frames: int) -> Iterator[Block]:
    """Pieces start at input frames that fall on output frames, and are worked out with what lies around them."""
    from scipy.signal import upfirdn

    taps = _filter(up, down)
    delay = (len(taps) - 1) // 2
    margin = -(-(delay // up + 1) // down) * down
    piece = max(1, _PIECE_FRAMES // down) * down
    waiting = np.zeros((margin, audio.channels), dtype=np.float32)
    left = frames
    for block in _and_silence(audio, margin + piece):
        waiting = np.concatenate((waiting, block))
        while len(waiting) >= margin + piece + margin and left:
            whole = upfirdn(taps, waiting[: margin + piece + margin], up, down, axis=0)
            # Filter and piece both start on a multiple of `down`, so the delay is a whole number of output frames.
            first = (margin * up + delay) // down
            out = whole[first : first + min(left, piece * up // down)].astype(np.float32)
            left -= len(out)
            waiting = waiting[piece:]
            yield out


def _and_silence(audio: Audio, frames: int) -> Iterator[Block]:
    yield from audio.walk()
    yield np.zeros((frames + frames, audio.channels), dtype=np.float32)


@lru_cache(maxsize=8)
def _filter(up: int, down: int) -> NDArray[np.float64]:
    """Low-pass at the upsampled rate; its delay is a multiple of `down`. Gain `up`, shape (taps,)."""
    from scipy.signal import firwin

    larger = max(up, down)
    delay = -(-_HALF_TAPS * larger // down) * down
    # The -6 dB point stands so far under Nyquist that the transition ends near it.
    return np.asarray(firwin(2 * delay + 1, 0.96 / larger, window=("kaiser", _KAISER_BETA)) * up, dtype=np.float64)

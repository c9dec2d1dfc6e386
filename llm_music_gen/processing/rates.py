"""Another sample rate, in a stream. The only module that imports soxr."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from llm_music_gen.errors import DependencyMissing
from llm_music_gen.processing.audio import BLOCK_FRAMES, Audio, Block
from llm_music_gen.processing.streams import steady


def resampled(audio: Audio, sample_rate_hz: int) -> Audio:
    """The same sound at another rate: flat to 0.91 of the lower Nyquist frequency, images and aliases over 100 dB down."""
    if sample_rate_hz == audio.sample_rate_hz:
        return audio
    frames = -(-audio.frames * sample_rate_hz // audio.sample_rate_hz)
    return replace(audio, sample_rate_hz=sample_rate_hz, frames=frames, walk=lambda: _blocks(audio, sample_rate_hz, frames))


def _blocks(audio: Audio, sample_rate_hz: int, frames: int) -> Iterator[Block]:
    """Exactly `frames` frames, the same ones however the sound was cut into blocks."""
    try:
        import soxr
    except ImportError as error:
        raise DependencyMissing("Another sample rate needs soxr.", hint='Run "pip install soxr".') from error
    stream = soxr.ResampleStream(audio.sample_rate_hz, sample_rate_hz, audio.channels, dtype="float32", quality="VHQ")
    left = frames
    for block in steady(audio.walk(), BLOCK_FRAMES):
        out = stream.resample_chunk(np.ascontiguousarray(block))[:left]
        left -= len(out)
        yield out
    rest = stream.resample_chunk(np.zeros((0, audio.channels), dtype=np.float32), last=True)[:left]
    yield rest
    if len(rest) < left:  # the library rounds the length down
        yield np.zeros((left - len(rest), audio.channels), dtype=np.float32)

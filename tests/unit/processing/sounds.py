"""Synthesised sounds for the tests of the audio tools."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio

Samples = NDArray[np.float32]
RATE_HZ = 44_100


def audio_of(samples: Samples, rate_hz: int = RATE_HZ, block_frames: int = 10_000) -> Audio:
    """The samples, shape (frames, channels), as a stream of blocks of the given size."""

    def walk() -> Iterator[Samples]:
        for start in range(0, len(samples), block_frames):
            yield samples[start : start + block_frames].copy()

    return Audio(rate_hz, samples.shape[1], len(samples), walk)


def samples_of(audio: Audio) -> Samples:
    """The whole stream; its length must be what it promises."""
    blocks = [block for block in audio.walk() if len(block)]
    whole = np.concatenate(blocks) if blocks else np.zeros((0, audio.channels), dtype=np.float32)
    assert whole.shape == (audio.frames, audio.channels)
    assert whole.dtype == np.float32
    return whole


def sine(hz: float, length_s: float = 1.0, level_db: float = -20.0, rate_hz: int = RATE_HZ, channels: int = 2) -> Samples:
    """A sine whose peak stands at `level_db`."""
    at = np.arange(round(length_s * rate_hz)) / rate_hz
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * hz * at)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def noise(length_s: float = 1.0, level_db: float = -20.0, rate_hz: int = RATE_HZ, channels: int = 2, seed: int = 1) -> Samples:
    """White noise with an RMS of `level_db`, different in each channel."""
    chance = np.random.default_rng(seed)
    return (10 ** (level_db / 20) * chance.standard_normal((round(length_s * rate_hz), channels))).astype(np.float32)


def rms_db(samples: Samples) -> float:
    """RMS level over everything, dB re full scale."""
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-30))


def level_at_db(samples: Samples, hz: float, rate_hz: int = RATE_HZ) -> float:
    """Peak level of a sine of this frequency inside the first channel, dB re full scale."""
    at = np.arange(len(samples))
    window = np.hanning(len(samples))
    value = np.sum(samples[:, 0] * window * np.exp(-2j * np.pi * hz * at / rate_hz)) / window.sum()
    return float(20 * np.log10(2 * np.abs(value) + 1e-15))

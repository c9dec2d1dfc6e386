"""Synthesised signals and measures for the tests of the audio tools."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block

RATE = 44_100


def audio_of(samples: NDArray[np.float32], rate: int = RATE, block: int = 10_000) -> Audio:
    """A stream over an array of shape (frames, channels)."""

    def walk() -> Iterator[Block]:
        for start in range(0, len(samples), block):
            yield samples[start : start + block].astype(np.float32, copy=True)

    return Audio(rate, samples.shape[1], len(samples), walk)


def samples_of(audio: Audio) -> NDArray[np.float32]:
    """Everything a stream holds."""
    parts = [np.zeros((0, audio.channels), np.float32), *audio.walk()]
    out = np.concatenate(parts)
    assert out.shape == (audio.frames, audio.channels)
    assert out.dtype == np.float32
    return out


def sine(frequency_hz: float, length_s: float, level: float = 0.5, rate: int = RATE, channels: int = 1) -> NDArray[np.float32]:
    """A steady tone, shape (frames, channels)."""
    wave = level * np.sin(2 * np.pi * frequency_hz * np.arange(round(length_s * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def noise(length_s: float, level: float = 0.1, rate: int = RATE, channels: int = 1, seed: int = 1) -> NDArray[np.float32]:
    """White noise with this standard deviation, channels independent."""
    return np.random.default_rng(seed).normal(0.0, level, (round(length_s * rate), channels)).astype(np.float32)


def pink(length_s: float, level: float = 0.1, rate: int = RATE, channels: int = 1, seed: int = 1) -> NDArray[np.float32]:
    """Noise with equal power in each octave."""
    spectrum = np.fft.rfft(noise(length_s, 1.0, rate, channels, seed), axis=0)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))[:, None]
    spectrum[0] = 0
    out = np.fft.irfft(spectrum, round(length_s * rate), axis=0)
    return np.asarray(out / out.std() * level, dtype=np.float32)


def pitch_hz(samples: NDArray[np.float32], rate: int = RATE) -> float:
    """Frequency of the strongest partial of a steady tone, by parabola over the padded log spectrum."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    peak = int(spectrum.argmax())
    left, top, right = np.log(spectrum[peak - 1 : peak + 2])
    return float((peak + 0.5 * (left - right) / (left - 2 * top + right)) * rate / (8 * len(samples)))


def band_db(samples: NDArray[np.float32], low_hz: float, high_hz: float, rate: int = RATE) -> float:
    """Power between two frequencies in dB full scale, all channels together."""
    spectrum = np.abs(np.fft.rfft(samples, axis=0)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    power = spectrum[(frequencies >= low_hz) & (frequencies < high_hz)].sum()
    return float(10 * np.log10(2 * power / len(samples) ** 2 + 1e-20))

"""Sound to log-mel: what every event model listens to, and the same at any sample rate, block size and number of channels."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.model import FFT_FRAMES, HOP_FRAMES, MELS, SAMPLE_RATE_HZ
from llm_music_gen.errors import SoundError

LOWEST_HZ, HIGHEST_HZ = 60.0, 7_800.0
#: Power below which nothing is told apart (-120 dB re full scale).
FLOOR = 1e-12
#: Taps of the resampling filter to each side, in periods of the lower rate.
_HALF_PERIODS = 16
_LOWEST_RATE_HZ, _HIGHEST_RATE_HZ = 4_000, 768_000


class Resampler:
    """Polyphase resampling of one channel to 16 kHz, block by block: any cutting into blocks gives the same samples."""

    def __init__(self, sample_rate_hz: int) -> None:
        """Raises SoundError for a rate that no recording has."""
        if not _LOWEST_RATE_HZ <= sample_rate_hz <= _HIGHEST_RATE_HZ:
            raise SoundError(
                f"A sample rate of {sample_rate_hz} Hz cannot be listened to.", hint="It has to be 4000 to 768000 Hz."
            )
        shared = gcd(sample_rate_hz, SAMPLE_RATE_HZ)
        self._up, self._down = SAMPLE_RATE_HZ // shared, sample_rate_hz // shared
        if self._up > 320:  # an odd rate: taken for the nearest with a short filter (an error of less than 0.2 %)
            nearest = Fraction(SAMPLE_RATE_HZ, sample_rate_hz).limit_denominator(640)
            self._up, self._down = nearest.numerator, nearest.denominator
        self._taps, delay = _taps(self._up, self._down)
        self._half = self._down * -(-delay // self._up)  # inputs that an output needs to each side, and a little more
        # Silence before the start: output 0 is centred on input 0. Held samples always start at a multiple of `down`.
        self._held = np.zeros(self._half, dtype=np.float32)
        self._skip = delay + self._half * self._up // self._down

    def push(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The samples of the output that these inputs complete."""
        from scipy.signal import upfirdn

        if self._up == self._down:
            return samples
        self._held = np.concatenate([self._held, samples])
        periods = len(self._held) // self._down - 2 * self._half // self._down
        if periods <= 0:
            return np.zeros(0, dtype=np.float32)
        out = upfirdn(self._taps, self._held, self._up, self._down)[self._skip : self._skip + periods * self._up]
        self._held = self._held[periods * self._down :]
        return np.asarray(out, dtype=np.float32)

    def finish(self) -> NDArray[np.float32]:
        """What silence after the end lets out."""
        if self._up == self._down:
            return np.zeros(0, dtype=np.float32)
        return self.push(np.zeros(self._half, dtype=np.float32))


@lru_cache(maxsize=8)
def _taps(up: int, down: int) -> tuple[NDArray[np.float32], int]:
    """A windowed sinc at `up` times the input's rate, and by how many outputs it delays."""
    reach = _HALF_PERIODS * max(1.0, down / up)
    delay = int(np.ceil(reach * up / down))
    cutoff = min(1.0, up / down) * 0.94
    distance = np.arange(-delay * down, delay * down + 1) / up
    window = np.where(np.abs(distance) < reach, np.cos(np.pi / 2 * np.clip(distance / reach, -1.0, 1.0)) ** 2, 0.0)
    taps = cutoff * np.sinc(cutoff * distance) * window
    return (taps * up / taps.sum()).astype(np.float32), delay


@lru_cache(maxsize=1)
def mel_bank() -> NDArray[np.float32]:
    """Triangles of height 1 on the mel scale (O'Shaughnessy), shape (FFT_FRAMES / 2 + 1, MELS)."""
    edges_mel = np.linspace(2595 * np.log10(1 + LOWEST_HZ / 700), 2595 * np.log10(1 + HIGHEST_HZ / 700), MELS + 2)
    edges_hz = 700 * (10 ** (edges_mel / 2595) - 1)
    frequency_hz = np.fft.rfftfreq(FFT_FRAMES, 1 / SAMPLE_RATE_HZ)[:, None]
    rising = (frequency_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - frequency_hz) / (edges_hz[2:] - edges_hz[1:-1])
    bank = np.maximum(0.0, np.minimum(rising, falling))
    # The lowest triangles are narrower than the distance of two bins: each gets at least the nearest bin.
    nearest = np.argmin(np.abs(frequency_hz - edges_hz[1:-1]), axis=0)
    bank[nearest, np.arange(MELS)] = np.maximum(bank[nearest, np.arange(MELS)], 0.5)
    return bank.astype(np.float32)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT_FRAMES) / FFT_FRAMES)
    return np.asarray(hann / np.sqrt(np.sum(hann**2) * FFT_FRAMES / 2), dtype=np.float32)


def mel_power(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Samples at 16 kHz, shape (n,) -> power re full scale, shape (frames, MELS), a frame every 20 ms."""
    if len(samples) < FFT_FRAMES:
        return np.zeros((0, MELS), dtype=np.float32)
    framed = np.lib.stride_tricks.sliding_window_view(samples, FFT_FRAMES)[::HOP_FRAMES]
    spectrum = np.fft.rfft(framed * _window(), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.asarray(power @ mel_bank(), dtype=np.float32)


class LogMel:
    """Blocks of shape (n, channels) at any rate -> frames of log-mel in dB, shape (frames, MELS)."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._resampler = Resampler(sample_rate_hz)
        self._held = np.zeros(0, dtype=np.float32)

    def push(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """The frames that this block completes. Channels are heard together; what is no number is taken for silence."""
        mono = block if block.ndim == 1 else block.mean(axis=1)
        mono = np.nan_to_num(np.asarray(mono, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        return self._frames(self._resampler.push(np.clip(mono, -8.0, 8.0)))

    def finish(self) -> NDArray[np.float32]:
        """The frames that the end of the sound completes."""
        return self._frames(self._resampler.finish())

    def _frames(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        self._held = np.concatenate([self._held, samples])
        power = mel_power(self._held)
        self._held = self._held[len(power) * HOP_FRAMES :]
        return decibels(power)


def decibels(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power to dB, not below the floor."""
    return np.asarray(10 * np.log10(np.maximum(power, FLOOR)), dtype=np.float32)


def pieces(block: NDArray[np.float32], frames: int) -> Iterator[NDArray[np.float32]]:
    """The block cut so that no piece is longer than `frames`: memory is bounded whatever blocks come."""
    for start in range(0, len(block), frames):
        yield block[start : start + frames]

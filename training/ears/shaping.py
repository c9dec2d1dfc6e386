"""What every synthesised sound is made of: coloured noise, slow wandering, decays, glides. All at 16 kHz, mono, float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
Audio = NDArray[np.float32]
Random = np.random.Generator
#: Makes one clip: (random numbers, how many samples) -> samples.
Sound = Callable[[Random, int], Audio]


def coloured(random: Random, frames: int, points: Sequence[tuple[float, float]]) -> Audio:
    """Gaussian noise whose level in dB goes through the points (Hz, dB), straight over log frequency; rms 1."""
    spectrum = np.fft.rfft(random.standard_normal(frames).astype(np.float32))
    frequency_hz = np.maximum(np.fft.rfftfreq(frames, 1 / RATE_HZ), 10.0)
    hz, level_db = np.array(sorted(points)).T
    gain = 10 ** (np.interp(np.log2(frequency_hz), np.log2(hz), level_db) / 20)
    return unit(np.fft.irfft(spectrum * gain, frames))


def sloped(random: Random, frames: int, db_per_octave: float) -> Audio:
    """Noise with a straight slope: 0 white, -3 pink, -6 brown."""
    return coloured(random, frames, [(20.0, 0.0), (8000.0, db_per_octave * np.log2(400))])


def band(random: Random, frames: int, low_hz: float, high_hz: float, skirt_db: float = 30.0) -> Audio:
    """Noise between two frequencies, falling by `skirt_db` an octave outside."""
    return coloured(
        random,
        frames,
        [(low_hz / 4, -2 * skirt_db), (low_hz, 0.0), (max(high_hz, low_hz * 1.05), 0.0), (high_hz * 4, -2 * skirt_db)],
    )


def wander(random: Random, frames: int, rate_hz: float) -> Audio:
    """A smooth random curve of variance about 1 that turns about `rate_hz` times a second."""
    knots = max(4, int(frames / RATE_HZ * rate_hz * 2) + 3)
    at = np.linspace(0, knots - 1.001, frames)
    values = random.standard_normal(knots)
    whole = at.astype(int)
    part = 0.5 - 0.5 * np.cos(np.pi * (at - whole))
    return np.asarray((values[whole] * (1 - part) + values[np.minimum(whole + 1, knots - 1)] * part) * 1.2, dtype=np.float32)


def swelling(random: Random, frames: int, rate_hz: float, depth_db: float) -> Audio:
    """A gain that wanders by `depth_db` (standard deviation)."""
    return np.asarray(10 ** (wander(random, frames, rate_hz) * depth_db / 20), dtype=np.float32)


def glide(frequency_hz: NDArray[np.floating], phase: float = 0.0) -> NDArray[np.float64]:
    """Phase in radians of a tone whose frequency moves."""
    return np.asarray(phase + 2 * np.pi * np.cumsum(frequency_hz) / RATE_HZ)


def place(out: Audio, start: int, piece: Any, gain: float = 1.0) -> None:
    """Adds a piece at a sample, cut at the edges."""
    begin, end = max(0, start), min(len(out), start + len(piece))
    if end > begin:
        out[begin:end] += gain * piece[begin - start : end - start]


def fade(frames: int, attack_s: float, release_s: float) -> Audio:
    """A hump: up, hold, down, with rounded corners."""
    at = np.arange(frames) / RATE_HZ
    rise = np.clip(at / max(attack_s, 1e-4), 0, 1)
    fall = np.clip((frames / RATE_HZ - at) / max(release_s, 1e-4), 0, 1)
    return np.asarray(np.sin(np.pi / 2 * np.minimum(rise, fall)) ** 2, dtype=np.float32)


def unit(samples: Any) -> Audio:
    """Scaled to an rms of 1."""
    return np.asarray(samples / (np.sqrt(np.mean(np.square(samples))) + 1e-9), dtype=np.float32)


def between(random: Random, low: float, high: float) -> float:
    """Log-uniform."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def resonant(samples: Audio, frequency_hz: float, width_hz: float) -> Audio:
    """Through one two-pole resonance, peak gain about 1."""
    from scipy.signal import lfilter

    radius = np.exp(-np.pi * width_hz / RATE_HZ)
    poles = [1.0, -2 * radius * np.cos(2 * np.pi * frequency_hz / RATE_HZ), radius**2]
    return np.asarray(lfilter([1 - radius], poles, samples), dtype=np.float32)

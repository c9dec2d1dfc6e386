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


def band_db(samples: NDArray[np.floating], low_hz: float, high_hz: float, rate: int = RATE) -> float:
    """Power between two frequencies in dB full scale, all channels together."""
    spectrum = np.abs(np.fft.rfft(samples, axis=0)) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    power = spectrum[(frequencies >= low_hz) & (frequencies < high_hz)].sum()
    return float(10 * np.log10(2 * power / len(samples) ** 2 + 1e-20))


def voice(length_s: float, pitch_hz: float = 120.0, rate: int = RATE, seed: int = 3) -> NDArray[np.float32]:
    """Something that speaks: pulses with an intonation through four formants, in syllables of uneven length with pauses."""
    rng = np.random.default_rng(seed)
    at = np.arange(round(length_s * rate)) / rate
    syllables = np.zeros_like(at)
    start = 0.1
    while start < length_s - 0.4:
        length = rng.uniform(0.12, 0.4)
        inside = (at >= start) & (at < start + length)
        syllables[inside] = np.sqrt(np.sin(np.pi * (at[inside] - start) / length))
        start += length + rng.choice([0.03, 0.1, 0.6], p=[0.5, 0.3, 0.2])
    knots = np.arange(0, length_s + 1, 0.4)
    pitch = pitch_hz * (1 + 0.02 * np.sin(2 * np.pi * 5 * at) + 0.1 * np.interp(at, knots, rng.normal(size=len(knots))))
    return (0.5 * formants(pulses(pitch, rate), rate) * syllables)[:, None].astype(np.float32)


def pulses(pitch_hz: NDArray[np.float64], rate: int = RATE) -> NDArray[np.float64]:
    """A glottal source: band-limited pulses at a pitch given for each frame, falling by 12 dB an octave."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate
    top = float(pitch_hz.max())
    out = np.zeros_like(phase)
    for harmonic in range(1, int(min(5_000.0, rate / 2.2) / top) + 1):
        out += np.cos(harmonic * phase) / harmonic
    return out


FORMANTS_HZ = ((700.0, 80.0), (1220.0, 90.0), (2600.0, 120.0), (3500.0, 200.0))


def formants(
    source: NDArray[np.float64], rate: int = RATE, resonances: tuple[tuple[float, float], ...] = FORMANTS_HZ
) -> NDArray[np.float64]:
    """Resonances (centre and width in Hz) in a row, peak 1; without others the vowel of "father"."""
    from scipy.signal import lfilter

    out = source
    for centre_hz, width_hz in resonances:
        radius = np.exp(-np.pi * width_hz / rate)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * centre_hz / rate), radius**2]
        out = lfilter([sum(poles)], poles, out)
    return np.asarray(out / np.abs(out).max())


def music(length_s: float, rate: int = RATE) -> NDArray[np.float32]:
    """Plucked chords, one every half second, that die away."""
    at = np.arange(round(length_s * rate)) / rate
    out = np.zeros_like(at)
    chords = ((220, 277, 330), (196, 247, 294), (175, 220, 262), (196, 247, 330))
    for number in range(int(length_s / 0.5)):
        since = at - 0.5 * number
        shape = np.where(since > 0, np.clip(since / 0.004, 0, 1) * np.exp(-4 * np.clip(since, 0, 3)), 0.0)
        for pitch in chords[number % 4]:
            for harmonic in range(1, 8):
                out += 0.08 / harmonic * shape * np.sin(2 * np.pi * pitch * harmonic * since)
    return out[:, None].astype(np.float32)


def sung(
    notes: list[int], off_cents: list[float], note_s: float = 0.5, gap_s: float = 0.05, vibrato_cents: float = 35.0
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A voice on MIDI notes, each off by so many cents, with vibrato after its start; and the pitch of each frame, 0 in gaps."""
    length, gap = round(note_s * RATE), round(gap_s * RATE)
    at = np.arange(length) / RATE
    pitch, level = [], []
    for note, off in zip(notes, off_cents, strict=True):
        swing = vibrato_cents * np.clip((at - 0.15) / 0.1, 0, 1) * np.sin(2 * np.pi * 5.5 * at)
        hz = 440.0 * 2 ** ((note - 69 + (off + swing) / 100) / 12)
        pitch += [hz, np.full(gap, hz[-1])]
        level += [np.clip(at / 0.03, 0, 1) * np.clip((note_s - at) / 0.03, 0, 1), np.zeros(gap)]
    if not gap:
        level = [np.ones(length) if n % 2 == 0 else np.zeros(0) for n in range(len(level))]
    hz, loud = np.concatenate(pitch), np.concatenate(level)
    samples = 0.4 * formants(pulses(hz)) * loud
    return samples[:, None].astype(np.float32), np.where(loud > 0, hz, 0.0)

"""Tools for space: reverb, delay, chorus, width, pan, mono."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.streams import Change, Filter, mapped, steady, stereo_only, with_tail
from llm_music_gen.tools.spec import Range
from llm_music_gen.units import seconds_to_frames

#: Echoes count until they are this much softer.
_INAUDIBLE_DB = 60.0
_LONGEST_TAIL_S = 15.0
_PRE_DELAY_S = 0.012
#: Highs die away faster in rooms: (from, to, share of the decay time).
_DECAY_BANDS = ((0.0, 400.0, 1.0), (400.0, 2_500.0, 0.9), (2_500.0, 6_000.0, 0.65), (6_000.0, 12_000.0, 0.4))
_CHORUS_VOICES = ((0.31, 0.0), (0.47, 0.33), (0.59, 0.71))
_CHORUS_DELAY_S, _CHORUS_SWING_S = 0.016, 0.006


def reverb(audio: Audio, mix: Annotated[float, Range(0, 1)] = 0.2, decay_s: Annotated[float, Range(0.1, 15, "s")] = 1.8) -> Audio:
    """Put it into a room; the sound gets longer by the decay.

    mix: How much room, from 0 to 1 (the room alone); 0.1 to 0.3 sounds natural.
    decay_s: Until the room has died away by 60 dB: 0.4 a room, 1.5 a hall, 3 a church, 6 a cathedral.
    """
    if mix == 0:
        return audio
    return _convolved(with_tail(audio, seconds_to_frames(decay_s, audio.sample_rate_hz)), mix, decay_s)


def _convolved(audio: Audio, mix: float, decay_s: float) -> Audio:
    """Overlap-add with a synthesised room of its own for each channel; dry falls as wet rises, so that the level stays."""
    from scipy.fft import irfft, next_fast_len, rfft

    dry, wet = np.float32(math.cos(mix * math.pi / 2)), np.float32(math.sin(mix * math.pi / 2))

    def walk() -> Iterator[Block]:
        room = _room(audio.sample_rate_hz, audio.channels, decay_s)
        piece = max(1 << 14, 1 << (room.shape[1] - 1).bit_length())
        size = next_fast_len(piece + room.shape[1] - 1, real=True)
        # One channel at a time: memory stays the same for 2 channels and for 32.
        spectra = [rfft(channel, size) for channel in room]
        tail = np.zeros((audio.channels, room.shape[1] - 1), dtype=np.float32)
        for block in steady(audio.walk(), piece):
            out = np.empty_like(block)
            for number, spectrum in enumerate(spectra):
                whole = irfft(rfft(np.ascontiguousarray(block[:, number]), size) * spectrum, size)
                whole[: tail.shape[1]] += tail[number]
                out[:, number] = dry * block[:, number] + wet * whole[: len(block)]
                tail[number] = whole[len(block) : len(block) + tail.shape[1]]
            yield out

    return replace(audio, walk=walk)


@lru_cache(maxsize=4)
def _room(sample_rate_hz: int, channels: int, decay_s: float) -> NDArray[np.float32]:
    """Impulse responses: noise that dies away by 60 dB in `decay_s`, highs faster, unrelated between channels. Unit energy."""
    from scipy.signal import butter, sosfilt

    frames = max(1, seconds_to_frames(decay_s, sample_rate_hz))
    at_s = np.arange(frames) / sample_rate_hz
    out = np.zeros((channels, frames), dtype=np.float32)
    onset = np.minimum(1.0, at_s / 0.004)
    before = min(frames - 1, round(_PRE_DELAY_S * sample_rate_hz))
    for channel in range(channels):
        noise = np.random.default_rng((1_816, channel)).standard_normal(frames)
        sound = np.zeros(frames)
        for low_hz, high_hz, share in _DECAY_BANDS:
            if low_hz >= 0.45 * sample_rate_hz:
                continue
            high_hz = min(high_hz, 0.45 * sample_rate_hz)
            edges = high_hz if low_hz == 0 else (low_hz, high_hz)
            band = sosfilt(butter(2, edges, "low" if low_hz == 0 else "band", output="sos", fs=sample_rate_hz), noise)
            sound += band * 10.0 ** (-3.0 * at_s / (decay_s * share))
        sound = sosfilt(butter(2, 120.0, "high", output="sos", fs=sample_rate_hz), sound * onset)
        out[channel, before:] = sound[: frames - before] / math.sqrt(float(np.sum(sound[: frames - before] ** 2)) + 1e-30)
    return out


def delay(
    audio: Audio,
    ms: Annotated[float, Range(10, 4000, "ms")] = 375.0,
    feedback: Annotated[float, Range(0, 0.95)] = 0.35,
    mix: Annotated[float, Range(0, 1)] = 0.25,
) -> Audio:
    """Add echoes; the sound gets longer by those that follow its end.

    ms: Time between echoes.
    feedback: How much of each echo is left in the next.
    mix: Level of the first echo.
    """
    if mix == 0:
        return audio
    step = max(1, round(ms * audio.sample_rate_hz / 1000))
    echoes = 1 if feedback < 0.001 else 1 + math.floor(_INAUDIBLE_DB / (-20 * math.log10(feedback)))
    tail = min(echoes * step, max(step, seconds_to_frames(_LONGEST_TAIL_S, audio.sample_rate_hz)))
    longer = with_tail(audio, tail)

    def walk() -> Iterator[Block]:
        from scipy.signal import lfilter

        # A row is one step: the echo of each frame stands right under it, so the recursion runs down the columns.
        rows = max(1, (1 << 17) // step)
        state = np.zeros((1, step * audio.channels))
        for block in steady(longer.walk(), rows * step):
            grid = np.zeros((rows * step, audio.channels))
            grid[: len(block)] = block
            echo, state = lfilter([0.0, 1.0], [1.0, -feedback], grid.reshape(rows, -1), axis=0, zi=state)
            yield (block + mix * echo.reshape(-1, audio.channels)[: len(block)]).astype(np.float32)

    return replace(longer, walk=walk)


def chorus(audio: Audio, depth: Annotated[float, Range(0, 1)] = 0.4) -> Audio:
    """Let it sound like several at once.

    depth: How much of the others, and how far out of tune.
    """
    if depth == 0:
        return audio
    rate = audio.sample_rate_hz
    longest = math.ceil((_CHORUS_DELAY_S + _CHORUS_SWING_S) * rate) + 4

    def start() -> Change:
        before = np.zeros((longest, audio.channels), dtype=np.float32)
        done = 0

        def change(block: Block) -> Block:
            nonlocal before, done
            joined = np.concatenate((before, block))
            at_s = np.arange(done, done + len(block)) / rate
            out = block.astype(np.float64)
            for channel in range(audio.channels):
                for hz, phase in _CHORUS_VOICES:
                    swing = np.sin(2 * np.pi * (hz * at_s + phase + 0.25 * channel))
                    late = (_CHORUS_DELAY_S + _CHORUS_SWING_S * (0.2 + 0.8 * depth) * swing) * rate
                    out[:, channel] += depth * 0.4 * _read(joined[:, channel], longest + np.arange(len(block)) - late)
            before = joined[-longest:]
            done += len(block)
            return np.asarray(out / math.sqrt(1.0 + len(_CHORUS_VOICES) * (0.4 * depth) ** 2), dtype=np.float32)

        return change

    return mapped(replace(audio, walk=lambda: steady(audio.walk())), start)


def _read(samples: NDArray[np.float32], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Between the samples, by cubic Lagrange polynomials."""
    whole = np.floor(at).astype(np.int64)
    x = at - whole
    a, b, c, d = (samples[whole + offset].astype(np.float64) for offset in (-1, 0, 1, 2))
    return np.asarray(
        a * (-x * (x - 1) * (x - 2) / 6)
        + b * ((x + 1) * (x - 1) * (x - 2) / 2)
        + c * (-x * (x + 1) * (x - 2) / 2)
        + d * (x * (x + 1) * (x - 1) / 6)
    )


def width(
    audio: Audio, amount: Annotated[float, Range(0, 2)] = 1.3, bass_mono_hz: Annotated[float, Range(0, 500, "Hz")] = 120.0
) -> Audio:
    """Make the stereo image narrower or wider; the mono sum stays exactly the same.

    amount: 0 mono, 1 as it is, 2 twice as wide.
    bass_mono_hz: Below this the bass is kept in the middle; 0 leaves it.
    """
    stereo_only(audio, "width")
    from scipy.signal import butter

    sections = butter(2, bass_mono_hz, "high", output="sos", fs=audio.sample_rate_hz) if bass_mono_hz > 0 else None

    def start() -> Change:
        high = Filter(sections, 1) if sections is not None else None

        def change(block: Block) -> Block:
            samples = block.astype(np.float64)
            mid = (samples[:, :1] + samples[:, 1:]) / 2
            side = (samples[:, :1] - samples[:, 1:]) / 2
            side = amount * (high(side) if high is not None else side)
            return np.concatenate((mid + side, mid - side), axis=1).astype(np.float32)

        return change

    return mapped(audio, start)


def pan(audio: Audio, pos: Annotated[float, Range(-1, 1)]) -> Audio:
    """Move it to one side. Mono becomes stereo of the same power.

    pos: -1 left, 0 middle, 1 right.
    """
    if audio.channels == 1:
        angle = (pos + 1) * math.pi / 4
        gains = np.array([math.cos(angle), math.sin(angle)], dtype=np.float32)
        return mapped(audio, lambda: lambda block: block * gains, channels=2)
    stereo_only(audio, "pan")
    balance = np.array([math.cos(max(0.0, pos) * math.pi / 2), math.cos(max(0.0, -pos) * math.pi / 2)], dtype=np.float32)
    return mapped(audio, lambda: lambda block: block * balance)


def mono(audio: Audio) -> Audio:
    """Mix all channels to one."""
    if audio.channels == 1:
        return audio
    return mapped(audio, lambda: lambda block: block.mean(axis=1, keepdims=True, dtype=np.float64), channels=1)

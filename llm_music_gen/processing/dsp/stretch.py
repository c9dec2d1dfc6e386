"""Longer or shorter, higher or lower: time-stretching and transposition. The only module that imports python_stretch.

Signalsmith's stretcher keeps transients where a phase vocoder smears them, but takes a whole signal at once. So the stream goes
through it in long overlapping pieces, and where two pieces meet the later one is shifted by a few milliseconds until its waves
lie on those of the earlier one. Transposition is a stretch followed by exact resampling: the stretcher's own is out by up to
25 cents on low tones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import UsageError
from llm_music_gen.processing.audio import Audio, Block

#: What one piece may hold over all channels; 20 s of stereo at 44.1 kHz.
_PIECE_SAMPLES = 1 << 21
_FADE_S = 0.04
#: How far a piece may be moved to lie on the one before it: half a period of 80 Hz.
_ALIGN_S = 0.006
#: Beyond this ratio one pass is audibly out of tune, so several follow each other.
_RATIO_OF_A_PASS = 2.0
MAX_TIME_RATIO = 8.0
MAX_SEMITONES = 36.0


def stretched(audio: Audio, time_ratio: float = 1.0, semitones: float = 0.0) -> Audio:
    """The same sound `time_ratio` times as long and `semitones` higher, each independent of the other.

    The length is exact to the frame. `time_ratio` lies in 1/8 to 8, `semitones` in -36 to 36; raises UsageError outside.
    """
    if not 1 / MAX_TIME_RATIO <= time_ratio <= MAX_TIME_RATIO:
        raise UsageError(f"Sound can be made 1/{MAX_TIME_RATIO:g} to {MAX_TIME_RATIO:g} times as long, not {time_ratio:g} times.")
    if not abs(semitones) <= MAX_SEMITONES:
        raise UsageError(f"Sound can be moved by up to {MAX_SEMITONES:g} semitones, not by {semitones:g}.")
    return fitted(audio, max(1, round(audio.frames * time_ratio)) if audio.frames else 0, semitones)


def fitted(audio: Audio, frames: int, semitones: float = 0.0) -> Audio:
    """The same sound in exactly `frames` frames, pitch kept or moved by `semitones`."""
    if not audio.frames or (frames == audio.frames and not semitones):
        return audio

    def walk() -> Iterator[Block]:
        plan = _Plan.of(audio, frames, semitones)
        return _joined(plan, _pieces(audio, plan))

    return Audio(audio.sample_rate_hz, audio.channels, frames, walk)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a stream is cut. Lengths in output frames unless they say otherwise."""

    frames: int
    ratio: float
    pitch: float
    """Frequency ratio of the transposition."""
    sample_rate_hz: int
    channels: int
    piece: int
    margin: int
    """Computed around each piece and dropped: where the stretcher starts up."""
    fade: int
    align: int

    @staticmethod
    def of(audio: Audio, frames: int, semitones: float) -> _Plan:
        rate = audio.sample_rate_hz
        ratio = frames / audio.frames
        fade, align = max(8, round(_FADE_S * rate)), max(1, round(_ALIGN_S * rate))
        margin = 4 * _block_frames(rate) + align
        source_frames = max(_PIECE_SAMPLES // audio.channels, 8 * margin)
        piece = min(max(round(source_frames * min(1.0, ratio)), 4 * (fade + align)), frames)
        return _Plan(frames, ratio, 2.0 ** (semitones / 12.0), rate, audio.channels, piece, margin, fade, align)


def _block_frames(sample_rate_hz: int) -> int:
    """The stretcher's window: 120 ms as in its own preset, but never too small to work at all."""
    return max(64, round(0.12 * sample_rate_hz) // 4 * 4)


def _pieces(audio: Audio, plan: _Plan) -> Iterator[NDArray[np.float32]]:
    """Stretched pieces, shape (channels, align + piece + fade + align); the ends of the stream are padded with silence."""
    blocks = audio.walk()
    held = np.zeros((0, audio.channels), dtype=np.float32)
    held_from = 0
    for start in range(0, plan.frames, plan.piece):
        first = start - plan.margin
        last = start + plan.piece + plan.fade + plan.margin
        source_first, source_last = math.floor(first / plan.ratio), math.ceil(last / plan.ratio)
        parts, have = [held], held_from + len(held)
        while have < min(source_last, audio.frames) and (block := next(blocks, None)) is not None:
            parts.append(block)
            have += len(block)
        held = np.concatenate(parts)[max(0, source_first - held_from) :]
        held_from = max(held_from, source_first)
        source = np.zeros((audio.channels, source_last - source_first), dtype=np.float32)
        inside = held[: source_last - held_from].T
        at = held_from - source_first
        source[:, at : at + inside.shape[1]] = inside
        wanted = last - first
        # The stretcher maps the whole of its input onto the whole of its output; what rounding to frames adds is cut off again.
        long = max(1, round(source.shape[1] * plan.ratio))
        begin = round(source_first * plan.ratio)
        out = _resized(source, long, plan)
        skip = max(0, first - begin) + plan.margin - plan.align
        keep = 2 * plan.align + plan.piece + plan.fade
        out = out[:, skip : skip + keep]
        yield np.pad(out, ((0, 0), (0, max(0, min(wanted, keep) - out.shape[1]))))


def _resized(source: NDArray[np.float32], frames: int, plan: _Plan) -> NDArray[np.float32]:
    """`source`, shape (channels, n), in `frames` frames, transposed; the stretcher takes at most two channels at a time."""
    out = np.zeros((len(source), frames), dtype=np.float32)
    for channel in range(0, len(source), 2):
        pair = source[channel : channel + 2]
        if not np.any(pair):
            continue
        long = _stretched_passes(pair, max(1, round(frames * plan.pitch)), plan.sample_rate_hz)
        out[channel : channel + 2] = _resampled(long, frames)
    return out


def _stretched_passes(pair: NDArray[np.float32], frames: int, sample_rate_hz: int) -> NDArray[np.float32]:
    import python_stretch

    ratio = frames / pair.shape[1]
    passes = max(1, math.ceil(abs(math.log(ratio)) / math.log(_RATIO_OF_A_PASS) - 1e-9))
    block = _block_frames(sample_rate_hz)
    for number in range(1, passes + 1):
        if pair.shape[1] == frames:
            break
        wanted = frames if number == passes else max(1, round(pair.shape[1] * ratio ** (1 / passes)))
        engine = python_stretch.Signalsmith.Stretch(1)
        engine.configure(len(pair), block, block // 4)
        engine.setTimeFactor(pair.shape[1] / wanted)
        out = np.asarray(engine.process(np.ascontiguousarray(pair)), dtype=np.float32)
        pair = np.pad(out[:, :wanted], ((0, 0), (0, max(0, wanted - out.shape[1]))))
    return pair


def _resampled(pair: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The whole of `pair` in `frames` frames, pitch and time together, by the spectrum: exact for every ratio."""
    from scipy.fft import irfft, rfft

    old = pair.shape[1]
    if old == frames:
        return pair
    spectrum = rfft(pair, axis=1)
    out = np.zeros((len(pair), frames // 2 + 1), dtype=spectrum.dtype)
    kept = min(out.shape[1], spectrum.shape[1])
    out[:, :kept] = spectrum[:, :kept]
    return np.asarray(irfft(out, frames, axis=1) * (frames / old), dtype=np.float32)


def _joined(plan: _Plan, pieces: Iterator[NDArray[np.float32]]) -> Iterator[Block]:
    """Blocks of shape (n, channels), `plan.frames` in all."""
    tail: NDArray[np.float32] | None = None
    written = 0
    for piece in pieces:
        at = plan.align
        if tail is not None:
            at += _best_shift(tail, piece, plan)
        body = piece[:, at : at + plan.piece + plan.fade]
        body = np.pad(body, ((0, 0), (0, plan.piece + plan.fade - body.shape[1])))
        head = body[:, : plan.fade] if tail is None else _crossfaded(tail, body[:, : plan.fade])
        whole = np.concatenate((head, body[:, plan.fade : plan.piece]), axis=1)
        tail = body[:, plan.piece :]
        block = whole[:, : plan.frames - written]
        written += block.shape[1]
        yield np.ascontiguousarray(block.T)


def _best_shift(tail: NDArray[np.float32], piece: NDArray[np.float32], plan: _Plan) -> int:
    """How many frames (-align to align) later the piece has to be taken to continue the tail's waves."""
    from scipy.signal import correlate

    there = piece[:, : 2 * plan.align + plan.fade].sum(axis=0, dtype=np.float64)
    here = tail.sum(axis=0, dtype=np.float64)
    scores = correlate(there, here, mode="valid")
    energy = np.convolve(np.square(there), np.ones(plan.fade), mode="valid")
    scores = scores / np.sqrt(energy + 1e-9)
    return int(np.argmax(scores)) - plan.align if scores.max() > 0 else 0


def _crossfaded(old: NDArray[np.float32], new: NDArray[np.float32]) -> NDArray[np.float32]:
    """From old to new at even power, whatever the two have in common."""
    rise = np.linspace(0.0, 1.0, old.shape[1] + 2)[1:-1].astype(np.float32)
    power = float(np.sqrt(np.sum(np.square(old), dtype=np.float64) * np.sum(np.square(new), dtype=np.float64)))
    alike = max(0.0, float(np.sum(old * new, dtype=np.float64)) / power) if power > 0 else 1.0
    level = np.sqrt(rise**2 + (1 - rise) ** 2 + 2 * alike * rise * (1 - rise))
    return np.asarray((old * (1 - rise) + new * rise) / level, dtype=np.float32)

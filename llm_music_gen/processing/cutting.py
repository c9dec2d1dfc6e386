"""Tools that cut and join: trim, loop, concat, mix, silence, reverse."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError, UsageError
from llm_music_gen.processing.audio import BLOCK_FRAMES, Audio, Block
from llm_music_gen.processing.files import backwards, opened
from llm_music_gen.processing.levels import fade
from llm_music_gen.processing.rates import resampled
from llm_music_gen.processing.space import mono
from llm_music_gen.processing.streams import mapped, silent, steady, stretch_of
from llm_music_gen.sound.loudness import loudest
from llm_music_gen.tools.spec import Range
from llm_music_gen.units import db_to_gain, seconds_to_frames

#: Moments whose peaks stay under this are silence: under the breath of a quiet room, over the hiss of a good recording.
_SILENCE_DBFS = -50.0
_MOMENT_S = 0.01
#: What is left of a pause that is taken out, and what is left around the sound.
_PAUSE_S = 0.25
_EDGE_S = 0.02
_JOINT_S = 0.01
_LONGEST_S = 86_400


def trim(
    audio: Audio,
    start_s: Annotated[float, Range(-86400, 86400, "s")] = 0.0,
    end_s: Annotated[float | None, Range(-86400, 86400, "s")] = None,
) -> Audio:
    """Keep only a part.

    start_s: Where the part begins; negative counts from the end.
    end_s: Where it ends; negative counts from the end, nothing is the end.
    """

    def frame(at_s: float) -> int:
        frames = seconds_to_frames(at_s, audio.sample_rate_hz)
        return frames + audio.frames if at_s < 0 else frames

    first, last = frame(start_s), audio.frames if end_s is None else frame(end_s)
    part = stretch_of(audio, first, last)
    if not part.frames:
        raise SoundError(f"Nothing is left: the sound is {audio.length_s:.1f} s long.", hint="Choose a part inside it.")
    return part


def loop(
    audio: Audio, to_s: Annotated[float, Range(0.1, _LONGEST_S, "s")], crossfade_s: Annotated[float, Range(0, 60, "s")] = 2.0
) -> Audio:
    """Repeat it until a length is reached; ends with a short fade.

    to_s: The length.
    crossfade_s: How far each end melts into the next beginning.
    """
    rate = audio.sample_rate_hz
    frames = seconds_to_frames(to_s, rate)
    if not audio.frames:
        raise SoundError("Silence of no length cannot be repeated.")
    overlap = min(seconds_to_frames(crossfade_s, rate), audio.frames // 3)
    times = max(1, math.ceil((frames - overlap) / (audio.frames - overlap)))
    whole = stretch_of(joined([audio] * times, overlap), 0, frames)
    return fade(whole, out_s=max(_JOINT_S, min(crossfade_s, to_s / 4))) if whole.frames < times * audio.frames else whole


def concat(audio: Audio, files: list[str] | None = None, crossfade_s: Annotated[float, Range(0, 60, "s")] = 0.0) -> Audio:
    """Put other files behind it.

    files: The files, in order; nothing means the other files that were given.
    crossfade_s: How far each end melts into the next beginning.
    """
    others = _others(audio, files, "concat")
    shortest = min(piece.frames for piece in (audio, *others))
    overlap = min(seconds_to_frames(crossfade_s, audio.sample_rate_hz), shortest // 2)
    return joined([audio, *others], overlap)


def mix(audio: Audio, files: list[str] | None = None, gain_db: Annotated[float, Range(-60, 24, "dB")] = 0.0) -> Audio:
    """Let other files sound at the same time; as long as the longest.

    files: The files; nothing means the other files that were given.
    gain_db: Level of the others.
    """
    others = _others(audio, files, "mix")
    return summed(audio, others, gain_db)


def silence(
    audio: Audio,
    remove: Literal["ends", "all"] | None = None,
    insert_s: Annotated[float, Range(0, 3600, "s")] = 0.0,
) -> Audio:
    """Take silence away, or put some in front.

    remove: ends cuts it off at both ends, all shortens long pauses too.
    insert_s: Silence put in front.
    """
    out = _without_silence(audio, between=remove == "all") if remove else audio
    if insert_s:
        out = joined([silent(out, seconds_to_frames(insert_s, out.sample_rate_hz)), out], 0)
    return out


def reverse(audio: Audio) -> Audio:
    """Play it backwards."""
    return replace(audio, walk=lambda: backwards(audio))


def summed(audio: Audio, others: Sequence[Audio], gain_db: float = 0.0) -> Audio:
    """All at once, as long as the longest; the others, made like the first, at another level."""
    others = [_alike(other, audio) for other in others]
    factor = np.float32(db_to_gain(gain_db))
    frames = max(piece.frames for piece in (audio, *others))

    def walk() -> Iterator[Block]:
        streams = [steady(piece.walk()) for piece in (audio, *others)]
        for start in range(0, frames, BLOCK_FRAMES):
            out = np.zeros((min(BLOCK_FRAMES, frames - start), audio.channels), dtype=np.float32)
            for number, stream in enumerate(streams):
                block = next(stream, None)
                if block is not None:
                    out[: len(block)] += block * factor if number else block
            yield out

    return replace(audio, frames=frames, walk=walk)


def joined(pieces: Sequence[Audio], overlap: int) -> Audio:
    """One after the other, each melting into the next over `overlap` frames, at the same power all along.

    All pieces are of one kind and at least twice as long as the overlap but for the last, which is at least as long.
    """
    frames = sum(piece.frames for piece in pieces) - overlap * (len(pieces) - 1)
    first = pieces[0]

    def walk() -> Iterator[Block]:
        held = np.zeros((0, first.channels), dtype=np.float32)
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            head: list[Block] = []
            missing = len(held)
            for block in piece.walk():
                if missing:
                    head.append(block[:missing])
                    block = block[missing:]
                    missing -= len(head[-1])
                    if missing:
                        continue
                    yield _melted(held, np.concatenate(head))
                    held = np.zeros((0, first.channels), dtype=np.float32)
                if last or not overlap:
                    if len(block):
                        yield block
                    continue
                held = np.concatenate((held, block))
                if len(held) > overlap:
                    yield held[: len(held) - overlap]
                    held = held[len(held) - overlap :]

    return replace(first, frames=frames, walk=walk)


def _melted(old: NDArray[np.float32], new: NDArray[np.float32]) -> Block:
    """Equal power where the two are unrelated; less where they are alike, so that nothing swells."""
    alike = float(np.sum(old * new, dtype=np.float64)) / (
        math.sqrt(float(np.sum(np.square(old), dtype=np.float64)) * float(np.sum(np.square(new), dtype=np.float64))) + 1e-20
    )
    place = (np.arange(len(old)) + 0.5) / len(old)
    rising, falling = np.sin(place * np.pi / 2), np.cos(place * np.pi / 2)
    # The power of a sum of two sounds whose correlation is `alike`.
    power = rising**2 + falling**2 + 2 * max(0.0, alike) * rising * falling
    level = 1.0 / np.sqrt(power)
    out: Block = (old * (falling * level)[:, None] + new * (rising * level)[:, None]).astype(np.float32)
    return out


def _others(audio: Audio, files: list[str] | None, tool: str) -> list[Audio]:
    if not files:
        raise UsageError(f"{tool} needs at least one more file.")
    return [_alike(opened(Path(file)).audio, audio) for file in files]


def _alike(other: Audio, audio: Audio) -> Audio:
    """Of the same rate and as many channels."""
    other = resampled(other, audio.sample_rate_hz)
    if other.channels == audio.channels:
        return other
    if audio.channels == 1 or other.channels != 1:
        other = mono(other)
    return mapped(other, lambda: lambda block: np.repeat(block, audio.channels, axis=1), channels=audio.channels)


def _without_silence(audio: Audio, *, between: bool) -> Audio:
    kept = _sounding(audio, between=between)
    if not kept:
        raise SoundError("Nothing is left: the whole sound is silence.")
    parts = [stretch_of(audio, first, last) for first, last in kept]
    if len(parts) == 1:
        return parts[0]
    return replace(audio, frames=sum(part.frames for part in parts), walk=partial(_spliced, audio, kept))


def _sounding(audio: Audio, *, between: bool) -> list[tuple[int, int]]:
    """First and last frame of what is kept."""
    moment = max(1, round(_MOMENT_S * audio.sample_rate_hz))
    peaks = [float(loudest(block).max()) for block in steady(audio.walk(), moment)]
    sounding = np.flatnonzero(np.array(peaks) >= db_to_gain(_SILENCE_DBFS))
    if not len(sounding):
        return []
    pause = 2 * round(_PAUSE_S / _MOMENT_S) if between else len(peaks)
    breaks = np.flatnonzero(np.diff(sounding) > pause)
    firsts = sounding[np.concatenate(([0], breaks + 1))]
    lasts = sounding[np.concatenate((breaks, [len(sounding) - 1]))]
    edge, half_pause = (round(length_s * audio.sample_rate_hz) for length_s in (_EDGE_S, _PAUSE_S / 2))
    out = []
    for number, (first, last) in enumerate(zip(firsts.tolist(), lasts.tolist(), strict=True)):
        before = edge if number == 0 else half_pause
        after = edge if number == len(firsts) - 1 else half_pause
        out.append((max(0, first * moment - before), min(audio.frames, (last + 1) * moment + after)))
    return out


def _spliced(audio: Audio, kept: list[tuple[int, int]]) -> Iterator[Block]:
    """The parts, in one walk over the whole; joints lie in silence and are faded."""
    joint = max(1, round(_JOINT_S * audio.sample_rate_hz))
    at, number = 0, 0
    for block in audio.walk():
        while number < len(kept) and kept[number][0] < at + len(block):
            first, last = kept[number]
            part = block[max(0, first - at) : last - at]
            frames = np.arange(max(first, at), max(first, at) + len(part))
            curve = np.ones(len(part))
            if number:
                curve *= np.clip((frames - first + 0.5) / joint, 0.0, 1.0)
            if number < len(kept) - 1:
                curve *= np.clip((last - frames - 0.5) / joint, 0.0, 1.0)
            if len(part):
                yield (part * curve[:, None]).astype(np.float32)
            if last > at + len(block):
                break
            number += 1
        at += len(block)

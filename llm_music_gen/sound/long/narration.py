"""A voice over a track of hours: the music gives way while it speaks, by a gain that depends on the absolute frame alone.

The voice joins when the segments become the finished file, not when they are rendered: segments stay music alone, so that speech
is never taken for an event that stands out of calm music, and its level is known against the loudness of the whole track.
Any stretch is still a pure function of the recipe and its frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.long.store import FinishedSegments, SegmentRow, segment_at, segment_count, segment_range
from llm_music_gen.sound.loudness import LoudnessMeter, TruePeak, integrated_lufs
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain, gain_to_db

_STEP = SAMPLE_RATE_HZ // 10
#: A whole number of steps.
_BLOCK = 60 * _STEP
_UNITY = np.ones(1, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Ducking:
    """How the music gives way."""

    depth_db: float
    """By how much, above 0."""
    attack_s: float
    """It has gone down so long before the first word ..."""
    release_s: float
    """... and comes up within this after the last."""
    hold_s: float
    """In pauses up to this it stays down; never less than attack and release together, so that ramps never meet."""

    def together(self, spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """(first frame, end frame) of everything that is spoken without a pause in which the music would come up."""
        hold = max(self.hold_s, self.attack_s + self.release_s) * SAMPLE_RATE_HZ
        out: list[tuple[int, int]] = []
        for first, frames in spans:
            if out and first - out[-1][1] <= hold:
                out[-1] = (out[-1][0], first + frames)
            else:
                out.append((first, first + frames))
        return tuple(out)

    def gain(self, together: Sequence[tuple[int, int]], first_frame: int, frames: int) -> NDArray[np.float32]:
        """The music's gain at frames [first_frame, first_frame + frames), shape (frames, 1), or 1 where nobody speaks.

        In dB it falls and rises by the smooth step 3x^2 - 2x^3.
        """
        attack, release = self.attack_s * SAMPLE_RATE_HZ, self.release_s * SAMPLE_RATE_HZ
        near = [(first, end) for first, end in together if first - attack < first_frame + frames and end + release > first_frame]
        if not near:
            return _UNITY
        at = (first_frame + np.arange(frames)).astype(np.float64)
        depth = np.zeros(frames)
        for first, end in near:
            down = np.clip((at - (first - attack)) / max(1.0, attack), 0.0, 1.0)
            up = np.clip((end + release - at) / max(1.0, release), 0.0, 1.0)
            x = np.minimum(down, up)
            depth = np.maximum(depth, x * x * (3.0 - 2.0 * x))
        return np.asarray((10.0 ** (-self.depth_db / 20.0 * depth))[:, None], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Narration:
    """A voice and when it speaks; small enough to be sent to a worker."""

    speech: Path
    """Mono at the track's rate: everything that is spoken, one after the other without the pauses."""
    spans: tuple[tuple[int, int], ...]
    """(first frame in the track, frames) of each piece, in order, apart from each other; all on whole steps of 100 ms."""
    ducking: Ducking
    over_music_lu: float = 0.0
    """How much louder than the music the voice is."""

    def voiced(self, level: float) -> Voiced:
        """With the voice at a level against the music as it was rendered."""
        return Voiced(self, self.ducking.together(self.spans), level)

    def steps(self) -> tuple[NDArray[np.float64], float]:
        """The meter's steps of the voice as it lies in its file, on both ears, and its linear true peak. Raises SoundError."""
        meter, peak = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False), TruePeak()
        for block in self._blocks():
            both = np.repeat(block, 2, axis=1)
            meter.push(both)
            peak.push(both)
        return meter.steps(), peak.value()

    def read(self, offset: int, frames: int) -> NDArray[np.float32]:
        """Samples of the voice from a frame of its file on, shape (frames, 1). Raises SoundError."""
        import soundfile

        try:
            with soundfile.SoundFile(str(self.speech)) as file:
                file.seek(offset)
                out: NDArray[np.float32] = file.read(frames, dtype="float32", always_2d=True)
        except (OSError, RuntimeError) as error:
            raise _unreadable(self.speech) from error
        if out.shape != (frames, 1):
            raise _unreadable(self.speech)
        return out

    def _blocks(self) -> Iterator[NDArray[np.float32]]:
        frames = sum(length for _, length in self.spans)
        for offset in range(0, frames, _BLOCK):
            yield self.read(offset, min(_BLOCK, frames - offset))


@dataclass(frozen=True, slots=True)
class Voiced:
    """A narration ready to be laid over the music."""

    narration: Narration
    together: tuple[tuple[int, int], ...]
    """As `Ducking.together`."""
    level: float
    """Linear gain of the voice's file against the music as it was rendered."""

    def over(self, music: NDArray[np.float32], first_frame: int) -> NDArray[np.float32]:
        """The music of a stretch, shape (frames, 2), given way and with the voice on both sides."""
        out = music * self.narration.ducking.gain(self.together, first_frame, len(music))
        offset, stop = 0, first_frame + len(music)
        for first, frames in self.narration.spans:
            begin, end = max(first, first_frame), min(first + frames, stop)
            if begin < end:
                spoken = self.narration.read(offset + begin - first, end - begin)
                out[begin - first_frame : end - first_frame] += spoken * np.float32(self.level)
            offset += frames
        return out


@dataclass(frozen=True, slots=True)
class VoicedSegments(FinishedSegments):
    """All segments of a track with the voice over them."""

    voice: Voiced

    @staticmethod
    def of(segments: FinishedSegments, voice: Voiced) -> VoicedSegments:
        """The segments with a voice."""
        return VoicedSegments(segments.folder, segments.frames, segments.sha256, voice)

    def pieces(self, first_frame: int, stop_frame: int, gain: float) -> Iterator[NDArray[np.float32]]:
        """See `FinishedSegments.pieces`. Raises SegmentDamaged, SoundError."""
        for index in range(segment_at(first_frame), segment_count(stop_frame)):
            start, _ = segment_range(index, self.frames)
            begin = max(0, first_frame - start)
            yield self.voice.over(self.segment(index)[begin : stop_frame - start], start + begin) * np.float32(gain)

    def blocks(self, gain: float) -> Iterator[NDArray[np.float32]]:
        """See `FinishedSegments.blocks`. Raises SegmentDamaged, SoundError."""
        yield from self.pieces(0, self.frames, gain)


@dataclass(frozen=True, slots=True)
class NarratedLoudness:
    """A track with its voice, before the master."""

    level: float
    """As `Voiced.level`."""
    integrated_lufs: float
    true_peak_db: float
    """An upper bound: peaks of music and voice are taken to fall together."""


def narrated_loudness(rows: Mapping[int, SegmentRow], narration: Narration, frames: int) -> NarratedLoudness:
    """How loud the voice has to be over the music of all segments, and how loud the whole is then.

    The voice gets the loudness of the music as a whole or where it speaks, whichever is louder. Raises SoundError where one of
    the two is silent.
    """
    music_steps = np.concatenate([np.array(rows[index].steps) for index in sorted(rows)])
    music_peak = max(row.true_peak for row in rows.values())
    spoken, spoken_peak = narration.steps()
    spoken_lufs = integrated_lufs(spoken)
    if not np.isfinite(spoken_lufs):
        raise SoundError("The narration is silent.", hint="Choose another voice.")
    together = narration.ducking.together(narration.spans)
    voice = np.zeros(len(music_steps))
    offset = 0
    for first, length in narration.spans:
        begin, count = first // _STEP, length // _STEP
        voice[begin : begin + count] = spoken[offset : offset + count]
        offset += count
    under = music_steps[voice > 0.0]
    music_lufs = max(integrated_lufs(music_steps), integrated_lufs(under))
    if not np.isfinite(music_lufs):
        raise SoundError("There is nothing but silence under the narration.", hint="Choose another style or other layers.")
    level = db_to_gain(music_lufs + narration.over_music_lu - spoken_lufs)
    # Ten points a step: the curve is smooth.
    curve = np.concatenate([
        np.broadcast_to(narration.ducking.gain(together, start, size), (size, 1))[:: _STEP // 10, 0]
        for start, size in ((start, min(_BLOCK, frames - start)) for start in range(0, frames, _BLOCK))
    ])  # fmt: skip
    power = np.square(curve[: len(music_steps) * 10].astype(np.float64)).reshape(-1, 10).mean(axis=1)
    mixed = music_steps * power + level**2 * voice
    depth = db_to_gain(-narration.ducking.depth_db)
    peak = max(music_peak, depth * music_peak + level * spoken_peak)
    return NarratedLoudness(level, integrated_lufs(mixed), gain_to_db(peak))


def _unreadable(path: Path) -> SoundError:
    return SoundError(f"The narration {path} cannot be read.", hint="Throw the track away and make it anew.")

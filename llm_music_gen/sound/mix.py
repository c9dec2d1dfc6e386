"""Plays an arrangement into a stereo mix, block by block, so an hour needs no more memory than a minute.

Every part is the sum of its notes; parts get their gain, place and cuts, send into one room and one delay, and duck under the
kick drum where the style says so. What comes out is float32 on disk, exactly as long as the arrangement.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.score import Arrangement, Part
from llm_music_gen.errors import SoundError, StorageError
from llm_music_gen.sound.ahead import ahead
from llm_music_gen.sound.effects import Effect, mix_bus, part_filter, room_reverb, tempo_delay
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter
from llm_music_gen.sound.notes import NoteCache, choke_frames
from llm_music_gen.sound.synth import BLOCK, FluidNoteSynth
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain, ql_to_seconds

BLOCK_FRAMES = 65_536
_KICKS = frozenset((35, 36))
#: Everything is faded over the last moment, so that the last sample is zero.
LAST_FADE = int(0.05 * SAMPLE_RATE_HZ)
_CHOKE_FADE = 330
#: How much of held sound goes into the room: it has space of its own.
_HELD_SEND = np.float32(0.25)
#: No release of any voice or preset is longer.
LONGEST_RELEASE = 6 * SAMPLE_RATE_HZ
_NOTHING = np.zeros((0, 2), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class RenderedMix:
    """A mix on disk: raw float32, interleaved stereo."""

    path: Path
    frames: int
    loudness: Loudness
    """Before mastering; its peak is that of the samples."""

    def samples(self) -> NDArray[np.float32]:
        """The samples, shape (frames, 2), read from disk as they are used."""
        return np.memmap(self.path, dtype=np.float32, mode="r", shape=(self.frames, 2))


def render_mix(arrangement: Arrangement, soundfont: Path, path: Path, strip: StripOf | None = None) -> Work[RenderedMix]:
    """Render to `path` (raw float32 stereo). Yields progress of the stage "sound"; removes the file when it does not finish.

    `strip` makes the parts' channels where they shall not be rendered anew.

    Raises SoundError, SoundfontMissing, StorageError.
    """
    if arrangement.length_frames <= 0:
        raise SoundError("A song without length cannot be rendered.")
    synth = FluidNoteSynth(soundfont, arrangement.a4_hz, arrangement.intonation)
    meter = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False)
    finished = False
    try:
        cache = NoteCache(synth, arrangement.a4_hz, arrangement.quarter_bpm, intonation=arrangement.intonation)
        with path.open("wb") as file, closing(mix_blocks(arrangement, cache, strip=strip)) as blocks:
            for done, block in blocks:
                file.write(block.tobytes())
                meter.push(block)
                yield Progress("sound", done / arrangement.length_frames, "Playing")
        finished = True
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error}).", hint="Free some space and try again.") from error
    finally:
        synth.close()
        if not finished:
            path.unlink(missing_ok=True)
    return RenderedMix(path, arrangement.length_frames, meter.result())


class HeldSound(Protocol):
    """Sound that goes into the mix beside the parts: any block of it can be had at any time."""

    def block(self, first_frame: int, frames: int) -> NDArray[np.float32]:
        """Samples [first_frame, first_frame + frames), shape (frames, 2)."""
        ...


def mix_blocks(
    arrangement: Arrangement,
    cache: NoteCache,
    *,
    first_frame: int = 0,
    stop_frame: int | None = None,
    held: HeldSound | None = None,
    threaded: bool = True,
    strip: StripOf | None = None,
) -> Generator[tuple[int, NDArray[np.float32]], None, None]:
    """(frames done, block of shape (n, 2)) from `first_frame` until exactly `stop_frame` (the end) is reached.

    Begun later than at 0, the notes that still sound there are in it, but rooms and filters begin empty: who wants them full
    begins earlier and throws the first blocks away. `held` goes through room and bus with the parts.
    """
    total = arrangement.length_frames
    stop = total if stop_frame is None else min(total, stop_frame)
    mix = arrangement.mix
    channel = strip or Strip
    strips = [channel(part, arrangement, cache, first_frame) for part in arrangement.parts]
    room = room_reverb(mix.get("room_size", 0.5), mix.get("damping", 0.5))
    beat_s = 60.0 / arrangement.quarter_bpm
    delay_gain = db_to_gain(mix.get("delay_gain_db", -60.0))
    delay = tempo_delay(min(1.5, beat_s * mix.get("delay_ql", 0.75)), mix.get("delay_feedback", 0.3))
    bus = mix_bus(mix.get("tilt_db", 0.0), mix.get("glue", 0.3))
    reverb_gain = db_to_gain(mix.get("reverb_gain_db", -3.0))
    levels = Levels(arrangement)
    sums = _sums(arrangement, strips, first_frame, stop, held)
    with closing(ahead(sums) if threaded else sums) as source:
        for start, sends in source:
            if delay_gain > 0.002:
                echoes = delay.block(sends.delay) * delay_gain
                out = bus.block(sends.dry + echoes + room.block(sends.room + 0.5 * echoes) * reverb_gain)
            else:
                out = bus.block(sends.dry + room.block(sends.room) * reverb_gain)
            frames = len(out)
            gain = levels.gain(start, frames)
            if gain is not None:
                out *= gain
            if total - start < BLOCK_FRAMES + LAST_FADE:
                out *= last_fade(start, frames, total)
            yield start + frames, out


@dataclass(frozen=True, slots=True)
class _Sends:
    """What the parts of one block add up to, each of shape (frames, 2)."""

    dry: NDArray[np.float32]
    room: NDArray[np.float32]
    delay: NDArray[np.float32]


def _sums(
    arrangement: Arrangement, strips: list[Strip], first_frame: int, stop_frame: int, held: HeldSound | None
) -> Generator[tuple[int, _Sends], None, None]:
    """(first frame, sums of the parts) for each block: notes, cuts and ducking, before room and bus."""
    duck = Duck(arrangement)
    for start in range(first_frame, stop_frame, BLOCK_FRAMES):
        frames = min(BLOCK_FRAMES, stop_frame - start)
        dry, to_room, to_delay = (np.zeros((frames, 2), dtype=np.float32) for _ in range(3))
        gain = duck.gain(start, frames)
        for strip in strips:
            sound = strip.block(start, frames)
            if sound is None:
                continue
            if gain is not None and strip.ducks:
                sound *= gain
            dry += sound
            send = strip.reverb_send * sound
            to_room += send
            if strip.delays:
                to_delay += send
        if held is not None:
            sound = held.block(start, frames)
            dry += sound
            to_room += _HELD_SEND * sound
        yield start, _Sends(dry, to_room, to_delay)


class Strip:
    """One part's channel."""

    def __init__(self, part: Part, arrangement: Arrangement, cache: NoteCache, first_frame: int) -> None:
        self._part = part
        self._cache = cache
        self._starts = [round(ql_to_seconds(note.onset_ql, arrangement.quarter_bpm) * SAMPLE_RATE_HZ) for note in part.notes]
        if any(later < earlier for earlier, later in zip(self._starts, self._starts[1:], strict=False)):
            raise SoundError(f"The notes of {part.name} are out of order.")
        self._ends = choke_frames(part, self._starts)
        self._lengths = [
            max(BLOCK, round(ql_to_seconds(note.duration_ql, arrangement.quarter_bpm) * SAMPLE_RATE_HZ)) for note in part.notes
        ]
        # What has died away before the first frame is not even rendered.
        self._next = 0
        self._gone = [
            start + length + LONGEST_RELEASE <= first_frame for start, length in zip(self._starts, self._lengths, strict=True)
        ]
        self._sounding: list[tuple[int, NDArray[np.float32], int | None]] = []
        self._sides = _pan_gains(part.pan) * np.float32(db_to_gain(part.gain_db))
        mix = arrangement.mix
        self._filter: Effect | None = part_filter(
            mix.get(f"{part.role}_highpass_hz", 0.0), mix.get(f"{part.role}_lowpass_hz", 0.0)
        )
        self._quiet_blocks = 9
        self.reverb_send = np.float32(part.reverb_send)
        self.ducks = not part.is_drums and part.role != "melody"
        self.delays = part.role in ("melody", "arp", "counter", "fx")

    def block(self, start: int, frames: int) -> NDArray[np.float32] | None:
        """The next block of the part, or None while it is silent."""
        out = self.summed(start, frames)
        if out is None:
            if self._quiet_blocks > 1:
                return None
            # A filter rings on after the last note; two quiet blocks are enough for it to die away.
            self._quiet_blocks += 1
            out = np.zeros((frames, 2), dtype=np.float32)
        else:
            self._quiet_blocks = 0
        out *= self._sides
        return out if self._filter is None else self._filter.block(out)

    def summed(self, start: int, frames: int) -> NDArray[np.float32] | None:
        """The notes of the next block added up, before level, place and cuts; None where none sounds."""
        end = start + frames
        while self._next < len(self._starts) and self._starts[self._next] < end:
            note = self._part.notes[self._next]
            gone = self._gone[self._next]
            samples = _NOTHING if gone else self._cache.samples(self._part, note, self._lengths[self._next])
            if len(samples):
                self._sounding.append((self._starts[self._next], samples, self._ends[self._next]))
            self._next += 1
        if not self._sounding:
            return None
        out = np.zeros((frames, 2), dtype=np.float32)
        self._sounding = [
            (at, samples, choke) for at, samples, choke in self._sounding if add_note(out, start, at, samples, choke) > end
        ]
        return out


def add_note(out: NDArray[np.float32], start: int, at: int, samples: NDArray[np.float32], choke: int | None) -> int:
    """Add what of a note that begins at frame `at` lies in the block `out` from `start`. Returns the frame where it ends."""
    end = start + len(out)
    stop = at + len(samples) if choke is None else min(at + len(samples), choke + _CHOKE_FADE)
    first, last = max(at, start), min(stop, end)
    if last > first:
        piece = samples[first - at : last - at]
        if choke is not None and last > choke:
            fade = np.clip(1.0 - (np.arange(first, last) - choke) / _CHOKE_FADE, 0.0, 1.0)
            piece = piece * fade[:, None].astype(np.float32)
        out[first - start : last - start] += piece
    return stop


#: Makes a part's channel: part, arrangement, source of notes, first frame.
StripOf = Callable[[Part, Arrangement, NoteCache, int], Strip]


class Duck:
    """Sidechain by the score: the gain falls at every kick and comes back, known beforehand, the same for every stem."""

    def __init__(self, arrangement: Arrangement) -> None:
        depth_db = arrangement.mix.get("sidechain_db", 0.0)
        self._depth = 1.0 - db_to_gain(-abs(depth_db))
        self._recovery = max(0.02, arrangement.mix.get("sidechain_release_s", 0.18)) * SAMPLE_RATE_HZ
        self._kicks = np.array(
            sorted(
                round(ql_to_seconds(note.onset_ql, arrangement.quarter_bpm) * SAMPLE_RATE_HZ)
                for part in arrangement.parts
                if part.is_drums
                for note in part.notes
                if note.pitch in _KICKS
            ),
            dtype=np.int64,
        )

    def gain(self, start: int, frames: int) -> NDArray[np.float32] | None:
        """Gain for a block, shape (frames, 1), or None where nothing ducks."""
        if self._depth <= 0 or not len(self._kicks):
            return None
        at = np.arange(start, start + frames)
        last = np.searchsorted(self._kicks, at, side="right") - 1
        since = np.where(last >= 0, at - self._kicks[np.maximum(last, 0)], 1 << 40).astype(np.float64)
        # 3 ms down so that it does not click, then back as an exponential.
        down = np.clip(since / 132.0, 0.0, 1.0)
        gain = 1.0 - self._depth * down * np.exp(-np.maximum(since - 132.0, 0.0) / self._recovery)
        return np.asarray(gain[:, None], dtype=np.float32)


class Levels:
    """Loud and soft of the whole band, after the bus: the same curve for the mix and for every stem."""

    def __init__(self, arrangement: Arrangement) -> None:
        quarter_bpm = arrangement.quarter_bpm
        self._frames = np.array([ql_to_seconds(onset, quarter_bpm) * SAMPLE_RATE_HZ for onset, _ in arrangement.levels])
        self._gains_db = np.array([gain_db for _, gain_db in arrangement.levels])

    def gain(self, start: int, frames: int) -> NDArray[np.float32] | None:
        """Gain for a block, shape (frames, 1) or (1, 1), or None where it is 1 throughout."""
        if not len(self._frames):
            return None
        inside = np.count_nonzero((self._frames > start) & (self._frames < start + frames))
        ends_db = np.interp([start, start + frames - 1], self._frames, self._gains_db)
        if not inside and ends_db[0] == ends_db[1]:
            return np.full((1, 1), db_to_gain(float(ends_db[0])), dtype=np.float32)
        gains_db = np.interp(np.arange(start, start + frames), self._frames, self._gains_db).astype(np.float32)
        return np.asarray(np.exp(gains_db * np.float32(np.log(10.0) / 20.0))[:, None], dtype=np.float32)


def _pan_gains(pan: float) -> NDArray[np.float32]:
    """Equal-power balance: unity in the middle."""
    angle = (np.clip(pan, -1.0, 1.0) + 1.0) * np.pi / 4
    return np.asarray(np.array([np.cos(angle), np.sin(angle)]) * np.sqrt(2.0), dtype=np.float32)


def last_fade(start: int, frames: int, total: int) -> NDArray[np.float32]:
    left = total - 1 - np.arange(start, start + frames)
    x = np.clip(left / LAST_FADE, 0.0, 1.0)
    return np.asarray((0.5 - 0.5 * np.cos(np.pi * x))[:, None], dtype=np.float32)

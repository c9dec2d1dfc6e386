"""Every part's share of the mix as a file of its own, before the master: added up, the files are the mix.

Everything between a part and the mix is linear but for the glue on the bus. So each part goes through room, delay and tone of
its own, which gives what it contributes to the common ones; the glue is heard from the sum, once, and its gain curve is laid
on every part alike.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.score import Arrangement, Part
from llm_music_gen.errors import StorageError
from llm_music_gen.sound.effects import bus_glue, bus_tone, room_reverb, tempo_delay
from llm_music_gen.sound.mix import BLOCK_FRAMES, LAST_FADE, Duck, Levels, Strip, last_fade
from llm_music_gen.sound.notes import NoteCache
from llm_music_gen.sound.synth import FluidNoteSynth
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain

#: Where the sum is as good as silent, what the glue made of it says nothing about its gain.
_SILENT = np.float32(1e-12)


def write_stems(arrangement: Arrangement, soundfont: Path, folder: Path, names: tuple[str, ...]) -> Work[tuple[Path, ...]]:
    """Write one WAV (32-bit float, so nothing clips) for each part, called `names`, in `folder`. Yields the stage "sound".

    Raises SoundError, SoundfontMissing, StorageError.
    """
    import soundfile

    paths = tuple(folder / f"{name}.wav" for name in names)
    synth = FluidNoteSynth(soundfont, arrangement.a4_hz, arrangement.intonation)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        cache = NoteCache(synth, arrangement.a4_hz, arrangement.quarter_bpm, intonation=arrangement.intonation)
        with ExitStack() as stack, closing(stem_blocks(arrangement, cache)) as blocks:
            files = [
                stack.enter_context(soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, 2, "FLOAT", format="WAV")) for path in paths
            ]
            for done, stems in blocks:
                for file, samples in zip(files, stems, strict=True):
                    file.write(samples)
                yield Progress("sound", done / arrangement.length_frames, "Writing stems")
    except (OSError, soundfile.LibsndfileError) as error:
        raise StorageError(
            f"The stems cannot be written to {folder} ({error}).", hint="Free some space and try again."
        ) from error
    finally:
        synth.close()
    return paths


def stem_blocks(arrangement: Arrangement, cache: NoteCache) -> Generator[tuple[int, list[NDArray[np.float32]]], None, None]:
    """(frames done, one block of shape (n, 2) for each part) from the beginning to the end of the song."""
    total = arrangement.length_frames
    channels = [_Channel(part, arrangement, cache) for part in arrangement.parts]
    duck, levels = Duck(arrangement), Levels(arrangement)
    glue = bus_glue(arrangement.mix.get("glue", 0.3))
    for start in range(0, total, BLOCK_FRAMES):
        frames = min(BLOCK_FRAMES, total - start)
        gain = duck.gain(start, frames)
        stems = [channel.block(start, frames, gain) for channel in channels]
        together = np.zeros((frames, 2), dtype=np.float32)
        for stem in stems:
            together += stem
        curve = gain_curve(together, glue.block(together))
        level = levels.gain(start, frames)
        if level is not None:
            curve = curve * level
        if total - start < BLOCK_FRAMES + LAST_FADE:
            curve = curve * last_fade(start, frames, total)
        yield start + frames, [stem * curve for stem in stems]


def gain_curve(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """What `before` has to be multiplied with to become `after`, sample by sample; 1 where there is nothing to hear."""
    heard = np.abs(before) > _SILENT
    return np.divide(after, before, out=np.ones_like(before), where=heard)


class _Channel:
    """One part with a room, a delay and a bus of its own."""

    def __init__(self, part: Part, arrangement: Arrangement, cache: NoteCache) -> None:
        mix = arrangement.mix
        self._strip = Strip(part, arrangement, cache, 0)
        self._room = room_reverb(mix.get("room_size", 0.5), mix.get("damping", 0.5))
        self._room_gain = db_to_gain(mix.get("reverb_gain_db", -3.0))
        beat_s = 60.0 / arrangement.quarter_bpm
        self._delay = tempo_delay(min(1.5, beat_s * mix.get("delay_ql", 0.75)), mix.get("delay_feedback", 0.3))
        delay_gain = db_to_gain(mix.get("delay_gain_db", -60.0))
        self._delay_gain = delay_gain if self._strip.delays and delay_gain > 0.002 else 0.0
        self._tone = bus_tone(mix.get("tilt_db", 0.0))

    def block(self, start: int, frames: int, duck: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """The part's contribution to the sum before the glue."""
        sound = self._strip.block(start, frames)
        if sound is None:
            sound = np.zeros((frames, 2), dtype=np.float32)
        elif duck is not None and self._strip.ducks:
            sound = sound * duck
        send = self._strip.reverb_send * sound
        if self._delay_gain:
            echoes = self._delay.block(send) * np.float32(self._delay_gain)
            sound, send = sound + echoes, send + np.float32(0.5) * echoes
        return self._tone.block(sound + self._room.block(send) * np.float32(self._room_gain))

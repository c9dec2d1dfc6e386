"""Reads audio files as streams and measures them. The finished, encoded file is what counts, so it is decoded to be measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.ahead import ahead
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter

_BLOCK = 1 << 17


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file says about itself."""

    frames: int
    sample_rate_hz: int
    channels: int

    @property
    def length_s(self) -> float:
        return self.frames / self.sample_rate_hz


def audio_info(path: Path) -> AudioInfo:
    """Frames, rate and channels. Raises SoundError for what is not audio."""
    import soundfile

    try:
        info = soundfile.info(str(path))
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise SoundError(
            f"{path} cannot be read as audio ({error}).", hint="WAV, FLAC, MP3, OGG and Opus are understood."
        ) from error
    return AudioInfo(info.frames, info.samplerate, info.channels)


def decoded(path: Path, block_frames: int = _BLOCK) -> Iterator[NDArray[np.float32]]:
    """The samples, block by block, shape (n, channels). Raises SoundError for what is not audio."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            while len(block := file.read(block_frames, dtype="float32", always_2d=True)):
                yield block
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise SoundError(
            f"{path} cannot be read as audio ({error}).", hint="WAV, FLAC, MP3, OGG and Opus are understood."
        ) from error


def measure_file(path: Path) -> Loudness:
    """Loudness, true peak, length and silence of a file as a listener gets it."""
    info = audio_info(path)
    meter = LoudnessMeter(info.sample_rate_hz, info.channels)
    for block in ahead(decoded(path)):
        meter.push(block)
    return meter.result()

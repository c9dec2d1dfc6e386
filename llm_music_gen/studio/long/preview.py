"""A minute out of a track of hours, before the night is spent on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StorageError
from llm_music_gen.sound.long.track import TrackPlayer
from llm_music_gen.sound.loudness import LoudnessMeter
from llm_music_gen.sound.mp3 import encode_mp3
from llm_music_gen.studio.long.score import track_of
from llm_music_gen.studio.names import safe_name
from llm_music_gen.studio.recipe import Recipe
from llm_music_gen.styles import Style
from llm_music_gen.units import SAMPLE_RATE_HZ, db_to_gain

PREVIEW_S = 60
_SAMPLES = 6
_CROSS_S = 1.5


def make_preview(recipe: Recipe, styles: Mapping[str, Style], soundfont: Path, folder: Path) -> Work[Path]:
    """Six stretches from along the track, crossing over, as an MP3 in `folder`. Raises SoundError, StorageError."""
    path = folder / f"{safe_name(recipe.theme.title)} (preview).mp3"
    player = TrackPlayer(track_of(recipe, styles, soundfont))
    pieces = []
    try:
        for number, (first, frames) in enumerate(_places(player.track.frames)):
            yield Progress("sound", number / _SAMPLES, f"Sample {number + 1} of {_SAMPLES}")
            pieces.append(player.stretch(first, frames))
    finally:
        player.close()
    minute = _joined(pieces)
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    meter.push(minute)
    measured = meter.result()
    gain_db = min(recipe.loudness_lufs - measured.integrated_lufs, -1.5 - measured.true_peak_dbtp)
    part = path.with_name(path.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for _ in encode_mp3([minute * np.float32(db_to_gain(gain_db))], part, recipe.mp3_kbps):
            pass
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).", hint="Choose another folder.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    yield Progress("sound", 1.0, f"{path.name} is ready")
    return path


def _places(frames: int) -> Iterator[tuple[int, int]]:
    """(first frame, number of frames) of each sample: spread evenly, the last one is the end."""
    length = min(frames, round((PREVIEW_S + (_SAMPLES - 1) * _CROSS_S) / _SAMPLES * SAMPLE_RATE_HZ))
    for number in range(_SAMPLES):
        yield round((frames - length) * number / (_SAMPLES - 1)), length


def _joined(pieces: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    cross = min(round(_CROSS_S * SAMPLE_RATE_HZ), len(pieces[0]) // 3)
    step = len(pieces[0]) - cross
    out = np.zeros((step * (len(pieces) - 1) + len(pieces[0]), 2), dtype=np.float32)
    rise = np.sin(0.5 * np.pi * np.arange(cross) / cross)[:, None].astype(np.float32)
    for number, piece in enumerate(pieces):
        shaped = piece.copy()
        if number:
            shaped[:cross] *= rise
        if number + 1 < len(pieces):
            shaped[-cross:] *= rise[::-1]
        out[number * step : number * step + len(piece)] += shaped
    return out

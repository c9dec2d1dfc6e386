"""From the mix to the files people listen to: mastered, encoded, tagged, and measured as a listener will decode them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.settings import AudioFormat
from llm_music_gen.sound.decode import measure_file
from llm_music_gen.sound.encode import LOSSY, encode
from llm_music_gen.sound.loudness import Loudness
from llm_music_gen.sound.master import CEILING_DBTP, LOSSY_CEILING_DBTP, Master, master
from llm_music_gen.sound.mix import RenderedMix
from llm_music_gen.sound.tags import Tags, write_tags

#: Lossy coding adds peaks; a master this much under the ceiling seldom has to be made twice.
LOSSY_MARGIN_DB = 0.5
#: Times that a file whose decoded peaks are too high is mastered again, lower by the excess.
MAX_ROUNDS = 3
_EXTRA_DB = 0.1


@dataclass(frozen=True, slots=True)
class Finish:
    """How finished files shall be."""

    formats: tuple[AudioFormat, ...]
    loudness_lufs: float
    mp3_kbps: int


@dataclass(frozen=True, slots=True)
class Delivered:
    """The finished audio files."""

    files: Mapping[str, Path]
    loudness: Loudness
    """Measured on the first file, decoded again."""


def deliver(mix: RenderedMix, made: Master, finish: Finish, folder: Path, stem: str, tags: Tags) -> Work[Delivered]:
    """Make one file for each format. Yields the stage "convert" with `detail["format"]`.

    Raises SoundError, EncodingError or StorageError.
    """
    files: dict[str, Path] = {}
    measured: list[Loudness] = []
    for audio_format in finish.formats:
        path = folder / f"{stem}.{audio_format}"
        made, loudness = yield from _one_file(made, finish, audio_format, path, tags)
        files[audio_format] = path
        measured.append(loudness)
    return Delivered(files, measured[0])


def master_for(mix: RenderedMix, finish: Finish) -> Work[Master]:
    """One master for all formats, with room for lossy coding where there is any. Yields the stage "master"."""
    lossy = any(name in LOSSY for name in finish.formats)
    return (yield from master(mix, finish.loudness_lufs, LOSSY_CEILING_DBTP - LOSSY_MARGIN_DB if lossy else CEILING_DBTP))


def _one_file(made: Master, finish: Finish, audio_format: str, path: Path, tags: Tags) -> Work[tuple[Master, Loudness]]:
    """Encode, tag and measure one file; where its decoded peaks are too high, master lower and encode again."""
    ceiling_dbtp = LOSSY_CEILING_DBTP if audio_format in LOSSY else CEILING_DBTP
    reached = 0.0
    for round_number in range(MAX_ROUNDS):
        for report in encode(made.blocks(), made.mix.frames, path, audio_format, finish.mp3_kbps):
            reached = max(reached, report.fraction)
            yield Progress("convert", reached, report.message, {"format": audio_format})
        write_tags(path, tags)
        loudness = measure_file(path)
        excess_db = loudness.true_peak_dbtp - ceiling_dbtp
        if excess_db <= 0 or round_number == MAX_ROUNDS - 1:
            break
        again = master(made.mix, finish.loudness_lufs, made.ceiling_db - excess_db - _EXTRA_DB)
        made = yield from _unseen(again, audio_format)
    return made, loudness


def _unseen(work: Work[Master], audio_format: str) -> Work[Master]:
    """Work that the bar of "convert" does not show: it stands at its end meanwhile."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: Master = stop.value
            return result
        yield Progress("convert", 1.0, "Making room for the peaks", {"format": audio_format})

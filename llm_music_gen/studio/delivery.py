"""From the mix to the files people listen to: mastered, encoded, measured as a listener will decode them, and tagged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from llm_music_gen.domain.progress import Work
from llm_music_gen.settings import AudioFormat
from llm_music_gen.sound.encode import LOSSY
from llm_music_gen.sound.lossy import encode_under
from llm_music_gen.sound.loudness import Loudness
from llm_music_gen.sound.master import CEILING_DBTP, LOSSY_CEILING_DBTP, Master, master
from llm_music_gen.sound.mix import RenderedMix
from llm_music_gen.sound.tags import Tags, write_tags
from llm_music_gen.sound.tone import Wanted, toned
from llm_music_gen.styles.style import Spectrum

#: Lossy coding adds peaks; a master this much under the ceiling seldom has to be corrected.
LOSSY_MARGIN_DB = 1.0


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


def master_for(mix: RenderedMix, finish: Finish, wanted: Spectrum | None = None) -> Work[Master]:
    """One master for all formats, with room for lossy coding where there is any. Yields the stage "master".

    With the figures of a style its tone is brought near them, and peaks stand no further over the loudness than there.
    """
    lossy = any(name in LOSSY for name in finish.formats)
    ceiling_db = LOSSY_CEILING_DBTP - LOSSY_MARGIN_DB if lossy else CEILING_DBTP
    if wanted is not None:
        mix = yield from toned(mix, Wanted(wanted.tilt_db_per_octave, wanted.low_percent))
        ceiling_db = min(ceiling_db, finish.loudness_lufs + wanted.peak_to_loudness_db[1])
    return (yield from master(mix, finish.loudness_lufs, ceiling_db))


def deliver(made: Master, finish: Finish, folder: Path, stem: str, tags: Tags) -> Work[Delivered]:
    """Make one file for each format. Yields the stage "convert" with `detail["format"]`.

    Every format starts from the same master; what one file needs corrected does not touch the others.
    Raises SoundError, EncodingError or StorageError.
    """
    files: dict[str, Path] = {}
    measured: list[Loudness] = []
    for audio_format in finish.formats:
        path = folder / f"{stem}.{audio_format}"
        measured.append((yield from _one_file(made, finish, audio_format, path)))
        write_tags(path, tags)
        files[audio_format] = path
    return Delivered(files, measured[0])


def _one_file(made: Master, finish: Finish, audio_format: AudioFormat, path: Path) -> Work[Loudness]:
    """Encode one file under its ceiling; its reports name the format."""
    ceiling_dbtp = LOSSY_CEILING_DBTP if audio_format in LOSSY else CEILING_DBTP
    work = encode_under(made, path, audio_format, finish.mp3_kbps, ceiling_dbtp)
    while True:
        try:
            report = next(work)
        except StopIteration as stop:
            loudness: Loudness = stop.value[1]
            return loudness
        yield replace(report, detail={**report.detail, "format": audio_format})

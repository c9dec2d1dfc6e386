"""Title, styles, tempo, key and date inside the finished files. The only module that imports mutagen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.errors import EncodingError, StorageError


@dataclass(frozen=True, slots=True)
class Tags:
    """What a player shows."""

    title: str
    styles: tuple[str, ...]
    tempo_bpm: float
    key: str
    """As in ABC: Dm."""
    date: str
    """ISO 8601 day."""
    software: str
    length_ms: int
    artist: str = "Llm-Music-Gen"
    comment: str = ""


def write_tags(path: Path, tags: Tags) -> None:
    """Write ID3 (MP3, WAV) or Vorbis comments (FLAC, Opus). Raises EncodingError, StorageError."""
    import mutagen
    from mutagen.flac import FLAC
    from mutagen.oggopus import OggOpus

    try:
        suffix = path.suffix.lower()
        if suffix in (".mp3", ".wav"):
            _id3(path, tags)
        elif suffix in (".flac", ".opus"):
            file = FLAC(path) if suffix == ".flac" else OggOpus(path)
            for key, value in _vorbis(tags).items():
                file[key] = value
            file.save()
    except mutagen.MutagenError as error:
        if isinstance(error.__cause__ or error, OSError) or "No space" in str(error):
            raise StorageError(f"{path} cannot be tagged ({error}).", hint="Free some space and try again.") from error
        raise EncodingError(f"{path} cannot be tagged ({error}).") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be tagged ({error}).", hint="Free some space and try again.") from error


def _id3(path: Path, tags: Tags) -> None:
    from mutagen import id3
    from mutagen.mp3 import MP3
    from mutagen.wave import WAVE

    file = MP3(path) if path.suffix.lower() == ".mp3" else WAVE(path)
    if file.tags is None:
        file.add_tags()
    frames = [
        id3.TIT2(encoding=3, text=tags.title),
        id3.TPE1(encoding=3, text=tags.artist),
        id3.TCON(encoding=3, text=", ".join(tags.styles)),
        id3.TBPM(encoding=3, text=str(round(tags.tempo_bpm))),
        id3.TKEY(encoding=3, text=tags.key),
        id3.TDRC(encoding=3, text=tags.date),
        id3.TSSE(encoding=3, text=tags.software),
        id3.TLEN(encoding=3, text=str(tags.length_ms)),
    ]
    if tags.comment:
        frames.append(id3.COMM(encoding=3, lang="eng", desc="", text=tags.comment))
    for frame in frames:
        file.tags.add(frame)
    file.save(v2_version=3)  # players on Windows read 2.3, not all read 2.4


def _vorbis(tags: Tags) -> dict[str, str]:
    out = {
        "TITLE": tags.title, "ARTIST": tags.artist, "GENRE": ", ".join(tags.styles), "BPM": str(round(tags.tempo_bpm)),
        "KEY": tags.key, "DATE": tags.date, "ENCODER": tags.software,
    }  # fmt: skip
    return {**out, "COMMENT": tags.comment} if tags.comment else out

"""Title, styles, tempo, key and date inside the finished files. The only module that imports mutagen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture inside a file."""

    mime: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TagTexts:
    """Everything a file says about itself, in the words of no format."""

    texts: dict[str, list[str]]
    """By Vorbis comment names in lower case."""
    covers: list[Cover]


#: Vorbis name -> ID3 frame, MP4 atom.
_NAMES = {
    "title": ("TIT2", "\xa9nam"), "artist": ("TPE1", "\xa9ART"), "album": ("TALB", "\xa9alb"), "albumartist": ("TPE2", "aART"),
    "date": ("TDRC", "\xa9day"), "genre": ("TCON", "\xa9gen"), "composer": ("TCOM", "\xa9wrt"), "copyright": ("TCOP", "cprt"),
    "comment": ("COMM", "\xa9cmt"), "lyrics": ("USLT", "\xa9lyr"), "bpm": ("TBPM", "tmpo"), "key": ("TKEY", ""),
    "isrc": ("TSRC", ""), "tracknumber": ("TRCK", "trkn"), "discnumber": ("TPOS", "disk"), "encoder": ("TSSE", "\xa9too"),
}  # fmt: skip
_PAIRS = ("tracknumber", "discnumber")
_MOST_COVER_BYTES = 16_000_000


def copy_tags(source: Path, target: Path) -> None:
    """Give `target` the tags and the cover of `source`, whatever their formats. Files that hold none stay without.

    Raises EncodingError, StorageError when the target cannot be tagged; a source whose tags are damaged counts as untagged.
    """
    carried = read_tags(source)
    if carried.texts or carried.covers:
        give_tags(target, carried)


def read_tags(source: Path) -> TagTexts:
    """Texts and covers of a file; none where there are none or they are damaged."""
    import mutagen
    from mutagen.flac import FLAC, Picture
    from mutagen.id3 import ID3
    from mutagen.mp4 import MP4

    texts: dict[str, list[str]] = {}
    covers: list[Cover] = []
    try:
        file = mutagen.File(source)
    except (mutagen.MutagenError, OSError, ValueError, KeyError):
        file = None
    tags = getattr(file, "tags", None)
    if isinstance(tags, ID3):
        for name, (frame_name, _) in _NAMES.items():
            found = tags.getall(frame_name)
            if found:
                text = found[0].text
                texts[name] = [str(item) for item in text] if isinstance(text, list) else [str(text)]
        texts |= {frame.desc.lower(): [str(item) for item in frame.text] for frame in tags.getall("TXXX")}
        covers = [Cover(frame.mime, frame.data) for frame in tags.getall("APIC")]
    elif isinstance(file, MP4) and tags is not None:
        for name, (_, atom) in _NAMES.items():
            if atom and atom in tags:
                values = tags[atom]
                texts[name] = ["/".join(str(part) for part in v if part) if isinstance(v, tuple) else str(v) for v in values]
        kinds = {13: "image/jpeg", 14: "image/png"}
        covers = [Cover(kinds.get(cover.imageformat, "image/jpeg"), bytes(cover)) for cover in tags.get("covr", [])]
    elif tags is not None:
        for name, value in tags:
            if name.lower() == "metadata_block_picture":
                covers += _vorbis_cover(value)
            else:
                texts.setdefault(name.lower(), []).append(value)
        if isinstance(file, FLAC):
            covers += [Cover(picture.mime, picture.data) for picture in file.pictures if isinstance(picture, Picture)]
    if not texts:
        texts = _riff_texts(source)
    return TagTexts(texts, [cover for cover in covers if len(cover.data) <= _MOST_COVER_BYTES])


def _vorbis_cover(value: str) -> list[Cover]:
    import base64

    from mutagen.flac import Picture
    from mutagen.flac import error as flac_error

    try:
        picture = Picture(base64.b64decode(value))
    except (ValueError, flac_error):
        return []
    return [Cover(picture.mime, picture.data)]


def _riff_texts(source: Path) -> dict[str, list[str]]:
    """The INFO texts of a WAV or AIFF file."""
    if source.suffix.lower() not in (".wav", ".aif", ".aiff"):
        return {}
    import soundfile

    try:
        with soundfile.SoundFile(str(source)) as file:
            return {name: [text] for name, text in file.copy_metadata().items() if text and name != "software"}
    except (soundfile.LibsndfileError, OSError, RuntimeError):
        return {}


def give_tags(target: Path, carried: TagTexts) -> None:
    """Write texts and covers into a finished file. Raises EncodingError, StorageError."""
    import mutagen

    try:
        _give(target, carried)
    except mutagen.MutagenError as error:
        raise EncodingError(f"{target} cannot be tagged ({error}).") from error
    except OSError as error:
        raise StorageError(f"{target} cannot be tagged ({error}).", hint="Free some space and try again.") from error


def _give(target: Path, carried: TagTexts) -> None:
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis
    from mutagen.wave import WAVE

    suffix = target.suffix.lower()
    kinds = {".mp3": MP3, ".wav": WAVE, ".flac": FLAC, ".ogg": OggVorbis, ".opus": OggOpus, ".m4a": MP4, ".mp4": MP4, ".m4b": MP4}
    if suffix not in kinds or (suffix == ".wav" and target.stat().st_size > _LARGEST_TAGGED_WAV):
        return
    file = kinds[suffix](target)
    if file.tags is None:
        file.add_tags()
    if suffix in (".mp3", ".wav"):
        _give_id3(file.tags, carried)
        file.tags.update_to_v23()
        file.save(v2_version=3)
        return
    if suffix in (".m4a", ".mp4", ".m4b"):
        _give_mp4(file, carried)
    else:
        _give_vorbis(file, carried)
    file.save()


#: mutagen writes RIFF sizes in 32 bits.
_LARGEST_TAGGED_WAV = 4_000_000_000


def _give_id3(tags: Any, carried: TagTexts) -> None:
    from mutagen import id3

    for name, values in carried.texts.items():
        if name not in _NAMES:
            tags.add(id3.TXXX(encoding=3, desc=name, text=values))
        elif name == "comment":
            tags.add(id3.COMM(encoding=3, lang="eng", desc="", text=values))
        elif name == "lyrics":
            tags.add(id3.USLT(encoding=3, lang="eng", desc="", text=values[0]))
        else:
            tags.add(getattr(id3, _NAMES[name][0])(encoding=3, text=values))
    for number, cover in enumerate(carried.covers):
        tags.add(id3.APIC(encoding=3, mime=cover.mime, type=3, desc=str(number or ""), data=cover.data))


def _give_mp4(file: Any, carried: TagTexts) -> None:
    from mutagen.mp4 import MP4Cover

    for name, values in carried.texts.items():
        atom = _NAMES.get(name, ("", ""))[1]
        if name in _PAIRS:
            numbers = [int(part) for part in values[0].split("/") if part.strip().isdigit()][:2]
            if numbers:
                file[atom] = [(numbers[0], numbers[1] if len(numbers) > 1 else 0)]
        elif name == "bpm":
            if values[0].isdigit():
                file[atom] = [int(values[0])]
        elif atom:
            file[atom] = values
        else:
            file[f"----:com.apple.iTunes:{name}"] = [value.encode("utf-8") for value in values]
    if carried.covers:
        kinds = {"image/png": MP4Cover.FORMAT_PNG}
        file["covr"] = [MP4Cover(cover.data, kinds.get(cover.mime, MP4Cover.FORMAT_JPEG)) for cover in carried.covers]


def _give_vorbis(file: Any, carried: TagTexts) -> None:
    import base64

    from mutagen.flac import FLAC, Picture

    for name, values in carried.texts.items():
        if name.isascii() and name.isprintable() and name and not set(name) & {"=", "~"}:
            file[name] = values
    pictures = []
    for cover in carried.covers:
        picture = Picture()
        picture.type, picture.mime, picture.data = 3, cover.mime, cover.data
        pictures.append(picture)
    if isinstance(file, FLAC):
        for picture in pictures:
            file.add_picture(picture)
    elif pictures:
        file["metadata_block_picture"] = [base64.b64encode(picture.write()).decode("ascii") for picture in pictures]

"""The folder that is ready to upload: writes it from the facts and the audio, and checks one that exists."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from llm_music_gen import __version__
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StorageError
from llm_music_gen.parsing import parse_json
from llm_music_gen.publishing import data as track
from llm_music_gen.publishing import text
from llm_music_gen.publishing.cover import COVER_SIDE, cover
from llm_music_gen.publishing.picture import colours_of
from llm_music_gen.publishing.thumbnail import THUMBNAIL_BYTES, THUMBNAIL_SIZE, jpeg, thumbnail
from llm_music_gen.publishing.upload import Upload

CHECKSUMS = "checksums.sha256"
PROVENANCE = "provenance.json"
_TEXTS: tuple[tuple[str, Callable[[Upload], str]], ...] = (
    ("title.txt", lambda upload: "\n".join(text.titles(upload)) + "\n"),
    ("description.txt", text.description),
    ("chapters.txt", lambda upload: "".join(f"{line}\n" for line in text.chapters(upload))),
    ("tags.txt", lambda upload: text.tags(upload) + "\n"),
    ("credits.txt", text.credits),
)
FILES = (
    *(name for name, _ in _TEXTS), "cover.jpg", "thumbnail.jpg", "level.csv", "spectrum.csv", "level.png", "spectrogram.png",
    PROVENANCE,
)  # fmt: skip


def make_kit(
    upload: Upload, audio_path: Path, folder: Path, *, cover_side: int = COVER_SIDE, font: Path | None = None
) -> Work[Path]:
    """Write everything for an upload into `folder`, which is made where it is missing. Yields the stages "data" and "files".

    Without a loudness curve in the facts the measured one is drawn. Files of the same names are replaced, each at once.
    Raises SoundError for audio that cannot be read, StorageError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        measured = yield from track.measure(audio_path)
        if not upload.loudness_curve:
            upload = dataclasses.replace(upload, loudness_curve=measured.loudness_curve())
        colours = colours_of(upload)
        for name, write in _TEXTS:
            _put(folder / name, write(upload).encode())
        yield Progress("files", 0.1, "Writing tables")
        _put_by(folder / "level.csv", lambda path: track.write_level(measured, path))
        _put_by(folder / "spectrum.csv", lambda path: track.write_spectrum(measured, path))
        _put_by(folder / "level.png", lambda path: track.level_picture(measured, colours).save(path, "PNG"))
        _put_by(folder / "spectrogram.png", lambda path: track.spectrogram_picture(measured, colours).save(path, "PNG"))
        yield Progress("files", 0.3, "Drawing the thumbnail")
        _put(folder / "thumbnail.jpg", jpeg(thumbnail(upload, font=font)[0], THUMBNAIL_BYTES))
        yield Progress("files", 0.4, "Drawing the cover")
        _put(folder / "cover.jpg", jpeg(cover(upload, cover_side, font)[0]))
        yield Progress("files", 0.9, "Adding checksums")
        audio_sum = _sha256(audio_path)
        _put(folder / PROVENANCE, _provenance(upload, audio_path.name, audio_sum).encode())
        sums = [(_sha256(folder / name), name) for name in FILES]
        if audio_path.resolve().parent == folder.resolve():
            sums.append((audio_sum, audio_path.name))
        _put(folder / CHECKSUMS, "".join(f"{digest}  {name}\n" for digest, name in sums).encode())
        yield Progress("files", 1.0, "Ready to upload")
    except OSError as error:
        raise StorageError(f"{folder} cannot be written ({error}).", hint="Free some space or choose another folder.") from error
    return folder


def check_kit(folder: Path) -> list[str]:
    """What is wrong with a kit: missing or changed files, texts and pictures that break the sites' rules. Empty: all is fine."""
    faults = [f"{name} is missing." for name in (*FILES, CHECKSUMS) if not (folder / name).is_file()]
    if faults:
        return faults
    try:
        length_s = float(parse_json((folder / PROVENANCE).read_text(encoding="utf-8"))["song"]["length_s"])
        texts = {name: (folder / name).read_text(encoding="utf-8") for name, _ in _TEXTS}
        sums = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
    except (ValueError, KeyError, TypeError) as error:
        return [f"A file of the kit cannot be read ({type(error).__name__}: {error})."]
    for title in texts["title.txt"].splitlines() or [""]:
        faults += text.title_faults(title)
    faults += text.description_faults(texts["description.txt"], length_s)
    faults += text.chapters_faults(texts["chapters.txt"].splitlines(), length_s)
    faults += text.tags_faults(texts["tags.txt"]) + text.credits_faults(texts["credits.txt"])
    return faults + _picture_faults(folder) + _checksum_faults(folder, sums)


def _picture_faults(folder: Path) -> list[str]:
    from PIL import Image

    faults = []
    for name, wanted in (("thumbnail.jpg", THUMBNAIL_SIZE), ("cover.jpg", (COVER_SIDE, COVER_SIDE))):
        try:
            with Image.open(folder / name) as picture:
                if picture.size != wanted:
                    faults.append(f"{name} is {picture.width}x{picture.height} instead of {wanted[0]}x{wanted[1]}.")
        except OSError:
            faults.append(f"{name} is not a picture.")
    if (folder / "thumbnail.jpg").stat().st_size >= THUMBNAIL_BYTES:
        faults.append("thumbnail.jpg is 2 MB or more.")
    return faults


def _checksum_faults(folder: Path, lines: list[str]) -> list[str]:
    faults, listed = [], set()
    for line in lines:
        digest, _, name = line.partition("  ")
        listed.add(name)
        if Path(name).name != name or not (folder / name).is_file():
            faults.append(f'"{name}" is in {CHECKSUMS} but not in the folder.')
        elif _sha256(folder / name) != digest:
            faults.append(f"{name} was changed after the kit was made.")
    return faults + [f"{name} is not in {CHECKSUMS}." for name in FILES if name not in listed]


def _provenance(upload: Upload, audio_name: str, audio_sum: str) -> str:
    facts = dataclasses.asdict(upload)
    del facts["loudness_curve"]
    made = {"program": "Llm-Music-Gen", "version": __version__, "disclosure": text.DISCLOSURE}
    return (
        json.dumps(
            {"made_by": made, "audio": {"name": audio_name, "sha256": audio_sum}, "song": facts}, indent=2, ensure_ascii=False
        )
        + "\n"
    )


def _put(path: Path, content: bytes) -> None:
    _put_by(path, lambda part: part.write_bytes(content))


def _put_by(path: Path, write: Callable[[Path], object]) -> None:
    """The file stands under its name only when it is whole."""
    part = path.with_name(path.name + ".part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()

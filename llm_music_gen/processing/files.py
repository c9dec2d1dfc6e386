"""Any audio file as a stream, and a stream kept in a temporary file. What files claim about themselves is not trusted.

WAV (16, 24, 32 bit, float, RF64), FLAC, MP3, OGG, Opus, AIFF through libsndfile; M4A and AAC through ffmpeg where it is there.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from llm_music_gen.domain.progress import Progress, Work, finish
from llm_music_gen.errors import SoundError, StorageError
from llm_music_gen.processing.audio import BLOCK_FRAMES, Audio, Block
from llm_music_gen.sound import ffmpeg
from llm_music_gen.sound.mp3_headless import with_header

LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 4_000, 768_000
MOST_CHANNELS = 64
#: A float file may hold anything; beyond +120 dB over full scale it is no sound.
_LARGEST_SAMPLE = 1e6
_COUNTING_FRAMES = 4_096
_UNDERSTOOD = "WAV, FLAC, MP3, OGG, Opus, AIFF and, with ffmpeg, M4A are understood."
SUFFIXES = frozenset(
    (".wav", ".rf64", ".w64", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".caf", ".au", *ffmpeg.DEMUXERS)
)
"""What names of audio files end with."""
#: What libsndfile names formats -> what we do.
_FORMATS = {"WAV": "wav", "WAVEX": "wav", "RF64": "wav", "W64": "wav", "FLAC": "flac", "MP3": "mp3", "AIFF": "aiff"}
_BITS = {"PCM_U8": 16, "PCM_S8": 16, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 32}


_Opening = Callable[[], Any]
"""Opens a file anew, as a soundfile.SoundFile."""


@dataclass(frozen=True, slots=True)
class _Info:
    frames: int
    samplerate: int
    channels: int
    format: str
    subtype: str


@dataclass(frozen=True, slots=True)
class AudioFile:
    """An opened file."""

    path: Path
    audio: Audio
    audio_format: str
    """wav, flac, mp3, ogg, opus, m4a, aac, aiff."""
    bits: int | None = None
    """16, 24 or 32 (32 is float) where samples are stored as they are, else None."""
    notes: list[str] = field(default_factory=list)
    """What was wrong with it, in sentences. Complete once the audio was walked to its end."""


def audio_files_in(folder: Path) -> list[Path]:
    """The audio files right inside a folder, by name. Raises StorageError."""
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    except OSError as error:
        raise StorageError(
            f"{folder} cannot be looked into ({error.strerror or error}).", hint="Check its name and rights."
        ) from error


def opened(path: Path) -> AudioFile:
    """The file as a stream of exactly known length. Raises SoundError (what is no sound), StorageError, DependencyMissing."""
    if not path.is_file():
        raise StorageError(f"{path} does not exist." if not path.exists() else f"{path} is not a file.")
    suffix = path.suffix.lower()
    if suffix in ffmpeg.DEMUXERS:
        folder = _Folder()
        decoded = folder.path / "decoded.wav"
        length_s = ffmpeg.decode_to_wav(path, decoded)
        notes: list[str] = []
        audio, _ = _libsndfile(path, decoded, notes, folder, length_s)
        return AudioFile(path, audio, "aac" if suffix == ".aac" else "m4a", None, notes)
    notes = []
    audio, info = _libsndfile(path, path, notes, None)
    audio_format = _FORMATS.get(info.format, "wav")
    if info.format == "OGG":
        audio_format = "opus" if info.subtype == "OPUS" else "ogg"
    return AudioFile(path, audio, audio_format, _BITS.get(info.subtype), notes)


def kept(audio: Audio, folder: Path | None = None) -> Audio:
    """The same samples, worked out once and stored as raw numbers in a temporary file. Raises StorageError.

    The file goes away with the last reference to what is returned; `folder` is where it is made.
    """
    return finish(keep(audio, folder))


def keep(audio: Audio, folder: Path | None = None, message: str = "Processing") -> Work[Audio]:
    """As `kept`, with progress of the stage "process"."""
    holder = _Folder(folder)
    frames = 0
    try:
        with (holder.path / "samples").open("wb") as file:
            for block in audio.walk():
                frames += len(block)
                np.ascontiguousarray(block, dtype=np.float32).tofile(file)
                yield Progress("process", min(1.0, frames / max(1, audio.frames)), message)
    except OSError as error:
        raise StorageError(f"There is no room for temporary sound in {holder.path.parent} ({error}).") from error
    assert frames == audio.frames, f"{frames} frames where {audio.frames} were promised"

    def walk() -> Iterator[Block]:
        with (holder.path / "samples").open("rb") as file:
            while len(numbers := np.fromfile(file, dtype=np.float32, count=BLOCK_FRAMES * audio.channels)):
                yield numbers.reshape(-1, audio.channels)

    return Audio(audio.sample_rate_hz, audio.channels, frames, walk)


def backwards(audio: Audio, folder: Path | None = None) -> Iterator[Block]:
    """The blocks of the sound from its end to its beginning, through a temporary file."""
    holder = _Folder(folder)
    path = holder.path / "samples"
    with path.open("w+b") as file:
        for block in audio.walk():
            np.ascontiguousarray(block, dtype=np.float32).tofile(file)
        for stop in range(audio.frames, 0, -BLOCK_FRAMES):
            start = max(0, stop - BLOCK_FRAMES)
            file.seek(start * audio.channels * 4)
            numbers = np.fromfile(file, dtype=np.float32, count=(stop - start) * audio.channels)
            yield numbers.reshape(-1, audio.channels)[::-1]
    holder.remove()


class _Folder:
    """A temporary folder that goes away with its last reference."""

    def __init__(self, parent: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="llm-music-gen-", dir=parent))
        self.remove = weakref.finalize(self, shutil.rmtree, self.path, True)


def _libsndfile(named: Path, path: Path, notes: list[str], holder: _Folder | None, most_s: float = math.inf) -> tuple[Audio, Any]:
    """`named` is what messages call the file at `path`; the audio keeps `holder` alive and ends at `most_s`."""
    import soundfile

    try:
        info = soundfile.info(str(path))
        opening: _Opening = partial(soundfile.SoundFile, str(path))
        headed = with_header(path) if info.format == "MP3" else None
        if headed is not None:
            opening = lambda: soundfile.SoundFile(headed())  # noqa: E731
            with opening() as file:
                info = _Info(file.frames, file.samplerate, file.channels, file.format, file.subtype)
        if not LOWEST_RATE_HZ <= info.samplerate <= HIGHEST_RATE_HZ:
            raise SoundError(
                f"{named} has a sample rate of {info.samplerate} Hz, which is no sound.",
                hint=f"Rates from {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ} Hz are understood.",
            )
        if info.channels > MOST_CHANNELS:
            raise SoundError(f"{named} has {info.channels} channels; up to {MOST_CHANNELS} are understood.")
        frames = info.frames if _reaches_its_end(opening, info.frames) else _counted(opening)
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).rstrip(".").removeprefix(f"Error opening {str(path)!r}: ")
        # libsndfile says of MP3 files without a single frame that they do not exist.
        if not reason or "does not exist" in reason:
            reason = "there is no sound in it"
        raise SoundError(f"{named} cannot be read as audio ({reason}).", hint=_UNDERSTOOD) from error
    if frames == 0:
        raise SoundError(f"{named} holds no sound.", hint="Its header says it has 0 frames, or all of it is damaged.")
    if frames != info.frames:
        claimed_s, found_s = info.frames / info.samplerate, frames / info.samplerate
        notes.append(f"{named.name} is cut short or damaged: {found_s:.1f} s of {claimed_s:.1f} s could be read.")
    if most_s * info.samplerate < frames:
        frames = round(most_s * info.samplerate)

    def walk() -> Iterator[Block]:
        _ = holder  # as long as anybody can walk, the temporary file stays
        return _blocks(named, opening, frames, info.subtype, notes)

    return Audio(info.samplerate, info.channels, frames, walk), info


def _reaches_its_end(opening: _Opening, frames: int) -> bool:
    """Whether the last frame that the header promises can be read."""
    import soundfile

    if frames == 0:
        return True
    try:
        with opening() as file:
            file.seek(frames - 1)
            return len(file.read(1, dtype="float32", always_2d=True)) == 1
    except (soundfile.LibsndfileError, RuntimeError):
        return False


def _counted(opening: _Opening) -> int:
    """Frames that can be decoded before the first fault."""
    import soundfile

    frames = 0
    with opening() as file:
        try:
            while read := len(file.read(_COUNTING_FRAMES, dtype="float32", always_2d=True)):
                frames += read
        except (soundfile.LibsndfileError, RuntimeError):
            return frames
    return frames


def _blocks(named: Path, opening: _Opening, frames: int, subtype: str, notes: list[str]) -> Iterator[Block]:
    import soundfile

    done = 0
    replaced = 0
    try:
        with opening() as file:
            while done < frames:
                block: Block = file.read(min(BLOCK_FRAMES, frames - done), dtype="float32", always_2d=True)
                if not len(block):
                    break
                if subtype in ("FLOAT", "DOUBLE"):
                    broken = ~(np.abs(block) <= _LARGEST_SAMPLE)
                    if broken.any():
                        block[broken] = 0.0
                        replaced += int(broken.sum())
                done += len(block)
                yield block
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        raise SoundError(f"{named} could not be read to its end ({error}).", hint="It may have changed meanwhile.") from error
    if done < frames:
        raise SoundError(f"{named} became shorter while it was read.", hint="Try again when nothing else writes it.")
    if replaced:
        note = (
            f"{named.name} held {replaced} samples that are no numbers (NaN, infinite or absurd); silence stands in their place."
        )
        if note not in notes:
            notes.append(note)

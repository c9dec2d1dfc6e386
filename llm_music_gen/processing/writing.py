"""Streams as files: WAV (16, 24 bit, float; RF64 beyond 4 GB), FLAC, MP3, OGG, Opus, M4A. Nothing half-written stays."""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import EncodingError, SoundError, StorageError
from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.rates import resampled
from llm_music_gen.processing.streams import steady
from llm_music_gen.sound import ffmpeg
from llm_music_gen.sound.mp3 import encode_mp3
from llm_music_gen.sound.tags import copy_tags
from llm_music_gen.units import SAMPLE_RATE_HZ

FORMATS = ("wav", "flac", "mp3", "ogg", "opus", "m4a")
LOSSY = frozenset(("mp3", "ogg", "opus", "m4a", "aac"))
_SUFFIXES = {"aiff": ".wav", "aac": ".aac"}
#: A WAV header counts bytes in 32 bits; well before that the 64-bit form is taken.
_LARGEST_WAV_BYTES = 4_000_000_000
_MOST_CHANNELS = {"flac": 8, "mp3": 2, "ogg": 8, "opus": 8, "m4a": 8, "aac": 8}
_RATES_HZ = {
    "mp3": (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
    "opus": (8_000, 12_000, 16_000, 24_000, 48_000),
    "m4a": (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000),
}
_LAMEENC_KBPS = (128, 160, 192, 224, 256, 320)
_KBPS = {"mp3": 192, "ogg": 192, "opus": 128, "m4a": 192, "aac": 192}
_DITHER_SAMPLES = 1 << 20
_FLAC_HIGHEST_RATE_HZ = 655_350
_VORBIS_HIGHEST_RATE_HZ = 192_000


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is stored."""

    audio_format: str = "wav"
    """One of FORMATS, or aac."""
    bits: int | None = None
    """16, 24 or 32 (float); None: 24. Only WAV and FLAC (16, 24) heed it."""
    kbps: int | None = None
    """Bit rate of lossy formats; None: a good one."""

    @property
    def suffix(self) -> str:
        """What the file's name ends with."""
        return _SUFFIXES.get(self.audio_format, f".{self.audio_format}")

    @property
    def floating(self) -> bool:
        """Whether values beyond full scale survive."""
        return self.audio_format in ("wav", "aiff") and self.bits == 32


def fitted(audio: Audio, encoding: Encoding) -> tuple[Audio, list[str]]:
    """The audio at a rate that the format can hold, and what had to be changed, in sentences. Raises SoundError."""
    name = encoding.audio_format.upper()
    most = _MOST_CHANNELS.get(encoding.audio_format)
    if most is not None and audio.channels > most:
        raise SoundError(
            f"{name} holds up to {most} channels, this sound has {audio.channels}.", hint="Choose wav, or make it mono first."
        )
    rate_hz = _nearest_rate_hz(audio.sample_rate_hz, encoding.audio_format)
    if rate_hz == audio.sample_rate_hz:
        return audio, []
    if encoding.audio_format == "opus" and audio.sample_rate_hz < rate_hz:
        return resampled(audio, rate_hz), []  # Opus works at 48 kHz inside; nothing is lost
    return resampled(audio, rate_hz), [f"{name} cannot hold {audio.sample_rate_hz} Hz; the file has {rate_hz} Hz."]


def write(audio: Audio, path: Path, encoding: Encoding, tags_of: Path | None = None) -> Work[Path]:
    """Write the sound, which must be `fitted`, with tags and cover of `tags_of`. Yields progress of the stage "convert".

    Raises EncodingError, StorageError (disk full, folder not writable), DependencyMissing.
    """
    part = path.with_name(f".{path.stem}.part{encoding.suffix}")
    writer = {"mp3": _mp3, "m4a": _aac, "aac": _aac}.get(encoding.audio_format, _libsndfile)
    try:
        with closing(_all_of(writer(audio, _numbers(audio.walk()), part, encoding))) as counts:
            for done in counts:
                yield Progress("convert", min(1.0, done / max(1, audio.frames)), f"Writing {path.name}")
        if tags_of is not None:
            copy_tags(tags_of, part)
        part.replace(path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageError(f"There is no room for {path.name} in {path.parent}.", hint="Free some space.") from error
        reason = error.strerror or error
        raise StorageError(f"{path} cannot be written ({reason}).", hint="Choose another folder with --output.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def _all_of(counts: Iterator[int]) -> Generator[int, None, None]:
    yield from counts


def _nearest_rate_hz(rate_hz: int, audio_format: str) -> int:
    """The rate itself where the format holds it, else the next higher one it holds, else its highest."""
    if audio_format in ("flac", "ogg"):
        return min(rate_hz, 192_000) if rate_hz > _highest(audio_format) else rate_hz
    rates_hz = _RATES_HZ.get("m4a" if audio_format == "aac" else audio_format)
    if rates_hz is None or rate_hz in rates_hz:
        return rate_hz
    return next((rate for rate in rates_hz if rate > rate_hz), rates_hz[-1])


def _highest(audio_format: str) -> int:
    return _FLAC_HIGHEST_RATE_HZ if audio_format == "flac" else _VORBIS_HIGHEST_RATE_HZ


def _numbers(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks of one size, so that coders and dither do the same however the sound was cut; no number (NaN) is silence."""
    for block in steady(blocks):
        yield np.nan_to_num(block, posinf=0.0, neginf=0.0)


def _libsndfile(audio: Audio, blocks: Iterator[Block], path: Path, encoding: Encoding) -> Iterator[int]:
    import soundfile

    bits = encoding.bits or 24
    container, subtype = {
        "flac": ("FLAC", "PCM_16" if bits == 16 else "PCM_24"),
        "ogg": ("OGG", "VORBIS"),
        "opus": ("OGG", "OPUS"),
        "mp3": ("MP3", "MPEG_LAYER_III"),
    }.get(encoding.audio_format, ("WAV", {16: "PCM_16", 24: "PCM_24"}.get(bits, "FLOAT")))
    if container == "WAV" and audio.frames * audio.channels * bits // 8 > _LARGEST_WAV_BYTES:
        container = "RF64"
    quality: dict[str, Any] = {"compression_level": _compression_level(encoding, audio)} if encoding.audio_format in LOSSY else {}
    if container == "MP3":
        quality |= {"bitrate_mode": "CONSTANT"}
        blocks = (block / np.float32(_lame_scale(encoding, audio)) for block in blocks)
    if subtype == "PCM_16":
        blocks = _dithered(blocks)
    done = 0
    try:
        with soundfile.SoundFile(path, "w", audio.sample_rate_hz, audio.channels, subtype, format=container, **quality) as file:
            for block in blocks:
                file.write(block)
                done += len(block)
                yield done
    except soundfile.LibsndfileError as error:
        if "System error" in str(error) or not path.exists():
            raise OSError(errno.ENOSPC, "the disk is full or the folder cannot be written") from error
        raise EncodingError(f"{path.name} cannot be written ({error}).", hint="Try another format.") from error


def _compression_level(encoding: Encoding, audio: Audio) -> float:
    """libsndfile's scale, 0 (best) to 1, for a bit rate: MP3 320 to 32 kbit/s, Opus 256 to 6 a channel, Vorbis 270 to 64."""
    kbps = encoding.kbps or _KBPS[encoding.audio_format]
    if encoding.audio_format == "mp3":
        # Below 64 kbit/s there is no room for the header that tells the exact length.
        kbps = max(kbps, 64)
        highest, lowest = (320, 32) if audio.sample_rate_hz >= 32_000 else (160, 8)
        level = (highest - kbps) / (highest - lowest)
    elif encoding.audio_format == "opus":
        level = (256 - kbps / audio.channels) / 250
    else:
        level = 1.0 - (kbps * 2 / audio.channels - 64) / 210
    return min(max(level, 0.0), 0.99)


def _lame_scale(encoding: Encoding, audio: Audio) -> float:
    """What LAME multiplies its input by, to spare headroom that is not its business; measured at every bit rate."""
    if audio.sample_rate_hz < 32_000:
        return 0.95
    kbps = encoding.kbps or _KBPS["mp3"]
    return 0.95 if kbps < 176 else {192: 0.97, 224: 0.98}.get(round(kbps / 32) * 32, 1.0)


def _mp3(audio: Audio, blocks: Iterator[Block], path: Path, encoding: Encoding) -> Iterator[int]:
    """LAME itself at the rate of CDs, where it also notes the exact length; libsndfile's copy of it elsewhere."""
    kbps = encoding.kbps or _KBPS["mp3"]
    if audio.sample_rate_hz == SAMPLE_RATE_HZ and audio.channels == 2:
        nearest = min(_LAMEENC_KBPS, key=lambda rate: abs(rate - kbps))
        if abs(nearest - kbps) <= 32:
            return encode_mp3(blocks, path, nearest)
    return _libsndfile(audio, blocks, path, encoding)


def _aac(audio: Audio, blocks: Iterator[Block], path: Path, encoding: Encoding) -> Iterator[int]:
    kbps = encoding.kbps or _KBPS[encoding.audio_format]
    return ffmpeg.encode_aac(blocks, audio.sample_rate_hz, audio.channels, path, encoding.suffix, kbps)


def _dithered(blocks: Iterable[Block]) -> Iterator[Block]:
    """Triangular noise of one step before rounding to 16 bits, so that fades end in noise and not in distortion.

    Stretches that 16 bits hold exactly stay as they are: a trimmed 16-bit file keeps its samples. The noise is always the same.
    """
    chance = np.random.default_rng(16)
    noise = np.subtract(*chance.random((2, _DITHER_SAMPLES), dtype=np.float32))
    for block in blocks:
        steps = block * np.float32(32_768.0)
        rounded = np.rint(steps)
        if not np.array_equal(steps, rounded):
            # A piece of the same long noise from another place each time: as good as new noise, and far quicker.
            first = int(chance.integers(_DITHER_SAMPLES))
            steps += np.resize(_around(noise, first, min(steps.size, _DITHER_SAMPLES)), steps.shape)
            np.rint(steps, out=rounded)
        yield np.clip(rounded, -32_768, 32_767, out=rounded) * np.float32(1 / 32_768)


def _around(noise: NDArray[np.float32], first: int, count: int) -> NDArray[np.float32]:
    """So many values from a place on, going on at the beginning behind the end."""
    rest = noise[first : first + count]
    return rest if len(rest) == count else np.concatenate((rest, noise[: count - len(rest)]))

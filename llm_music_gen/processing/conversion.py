"""Another format: the rate is changed here, the rest by whoever writes the file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.rates import resampled
from llm_music_gen.processing.writing import LOSSY, Encoding
from llm_music_gen.tools.spec import Range

_BITS = (16, 24, 32)


def convert(
    audio: Audio,
    fmt: Literal["wav", "flac", "mp3", "ogg", "opus", "m4a"] | None = None,
    kbps: Annotated[int | None, Range(32, 512, "kbit/s")] = None,
    rate: Annotated[int | None, Range(8_000, 384_000, "Hz")] = None,
    bits: Annotated[int | None, Range(16, 32, "bits")] = None,
) -> Audio:
    """Store it in another format.

    fmt: The format; nothing keeps it.
    kbps: Bit rate of MP3, OGG, Opus and M4A.
    rate: Sample rate.
    bits: 16, 24 or 32 (floating point) for WAV, 16 or 24 for FLAC.
    """
    return resampled(audio, rate) if rate else audio


def encoding_after(arguments: dict[str, Any], before: Encoding) -> Encoding:
    """How a file is stored after a call of `convert`."""
    fmt = arguments.get("fmt") or before.audio_format
    kept = before if fmt == before.audio_format else Encoding(fmt, None if fmt in LOSSY else before.bits)
    bits, kbps = arguments.get("bits"), arguments.get("kbps")
    nearest = kept.bits if bits is None else min(_BITS, key=lambda value: abs(value - bits))
    return Encoding(fmt, nearest, kbps or kept.kbps)

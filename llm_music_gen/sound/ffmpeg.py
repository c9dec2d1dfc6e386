"""The ffmpeg program, for the formats that libsndfile does not know: M4A and AAC. The only module that starts it.

It is called by a list of arguments, never through a shell, may open nothing but the one file, and is told which container to
expect, so that a playlist that calls itself music cannot make it fetch others.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import DependencyMissing, EncodingError, SoundError

#: Suffix -> the demuxer that may look at such a file.
DEMUXERS = {".m4a": "mov", ".mp4": "mov", ".m4b": "mov", ".aac": "aac"}
_MUXERS = {".m4a": "ipod", ".mp4": "ipod", ".m4b": "ipod", ".aac": "adts"}
_PROTOCOLS = ("-protocol_whitelist", "file,pipe")
_LONGEST_ANSWER = 4_096


def program() -> str:
    """The path of ffmpeg. Raises DependencyMissing."""
    found = shutil.which("ffmpeg")
    if found is None:
        raise DependencyMissing(
            "M4A and AAC files need the program ffmpeg, which was not found.",
            hint="Install it, or use WAV, FLAC, MP3, OGG or Opus.",
        )
    return found


def decode_to_wav(source: Path, target: Path) -> float:
    """Decode the first audio stream of an M4A or AAC file to a float WAV (RF64). Returns its length in seconds.

    What is written may be longer: the coder's last frame is decoded whole. Raises SoundError, DependencyMissing.
    """
    arguments = [
        *_reading(source), "-c:a", "pcm_f32le", "-rf64", "auto", "-f", "wav", "-y", f"file:{target.resolve()}",
    ]  # fmt: skip
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False, **_quietly())
    if done.returncode:
        raise SoundError(f"{source} cannot be read as audio ({_reason(done.stderr)}).", hint="The file may be damaged.")
    return _length_s(source)


def _reading(source: Path) -> list[str]:
    return [
        *_start(), *_PROTOCOLS, "-f", DEMUXERS[source.suffix.lower()], "-i", f"file:{source.resolve()}",
        "-map", "0:a:0", "-vn", "-sn", "-dn",
    ]  # fmt: skip


def _length_s(source: Path) -> float:
    """Where the last packet ends: the only place that tells the length to the frame. Unknown gives infinity."""
    base, end = Fraction(1), None
    arguments = [*_reading(source), "-c", "copy", "-f", "framecrc", "-"]
    with subprocess.Popen(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8", **_quietly()
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("#tb 0:"):
                base = Fraction(line.partition(":")[2].strip())
            elif line.startswith("0,"):
                _, _, start, length, *_ = (part.strip() for part in line.split(","))
                end = int(start) + int(length)
    return math.inf if end is None else float(end * base)


def encode_aac(
    blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int, channels: int, path: Path, suffix: str, kbps: int
) -> Iterator[int]:
    """Write AAC into `path` in the container that `suffix` stands for. Yields the frames written so far.

    Raises EncodingError, DependencyMissing.
    """
    arguments = [
        *_start(), "-protocol_whitelist", "pipe", "-f", "f32le", "-ar", str(sample_rate_hz), "-ac", str(channels), "-i", "pipe:0",
        "-c:a", "aac", "-b:a", f"{kbps}k", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact",
        "-f", _MUXERS[suffix], "-y", f"file:{path.resolve()}",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, **_quietly()
        ) as process:
            assert process.stdin is not None
            written = 0
            try:
                for block in blocks:
                    process.stdin.write(np.ascontiguousarray(block, dtype="<f4").tobytes())
                    written += len(block)
                    yield written
                process.stdin.close()
            except BrokenPipeError:
                # It stopped early; its exit status and its words follow. What was not sent yet cannot be.
                with contextlib.suppress(BrokenPipeError):
                    process.stdin.close()
            except BaseException:
                process.kill()
                raise
            process.wait()
        if process.returncode:
            errors.seek(0)
            raise EncodingError(
                f"{path.name} cannot be written ({_reason(errors.read(_LONGEST_ANSWER))}).", hint="Try another format."
            )


def _start() -> list[str]:
    return [program(), "-hide_banner", "-nostdin", "-loglevel", "error"]


def _quietly() -> dict[str, Any]:
    # Without this a console window flashes up on Windows.
    return {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)} if sys.platform == "win32" else {}


def _reason(answer: bytes) -> str:
    lines = [line.strip() for line in answer.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][-200:] if lines else "ffmpeg says no more"

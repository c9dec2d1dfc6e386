"""An MP4 for upload from a picture or a looping clip of the user's and the finished song.

The picture is encoded once for a short loop, which is then repeated by stream copy: hours of video take minutes. ffmpeg is called
by a list of arguments, never through a shell, may open local files only, and is told which container to expect. A still is read
by Pillow first: ffmpeg would try a damaged one again and again without end.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import DependencyMissing, EncodingError, StorageError, UsageError

#: Suffix -> the demuxer that may look at such a file, so that a playlist that calls itself a clip cannot make it open others.
_DEMUXERS = {
    ".mp4": "mov", ".mov": "mov", ".m4v": "mov", ".m4a": "mov", ".m4b": "mov", ".mkv": "matroska", ".webm": "matroska",
    ".avi": "avi", ".gif": "gif", ".wav": "wav", ".flac": "flac", ".mp3": "mp3", ".ogg": "ogg", ".opus": "ogg",
}  # fmt: skip
STILLS = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp"))
CLIPS = frozenset((".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi", ".gif"))
_COPIED_AUDIO = frozenset((".m4a", ".m4b", ".mp4"))
_STILL_LOOP_S = 60
_LONGEST_CLIP_S = 600
_STILL_FPS = Fraction(24)
_FASTEST_FPS = Fraction(60)
_AUDIO_KBPS = 384
_SAFE = ("-protocol_whitelist", "file,pipe")


def make_video(visual: Path, audio: Path, target: Path, *, height: int = 1_080) -> Work[Path]:
    """Write `target` (MP4, H.264 and AAC, 16 to 9) exactly as long as the song. Yields progress of the stage "video".

    Raises DependencyMissing without ffmpeg, UsageError for a picture or clip that cannot be used, EncodingError, StorageError.
    """
    ffmpeg, ffprobe = _programs()
    suffix = visual.suffix.lower()
    if suffix not in STILLS | CLIPS:
        raise UsageError(f"{visual.name} is neither a picture nor a clip.", hint="Give a PNG, JPEG, MP4, MOV, MKV or WEBM file.")
    if audio.suffix.lower() not in _DEMUXERS:
        raise UsageError(f"{audio.name} cannot become a video's sound.", hint="Give a WAV, FLAC, MP3, OGG, Opus or M4A file.")
    for source in (visual, audio):
        if not source.is_file():
            raise UsageError(f"{source} does not exist.")
    length_s = _audio_length_s(ffprobe, audio)
    part = target.with_name(f"{target.name}.part")
    try:
        with tempfile.TemporaryDirectory(prefix=".video-", dir=target.parent) as folder:
            loop = Path(folder) / "loop.mp4"
            fps = _STILL_FPS if suffix in STILLS else _clip_fps(ffprobe, visual)
            loop_s = min(float(_STILL_LOOP_S), length_s) if suffix in STILLS else _clip_length_s(ffprobe, visual)
            shown = _readable_still(visual, Path(folder) / "still.png", height) if suffix in STILLS else visual
            for share in _run(_loop_arguments(ffmpeg, shown, loop, loop_s, fps, height), loop_s):
                yield Progress("video", 0.2 * share, "Encoding the picture once")
            _check_room(target.parent, loop.stat().st_size / loop_s * length_s + length_s * _AUDIO_KBPS * 125)
            for share in _run(_join_arguments(ffmpeg, loop, audio, part, length_s), length_s):
                yield Progress("video", 0.2 + 0.8 * share, "Joining picture and sound")
        _check(ffprobe, part, length_s, fps)
        part.replace(target)
    except OSError as error:
        raise StorageError(f"{target} cannot be written ({error}).", hint="Free some space or choose another folder.") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def black_still(target: Path) -> Path:
    """A black picture, for sound that is listened to in the dark."""
    from PIL import Image

    Image.new("RGB", (1_920, 1_080)).save(target)
    return target


def stream_lengths_s(path: Path) -> tuple[float, float]:
    """Length of the video and of the audio stream of a file in seconds, by ffprobe."""
    _, ffprobe = _programs()
    return _stream_lengths_s(ffprobe, path)


def _readable_still(source: Path, target: Path, height: int) -> Path:
    """The picture as a plain PNG, upright and not larger than twice the video. Raises UsageError for what is no picture."""
    from PIL import Image, ImageOps

    try:
        with Image.open(source) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            upright.thumbnail((4 * height, 2 * height))
            upright.save(target, "PNG")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(f"{source.name} cannot be read as a picture.", hint="The file may be damaged.") from error
    return target


def _loop_arguments(ffmpeg: str, visual: Path, loop: Path, length_s: float, fps: Fraction, height: int) -> list[str]:
    width = height * 16 // 9 // 2 * 2
    still = visual.suffix.lower() in STILLS
    fit = (
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:flags=lanczos,"
        f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p"
    )
    # No B frames: with them a cut by stream copy lies some frames off. A still needs few key frames, which keeps it small.
    return [
        ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-progress", "pipe:1", "-y",
        *(("-f", "image2", "-pattern_type", "none", "-loop", "1", "-framerate", str(fps), *_SAFE) if still else _reading(visual)),
        "-i", _file(visual), "-an", "-sn", "-dn", "-map", "0:v:0", "-t", f"{length_s:.6f}", "-vf", fit, "-r", str(fps),
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-profile:v", "high", "-bf", "0",
        *(("-tune", "stillimage", "-g", "480") if still else ("-g", str(max(1, round(fps / 2))))),
        "-flags", "+cgop", "-threads", "2", "-use_editlist", "0", "-f", "mp4", _file(loop),
    ]  # fmt: skip


def _join_arguments(ffmpeg: str, loop: Path, audio: Path, target: Path, length_s: float) -> list[str]:
    copied = audio.suffix.lower() in _COPIED_AUDIO
    sound = ("-c:a", "copy") if copied else ("-c:a", "aac", "-aac_coder", "fast", "-b:a", f"{_AUDIO_KBPS}k", "-ac", "2")
    return [
        ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-progress", "pipe:1", "-y",
        "-stream_loop", "-1", *_reading(loop), "-i", _file(loop), *_reading(audio), "-i", _file(audio),
        "-map", "0:v:0", "-map", "1:a:0", "-map_metadata", "-1", "-c:v", "copy", *sound, "-t", f"{length_s:.6f}",
        "-use_editlist", "0", "-movflags", "+faststart", "-f", "mp4", _file(target),
    ]  # fmt: skip


def _run(arguments: list[str], length_s: float) -> Iterator[float]:
    """Run ffmpeg and yield how much is done, 0 to 1. It is stopped when nobody listens any more."""
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8", **_quietly()
        ) as process:
            try:
                assert process.stdout is not None
                reached = 0.0
                for line in process.stdout:
                    name, _, value = line.strip().partition("=")
                    if name == "out_time_us" and value.isdigit():
                        reached = max(reached, min(1.0, int(value) / 1e6 / length_s))
                        yield reached
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            errors.seek(0)
            said = errors.read(4_096).decode("utf-8", "replace").strip().splitlines()
            raise EncodingError(f"ffmpeg could not make the video ({said[-1][-200:] if said else 'it says no more'}).")


def _check(ffprobe: str, path: Path, length_s: float, fps: Fraction) -> None:
    """Raises EncodingError where picture and sound differ by a frame or more, or the sound is not as long as the song."""
    video_s, audio_s = _stream_lengths_s(ffprobe, path)
    frame_s = float(1 / fps)
    if abs(video_s - audio_s) >= frame_s or abs(audio_s - length_s) >= max(frame_s, 0.05):
        raise EncodingError(
            f"The video came out with {video_s:.3f} s of picture and {audio_s:.3f} s of sound for a song of {length_s:.3f} s."
        )


def _stream_lengths_s(ffprobe: str, path: Path) -> tuple[float, float]:
    found: dict[str, float] = {}
    for stream in _probe(ffprobe, path).get("streams", []):
        found.setdefault(stream.get("codec_type", ""), float(stream.get("duration", "nan")))
    if not {"video", "audio"} <= found.keys():
        raise EncodingError(f"{path.name} has no picture or no sound.")
    return found["video"], found["audio"]


def _audio_length_s(ffprobe: str, path: Path) -> float:
    if path.suffix.lower() not in _COPIED_AUDIO:
        from llm_music_gen.sound.decode import audio_info

        return audio_info(path).length_s
    for stream in _probe(ffprobe, path).get("streams", []):
        if stream.get("codec_type") == "audio" and "duration" in stream:
            return float(stream["duration"])
    raise UsageError(f"{path.name} has no sound.")


def _clip_length_s(ffprobe: str, path: Path) -> float:
    try:
        length_s = float(_probe(ffprobe, path)["format"]["duration"])
    except (KeyError, ValueError):
        length_s = math.nan
    if not 0 < length_s <= _LONGEST_CLIP_S:
        raise UsageError(f"{path.name} cannot be looped; give a clip of at most {_LONGEST_CLIP_S // 60} minutes.")
    return length_s


def _clip_fps(ffprobe: str, path: Path) -> Fraction:
    for stream in _probe(ffprobe, path).get("streams", []):
        if stream.get("codec_type") == "video":
            try:
                fps = Fraction(stream.get("avg_frame_rate", "0/1"))
            except (ValueError, ZeroDivisionError):
                fps = Fraction(0)
            return min(fps, _FASTEST_FPS) if fps >= 1 else Fraction(30)
    raise UsageError(f"{path.name} has no picture.")


def _probe(ffprobe: str, path: Path) -> dict[str, Any]:
    arguments = [ffprobe, "-v", "error", *_reading(path), "-show_streams", "-show_format", "-of", "json", _file(path)]
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False, **_quietly())
    if done.returncode:
        raise UsageError(f"{path.name} cannot be read by ffmpeg.", hint="The file may be damaged.")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _check_room(folder: Path, size_bytes: float) -> None:
    # Moving the index to the front writes into the same file, so one size is enough; a tenth is kept free.
    free = shutil.disk_usage(folder).free
    if size_bytes * 1.1 > free:
        raise StorageError(
            f"The video needs about {size_bytes / 1e9:.1f} GB, but {folder} has {free / 1e9:.1f} GB free.",
            hint="Free some space or choose another folder.",
        )


def _programs() -> tuple[str, str]:
    found = shutil.which("ffmpeg"), shutil.which("ffprobe")
    if found[0] is None or found[1] is None:
        raise DependencyMissing("Making a video needs the program ffmpeg, which was not found.", hint="Install it and try again.")
    return found[0], found[1]


def _reading(path: Path) -> tuple[str, ...]:
    # The unfinished video has its suffix under another one.
    return (*_SAFE, "-f", _DEMUXERS.get(path.suffix.lower(), "mov"))


def _file(path: Path) -> str:
    # With the protocol in front no name can be read as an option or as another protocol.
    return f"file:{path.resolve()}"


def _quietly() -> dict[str, Any]:
    # Without this a console window flashes up on Windows.
    return {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)} if sys.platform == "win32" else {}

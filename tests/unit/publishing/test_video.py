"""Videos are as long as their sound, and what cannot be used is said in one sentence."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import DependencyMissing, EncodingError, UsageError
from llm_music_gen.publishing.video import make_video, stream_lengths_s

RATE = 44_100
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None, reason="ffmpeg is not here")


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("song") / "-i, 50% %d song.flac"
    t = np.arange(round(RATE * 20.013)) / RATE
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 440 * t), RATE)
    return path


def picture(path: Path) -> Path:
    Image.effect_noise((320, 180), 60).convert("RGB").save(path)
    return path


@needs_ffmpeg
def test_a_still_becomes_a_video_as_long_as_the_song(song: Path, tmp_path: Path) -> None:
    made = finish(make_video(picture(tmp_path / "a %03d.png"), song, tmp_path / "v.mp4", height=180))
    video_s, audio_s = stream_lengths_s(made)
    assert abs(video_s - audio_s) < 1 / 24
    assert audio_s == pytest.approx(20.013, abs=0.03)
    content = made.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat") and b"elst" not in content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a %03d.png", "v.mp4"]


@needs_ffmpeg
def test_a_clip_is_looped_to_the_length_of_the_song(song: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    making = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x180:r=30:d=3", "-pix_fmt", "yuv420p", str(clip)]
    subprocess.run(making, check=True, stdin=subprocess.DEVNULL)
    video_s, audio_s = stream_lengths_s(finish(make_video(clip, song, tmp_path / "v.mp4", height=180)))
    assert abs(video_s - audio_s) < 1 / 30


@needs_ffmpeg
def test_what_is_no_picture_is_refused_and_leaves_nothing(song: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"#EXTM3U\nhttp://example.com/x.ts\n")
    (tmp_path / "a.mp4").write_bytes(b"#EXTM3U\nhttp://example.com/x.ts\n")
    for name in ("a.png", "a.mp4", "a.txt", "missing.png"):
        with pytest.raises((EncodingError, UsageError)):
            finish(make_video(tmp_path / name, song, tmp_path / "v.mp4", height=180))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a.png"]


@needs_ffmpeg
def test_stopping_half_way_leaves_nothing(song: Path, tmp_path: Path) -> None:
    still = picture(tmp_path / "a.png")
    work = make_video(still, song, tmp_path / "v.mp4", height=180)
    next(work)
    work.close()
    assert list(tmp_path.iterdir()) == [still]


def test_without_ffmpeg_one_sentence_says_so(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyMissing, match="ffmpeg"):
        finish(make_video(tmp_path / "a.png", song, tmp_path / "v.mp4"))

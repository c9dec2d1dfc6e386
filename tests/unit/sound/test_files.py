"""Finished files: length to the frame, level, tags, and what happens when the disk is full."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import SoundError, SoundfontMissing, StorageError
from llm_music_gen.sound.decode import audio_info, decoded, measure_file
from llm_music_gen.sound.encode import encode
from llm_music_gen.sound.mp3_info import crc16
from llm_music_gen.sound.soundfonts import find_soundfont, list_soundfonts
from llm_music_gen.sound.tags import Tags, write_tags
from llm_music_gen.units import SAMPLE_RATE_HZ

FRAMES = 3 * SAMPLE_RATE_HZ + 123


def programme(frames: int = FRAMES) -> NDArray[np.float32]:
    time_s = np.arange(frames) / SAMPLE_RATE_HZ
    left = 0.4 * np.sin(2 * np.pi * 440 * time_s)
    right = 0.4 * np.sin(2 * np.pi * 660 * time_s)
    return np.stack((left, right), axis=1).astype(np.float32)


def written(path: Path, audio_format: str, samples: NDArray[np.float32], kbps: int = 192) -> Path:
    blocks = [samples[start : start + 10_000] for start in range(0, len(samples), 10_000)]
    return finish(encode(iter(blocks), len(samples), path, audio_format, kbps))


@pytest.mark.parametrize("frames", [1, 575, 1_152, 44_100, FRAMES])
@pytest.mark.parametrize("audio_format", ["wav", "flac", "mp3"])
def test_the_decoded_file_has_exactly_the_frames_that_went_in(audio_format: str, frames: int, tmp_path: Path) -> None:
    path = written(tmp_path / f"a.{audio_format}", audio_format, programme(frames))
    assert sum(len(block) for block in decoded(path)) == frames


@pytest.mark.parametrize("kbps", [128, 192, 320])
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_another_decoder_gives_the_same_frames_at_the_same_place_and_level(kbps: int, tmp_path: Path) -> None:
    samples = programme()
    path = written(tmp_path / "a.mp3", "mp3", samples, kbps)
    raw = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-ac", "2", "-"], capture_output=True, check=True
    ).stdout
    out = np.frombuffer(raw, dtype="<f4").reshape(-1, 2)
    assert len(out) == len(samples)
    middle = slice(20_000, 100_000)
    assert np.sqrt(np.mean((out[middle] - samples[middle]) ** 2)) < 0.01
    level_db = 20 * np.log10(out[middle].std() / samples[middle].std())
    assert level_db == pytest.approx(0.0, abs=0.05)


def test_opus_is_as_long_within_a_frame_of_its_own_rate(tmp_path: Path) -> None:
    info = audio_info(written(tmp_path / "a.opus", "opus", programme()))
    assert info.sample_rate_hz == 48_000
    assert info.length_s == pytest.approx(FRAMES / SAMPLE_RATE_HZ, abs=1 / 48_000)


@pytest.mark.parametrize("audio_format", ["wav", "flac", "mp3", "opus"])
def test_the_same_samples_give_the_same_bytes(audio_format: str, tmp_path: Path) -> None:
    one, other = (written(tmp_path / f"{name}.{audio_format}", audio_format, programme()) for name in "ab")
    if audio_format == "opus":  # its container carries a random stream number; the sound is what must agree
        assert all(np.array_equal(x, y) for x, y in zip(decoded(one), decoded(other), strict=True))
    else:
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("audio_format", ["wav", "flac", "mp3", "opus"])
def test_tags_can_be_read_back_and_leave_the_sound_alone(audio_format: str, tmp_path: Path) -> None:
    import mutagen

    path = written(tmp_path / f"a.{audio_format}", audio_format, programme())
    before = measure_file(path)
    write_tags(path, Tags("Grüße", ("Chill", "Dubstep"), 140.0, "F#m", "2026-11-21", "Llm-Music-Gen 0.1", 3000))
    assert measure_file(path) == before
    text = str(dict(mutagen.File(path).tags))
    assert "Grüße" in text and "Chill, Dubstep" in text and "F#m" in text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("audio_format", ["wav", "mp3"])
def test_a_full_disk_is_said_in_one_sentence(audio_format: str, tmp_path: Path) -> None:
    part = tmp_path / f"a.{audio_format}.part"
    part.symlink_to("/dev/full")
    with pytest.raises(StorageError, match="a\\." + audio_format):
        written(tmp_path / f"a.{audio_format}", audio_format, programme(200_000))
    assert not (tmp_path / f"a.{audio_format}").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX paths")
def test_a_folder_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        written(tmp_path / "nowhere" / "a.wav", "wav", programme(100))


def test_what_is_not_audio_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("not audio", encoding="utf-8")
    with pytest.raises(SoundError, match="cannot be read as audio"):
        audio_info(path)


def test_the_checksum_is_the_one_of_the_standard() -> None:
    assert crc16(b"123456789") == 0xBB3D
    assert crc16(bytes(range(256)) * 40) == crc16(b"\0" * 5000 + bytes(range(256)) * 40)


def test_a_soundfont_is_found_and_a_wrong_one_refused(tmp_path: Path) -> None:
    assert find_soundfont(None).path.suffix in (".sf2", ".sf3")
    assert find_soundfont(None) == list_soundfonts()[0]
    with pytest.raises(SoundfontMissing, match="does not exist"):
        find_soundfont(tmp_path / "none.sf2")
    wrong = tmp_path / "wrong.sf2"
    wrong.write_bytes(b"RIFF....WAVE")
    with pytest.raises(SoundfontMissing, match="not a soundfont"):
        find_soundfont(wrong)
    own = tmp_path / "soundfonts"
    own.mkdir()
    (own / "mine.sf2").write_bytes(b"RIFF\0\0\0\0sfbk")
    assert find_soundfont(None, own).name == "mine"

"""Files in and out: every format, hostile ones, tags; the original is only ever read."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import DependencyMissing, SoundError, StorageError, StudioError
from llm_music_gen.processing.files import kept, opened
from llm_music_gen.processing.rates import resampled
from llm_music_gen.processing.writing import Encoding, fitted, write
from tests.unit.processing.sounds import RATE_HZ, Samples, audio_of, level_at_db, noise, rms_db, samples_of, sine

HAS_FFMPEG = shutil.which("ffmpeg") is not None
needs_ffmpeg = pytest.mark.skipif(not HAS_FFMPEG, reason="ffmpeg is not installed")


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "channels", "tolerance"),
    [
        (Encoding("wav", 16), 44_100, 2, 1.6 / 32_768),
        (Encoding("wav", 24), 96_000, 2, 1.1 / 2**23),
        (Encoding("wav", 32), 44_100, 32, 0.0),
        (Encoding("flac", 24), 48_000, 6, 1.1 / 2**23),
        (Encoding("flac", 16), 44_100, 1, 1.6 / 32_768),
        (Encoding("mp3", kbps=192), 44_100, 2, 0.02),
        (Encoding("mp3", kbps=128), 48_000, 1, 0.02),
        (Encoding("mp3", kbps=64), 22_050, 2, 0.03),
        (Encoding("ogg"), 44_100, 2, 0.02),
        (Encoding("opus"), 48_000, 2, 0.03),
        pytest.param(Encoding("m4a"), 44_100, 2, 0.02, marks=needs_ffmpeg),
        pytest.param(Encoding("aac"), 44_100, 2, None, marks=needs_ffmpeg),
    ],
)
def test_every_format_comes_back_as_it_went_in(
    encoding: Encoding, rate_hz: int, channels: int, tolerance: float | None, tmp_path: Path
) -> None:
    wave = sine(440.0, 1.0, -12.0, rate_hz, channels)
    path = tmp_path / f"tone{encoding.suffix}"
    finish(write(audio_of(wave, rate_hz), path, encoding))
    file = opened(path)
    back = samples_of(file.audio)
    assert (file.audio_format, file.audio.sample_rate_hz, file.audio.channels) == (encoding.audio_format, rate_hz, channels)
    assert file.notes == []
    assert level_at_db(back, 440.0, rate_hz) == pytest.approx(-12.0, abs=0.1)
    if tolerance is not None:
        assert len(back) == len(wave)
        middle = slice(2_000, -2_000)
        assert np.abs(back[middle] - wave[middle]).max() <= tolerance
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_sixteen_bit_samples_that_were_not_changed_stay_the_same_bits(tmp_path: Path) -> None:
    steps = np.random.default_rng(1).integers(-32_768, 32_768, (5_000, 2)).astype(np.float32) / np.float32(32_768)
    finish(write(audio_of(steps), tmp_path / "same.wav", Encoding("wav", 16)))
    assert np.array_equal(samples_of(opened(tmp_path / "same.wav").audio), steps)


def test_rounding_to_sixteen_bits_leaves_noise_and_no_distortion(tmp_path: Path) -> None:
    quiet = sine(1_000.0, 2.0, -90.0)
    finish(write(audio_of(quiet), tmp_path / "quiet.wav", Encoding("wav", 16)))
    back = samples_of(opened(tmp_path / "quiet.wav").audio)
    assert level_at_db(back, 1_000.0) == pytest.approx(-90.0, abs=0.5)
    assert level_at_db(back, 3_000.0) < -112.0


def test_what_a_format_cannot_hold_is_resampled_or_refused() -> None:
    audio, notes = fitted(audio_of(noise(0.1, rate_hz=96_000), 96_000), Encoding("mp3"))
    assert audio.sample_rate_hz == 48_000 and "48000 Hz" in notes[0]
    audio, notes = fitted(audio_of(noise(0.1)), Encoding("opus"))
    assert audio.sample_rate_hz == 48_000
    with pytest.raises(SoundError, match="MP3 holds up to 2 channels, this sound has 6"):
        fitted(audio_of(noise(0.1, channels=6)), Encoding("mp3"))


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(44_100, 48_000), (48_000, 44_100), (44_100, 22_050), (8_000, 44_100), (192_000, 44_100)]
)
@pytest.mark.parametrize("block_frames", [777, 200_000])
def test_another_rate_keeps_tones_and_lets_no_alias_through(from_hz: int, to_hz: int, block_frames: int) -> None:
    low = 1_000.0
    wave: Samples = sine(low, 1.0, -12.0, from_hz, 1)
    if from_hz > to_hz:
        wave += sine(min(0.55 * to_hz, 0.49 * from_hz), 1.0, -12.0, from_hz, 1)  # must go: it would come back as another tone
    out = samples_of(resampled(audio_of(wave, from_hz, block_frames), to_hz))
    assert len(out) == -(-len(wave) * to_hz // from_hz)
    clean = sine(low, 1.0, -12.0, to_hz, 1)
    middle = slice(to_hz // 10, -to_hz // 10)
    assert np.abs(out[middle] - clean[: len(out)][middle]).max() < 2e-4


def test_a_kept_stream_has_the_same_samples_and_leaves_no_file(tmp_path: Path) -> None:
    wave = noise(0.5, channels=3)
    stored = kept(audio_of(wave), tmp_path)
    assert np.array_equal(samples_of(stored), wave) and np.array_equal(samples_of(stored), wave)
    assert len(list(tmp_path.iterdir())) == 1
    del stored
    assert list(tmp_path.iterdir()) == []


def _wav_header_with(path: Path, size: int) -> None:
    data = path.read_bytes()
    at = data.find(b"data")
    path.write_bytes(data[: at + 4] + struct.pack("<I", size) + data[at + 8 :])


def test_a_header_that_promises_five_gigabytes_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "wrong.wav"
    soundfile.write(path, noise(0.5), 44_100)
    _wav_header_with(path, 0xFFFFFFF0)
    assert len(samples_of(opened(path).audio)) == 22_050


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".ogg", ".wav"])
def test_a_truncated_file_gives_what_is_there(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut{suffix}"
    soundfile.write(path, noise(3.0), 44_100)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    file = opened(path)
    samples = samples_of(file.audio)
    assert 0.5 * 44_100 < len(samples) < 2.5 * 44_100
    if suffix in (".mp3", ".flac"):
        assert "is cut short or damaged" in file.notes[0]


def test_an_mp3_of_changing_bit_rate_without_a_header_is_read_to_its_end(tmp_path: Path) -> None:
    """Decoders guess the length of such files from the first frame, which is louder here than most."""
    from llm_music_gen.sound.mp3_headless import with_header

    path = tmp_path / "vbr.mp3"
    wave = np.concatenate([noise(1.0, -10.0), np.zeros((RATE_HZ * 3, 2), dtype=np.float32), sine(440.0, 1.0, -7.0)])
    soundfile.write(path, wave, RATE_HZ, format="MP3", bitrate_mode="VARIABLE", compression_level=0.2)
    data = path.read_bytes()
    assert with_header(path) is None
    start = data.index(b"\xff\xfb")
    first_size = next(at for at in range(start + 100, len(data)) if data[at : at + 2] == b"\xff\xfb") - start
    path.write_bytes(data[:start] + data[start + first_size :])
    assert soundfile.info(path).frames < 0.9 * len(wave), "or there is nothing to mend"
    file = opened(path)
    samples = samples_of(file.audio)
    assert len(wave) <= len(samples) < len(wave) + 4_000
    assert file.notes == []
    assert rms_db(samples[-RATE_HZ:]) == pytest.approx(-10.0, abs=0.5)


def test_numbers_that_are_none_become_silence_and_are_told(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    wave = noise(0.1)
    wave[10], wave[20, 0], wave[30, 1] = np.nan, np.inf, 1e30
    soundfile.write(path, wave, 44_100, subtype="FLOAT")
    file = opened(path)
    samples = samples_of(file.audio)
    samples_of(file.audio)
    assert np.isfinite(samples).all() and not samples[10].any() and samples[20, 0] == 0 == samples[30, 1]
    assert file.notes == ["nan.wav held 4 samples that are no numbers (NaN, infinite or absurd); silence stands in their place."]


def _make(kind: str, path: Path) -> None:
    if kind == "text":
        path.write_text("this is no music\n" * 500, encoding="utf-8")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "no frames":
        soundfile.write(path, np.zeros((0, 2)), 44_100)
    elif kind == "zero size":
        soundfile.write(path, noise(0.1), 44_100)
        _wav_header_with(path, 0)
    elif kind == "one hertz":
        soundfile.write(path, noise(0.1), 1)
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(3).bytes(100_000))
    elif kind == "odd chunks":
        soundfile.write(path, noise(0.1), 44_100)
        data = path.read_bytes()
        path.write_bytes(data[:12] + b"odd\x00" + struct.pack("<I", 0xFFFFFFFF) + data[12:])


@pytest.mark.parametrize("kind", ["text", "empty", "no frames", "zero size", "one hertz", "noise", "odd chunks"])
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a", ".raw"])
def test_what_is_no_sound_is_refused_in_one_sentence(kind: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"file{suffix}"
    made = path.with_suffix(".wav")
    _make(kind, made)
    made.rename(path)
    with pytest.raises((SoundError, DependencyMissing)) as caught:
        samples_of(opened(path).audio)
    assert "\n" not in str(caught.value) and 20 < len(str(caught.value)) < 400


def test_extreme_rates_and_channel_counts_are_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "fast.wav", noise(0.01, rate_hz=768_000), 768_000)
    assert opened(tmp_path / "fast.wav").audio.sample_rate_hz == 768_000
    soundfile.write(tmp_path / "many.wav", noise(0.01, channels=32), 48_000)
    assert opened(tmp_path / "many.wav").audio.channels == 32


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        opened(tmp_path / "none.wav")
    with pytest.raises(StorageError, match="not a file"):
        opened(tmp_path)


def test_a_playlist_with_the_name_of_a_song_opens_no_other_file(tmp_path: Path) -> None:
    if not HAS_FFMPEG:
        pytest.skip("ffmpeg is not installed")
    soundfile.write(tmp_path / "secret.wav", noise(0.1), 44_100)
    (tmp_path / "list.m4a").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'secret.wav'}\n", encoding="utf-8")
    with pytest.raises(SoundError):
        opened(tmp_path / "list.m4a")


def test_without_ffmpeg_m4a_is_refused_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / "a.m4a").write_bytes(b"anything")
    with pytest.raises(DependencyMissing, match="need the program ffmpeg"):
        opened(tmp_path / "a.m4a")
    with pytest.raises(DependencyMissing):
        finish(write(audio_of(noise(0.1)), tmp_path / "b.m4a", Encoding("m4a")))
    assert not (tmp_path / "b.m4a").exists()


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StudioError):
        finish(write(audio_of(noise(0.1)), tmp_path / "no folder" / "a.wav", Encoding("wav")))
    assert list(tmp_path.iterdir()) == []


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.mark.parametrize("source_format", ["mp3", "flac", "ogg", "wav", pytest.param("m4a", marks=needs_ffmpeg)])
@pytest.mark.parametrize("target_format", ["mp3", "flac", "ogg", "opus", "wav", pytest.param("m4a", marks=needs_ffmpeg)])
def test_tags_and_cover_go_along(source_format: str, target_format: str, tmp_path: Path) -> None:
    from llm_music_gen.sound.tags import Cover, TagTexts, give_tags, read_tags

    given = TagTexts(
        {"title": ["Über den Wolken"], "artist": ["A", "B"], "tracknumber": ["3/12"], "date": ["2024"]}, [Cover("image/png", PNG)]
    )
    source = tmp_path / f"source.{source_format}"
    audio = audio_of(sine(440.0, 0.2, rate_hz=48_000), 48_000)
    finish(write(audio, source, Encoding(source_format)))
    give_tags(source, given)
    before = source.read_bytes()
    target = tmp_path / f"target.{target_format}"
    finish(write(audio, target, Encoding(target_format), tags_of=source))
    texts, covers = read_tags(target).texts, read_tags(target).covers
    assert texts["title"] == ["Über den Wolken"] and texts["date"] == ["2024"] and texts["tracknumber"] == ["3/12"]
    assert texts["artist"] in (["A", "B"], ["A/B"])
    assert [(cover.mime, cover.data) for cover in covers] == [("image/png", PNG)]
    assert source.read_bytes() == before
    assert len(samples_of(opened(target).audio)) == 9_600

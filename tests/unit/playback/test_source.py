"""Reading audio files as the player needs them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.errors import PlaybackError
from llm_music_gen.playback.mp3_frames import read_constant_mp3
from llm_music_gen.playback.source import AudioSource, Block
from tests.unit.playback.conftest import ToneMaker


def read_all(source: AudioSource) -> Block:
    blocks = []
    while len(block := source.read(3000)):
        blocks.append(block)
    return np.concatenate(blocks)


def frequency_hz(block: Block) -> float:
    spectrum = np.abs(np.fft.rfft(block[:, 0] * np.hanning(len(block))))
    return float(np.argmax(spectrum) * 44100 / len(block))


@pytest.mark.parametrize("rate_hz", [8000, 22050, 32000, 48000, 96000, 44099])
def test_other_sample_rates_are_converted_in_pitch_and_length(rate_hz: int, tone: ToneMaker) -> None:
    source = AudioSource(tone("a.wav", length_s=2, frequency_hz=1000, rate_hz=rate_hz))
    heard = read_all(source)
    assert len(heard) == pytest.approx(88200, abs=60)
    inner = heard[2000:-2000, 0]
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2000, 2000 + len(inner)) / 44100)
    assert np.abs(inner - expected).max() < 0.5 * 10 ** (-55 / 20)


def test_what_lies_above_hearing_does_not_fold_back(tone: ToneMaker) -> None:
    heard = read_all(AudioSource(tone("a.wav", length_s=1, frequency_hz=30_000, rate_hz=96_000)))
    assert np.abs(heard[2000:-2000]).max() < 0.5 * 10 ** (-60 / 20)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.opus", "a.mp3"])
def test_every_format_plays_and_seeks(name: str, tone: ToneMaker) -> None:
    path = tone(name, length_s=4, frequency_hz=500, rate_hz=48_000)
    source = AudioSource(path, 3.0)
    assert source.length_s == pytest.approx(4.0, abs=0.1)
    heard = read_all(source)
    assert len(heard) / 44100 == pytest.approx(1.0, abs=0.1)
    assert frequency_hz(heard[4000:20000]) == pytest.approx(500, abs=5)
    # No hole anywhere, the first moments after the jump included.
    assert min(np.abs(heard[start : start + 500]).max() for start in range(1000, 40_000, 500)) > 0.4


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_number_of_channels_becomes_two(channels: int, tone: ToneMaker) -> None:
    assert read_all(AudioSource(tone("a.wav", channels=channels))).shape[1] == 2


def test_what_is_not_a_number_never_reaches_a_loudspeaker(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([[np.nan, np.inf], [9.0, -9.0]], np.float32).repeat(50, axis=0), 44100, subtype="FLOAT")
    heard = read_all(AudioSource(path))
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1.0


@pytest.mark.parametrize("content", [b"", b"RIFF", b"text", b"\xff\xfb" * 5000, b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f"])
def test_what_is_no_audio_file_is_refused_in_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    with pytest.raises(PlaybackError, match=r"a\.mp3 cannot be played"):
        AudioSource(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlaybackError, match="it is not there"):
        AudioSource(tmp_path / "a.mp3")


@pytest.fixture(scope="module")
def hour_mp3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of MP3 at constant bit rate: each minute has a pitch of its own."""
    import lameenc

    folder = tmp_path_factory.mktemp("hour")
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(128)
    encoder.set_in_sample_rate(44100)
    encoder.set_channels(2)
    encoder.set_quality(7)
    pieces = []
    second = np.arange(44100) / 44100
    for minute in range(60):
        wave = (9000 * np.sin(2 * np.pi * (200 + 50 * minute) * second)).astype(np.int16)
        pieces.append(encoder.encode(np.stack([wave, wave], axis=1).tobytes()))
    pieces.append(encoder.flush())
    path = folder / "minute-in-a-second.mp3"
    path.write_bytes(b"".join(pieces) * 60)
    return path


def test_a_moment_in_a_long_mp3_is_found_by_arithmetic(hour_mp3: Path) -> None:
    layout = read_constant_mp3(hour_mp3)
    assert layout is not None
    piece_s = layout.frames / 60 / 44100  # a minute and the encoder's padding
    for start_s in (17.5, 1234.5, 3599.5):
        source = AudioSource(hour_mp3, start_s)
        assert source.position / 44100 == pytest.approx(start_s, abs=0.001)
        # One of sixty pitches sounds in each second.
        pitch_hz = frequency_hz(source.read(8192))
        assert (pitch_hz - 200) / 50 == pytest.approx((start_s % piece_s) // 1, abs=0.3)


def test_a_long_file_is_never_held_in_memory(hour_mp3: Path) -> None:
    tracemalloc.start()
    source = AudioSource(hour_mp3, 1800.0)
    for _ in range(50):
        source.read(8820)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    source.close()
    assert peak < 5_000_000


def test_a_changing_bit_rate_is_left_to_the_decoder(tone: ToneMaker) -> None:
    assert read_constant_mp3(tone("a.wav")) is None

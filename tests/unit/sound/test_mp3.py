"""MP3 from chunks: the same bytes however it is made, exact in length, and no seam to be heard."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.errors import EncodingError
from llm_music_gen.playback.mp3_frames import read_constant_mp3
from llm_music_gen.sound import mp3
from llm_music_gen.sound.decode import decoded
from llm_music_gen.sound.mp3 import chunk_count, chunk_is_whole, chunk_range, encode_chunk, encode_mp3, join_chunks, to_pcm
from llm_music_gen.sound.mp3_frames import SAMPLES_PER_FRAME, ChunkFrames, frames_of
from llm_music_gen.sound.mp3_info import crc16
from llm_music_gen.units import SAMPLE_RATE_HZ
from tests.unit.sound.mp3_reading import frames_in

Samples = NDArray[np.float32]
KBPS = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
SHORT_CHUNK = 3 * 49
NEEDS_FFMPEG = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@pytest.fixture
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of 3.8 s, so that a short sound has many joins."""
    monkeypatch.setattr(mp3, "CHUNK_FRAMES", SHORT_CHUNK)


def drone(length_s: float) -> Samples:
    """Partials with a floor of noise: what long tracks are made of."""
    draw = np.random.default_rng(4)
    time_s = np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tones = sum(np.sin(2 * np.pi * hz * time_s + hz) for hz in (132.0, 198.0, 264.4, 396.0, 528.0))
    noise = draw.standard_normal((len(time_s), 2))
    noise[1:] = (noise[1:] + noise[:-1]) / 2
    return (0.08 * np.asarray(tones)[:, None] + 0.01 * noise).astype(np.float32)


def drums(length_s: float) -> Samples:
    """Bursts: short windows, and saved bytes used up again and again."""
    draw = np.random.default_rng(5)
    time_s = np.arange(round(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    bursts = 0.4 * np.exp(-30 * (time_s % 0.231))[:, None] * draw.standard_normal((len(time_s), 2))
    return (bursts + 0.1 * np.sin(2 * np.pi * 55 * time_s)[:, None]).clip(-0.9, 0.9).astype(np.float32)


def written(path: Path, samples: Samples, kbps: int = 192, block: int = 65_536, workers: int = 2, quality: int = 3) -> bytes:
    blocks = (samples[at : at + block] for at in range(0, len(samples), block))
    for _ in encode_mp3(blocks, path, kbps, quality=quality, workers=workers):
        pass
    return path.read_bytes()


def heard(path: Path) -> Samples:
    return np.concatenate(list(decoded(path)))


@pytest.mark.usefixtures("short_chunks")
def test_the_bytes_depend_neither_on_the_blocks_nor_on_the_workers(tmp_path: Path) -> None:
    samples = drums(13)
    assert chunk_count(len(samples)) == 3
    files = {
        written(tmp_path / "a.mp3", samples, 128, block, workers)
        for block, workers in ((len(samples), 1), (65_536, 2), (5_003, 3), (300_000, 4))
    }
    assert len(files) == 1


def test_chunks_of_other_processes_in_any_order_give_the_same_file(tmp_path: Path) -> None:
    samples = drone(124)
    straight = written(tmp_path / "a.mp3", samples, 128, quality=7)
    pcm = to_pcm(samples, 128)
    count = chunk_count(len(pcm))
    assert count == 2
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
        for index in reversed(range(count)):
            first, end = chunk_range(index, len(pcm))
            (tmp_path / f"{index}").write_bytes(other.submit(encode_chunk, index, pcm[first:end], len(pcm), 128, 7).result())
    kept = [tmp_path / f"{index}" for index in range(count)]
    *_, done = join_chunks(kept, len(pcm), tmp_path / "b.mp3", 128, 7)
    assert done == len(pcm)
    assert (tmp_path / "b.mp3").read_bytes() == straight


@pytest.mark.parametrize(("kbps", "sound"), [(96, drone), (128, drums), (192, drone), (320, drums)])
def test_a_join_cannot_be_told_from_one_encoder(
    kbps: int, sound: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(sound)
    samples: Samples = sound(20)
    written(tmp_path / "one.mp3", samples, kbps)
    assert chunk_count(len(samples)) == 1
    monkeypatch.setattr(mp3, "CHUNK_FRAMES", SHORT_CHUNK)
    written(tmp_path / "many.mp3", samples, kbps)
    window = 220  # 5 ms
    one, many = (_error_power(heard(tmp_path / name), samples, window) for name in ("one.mp3", "many.mp3"))
    centres = [number * SHORT_CHUNK * SAMPLES_PER_FRAME - 1_105 for number in range(1, chunk_count(len(samples)))]
    near = np.concatenate([np.arange((at - 1_152) // window, (at + 3_456) // window) for at in centres])
    assert len(centres) == 4
    # The same error as a single encoder makes in the same places: 1 dB on average, 9 dB in any 5 ms (other roundings).
    assert many[near].mean() < 1.26 * one[near].mean()
    assert (many[near] / one[near]).max() < 8.0
    # And nothing sticks out of what is usual elsewhere.
    assert many[near].max() < 2.0 * np.delete(many, near).max()
    shifted = np.roll(heard(tmp_path / "many.mp3"), 1, axis=0)
    assert _error_power(shifted, samples, window)[near].max() > 2.0 * many[near].max(), "one sample of a gap would be noticed"


def _error_power(out: Samples, samples: Samples, window: int) -> NDArray[np.float64]:
    assert len(out) == len(samples)
    power = ((out - samples).astype(np.float64) ** 2).sum(axis=1)
    whole = len(power) // window * window
    means: NDArray[np.float64] = power[:whole].reshape(-1, window).mean(axis=1)
    return means


@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("kbps", [96, 192])
def test_the_phase_of_a_tone_runs_on_across_joins(kbps: int, tmp_path: Path) -> None:
    frames = 16 * SAMPLE_RATE_HZ
    angle = 2 * np.pi * 528.0 * np.arange(frames) / SAMPLE_RATE_HZ
    samples = np.repeat((0.5 * np.sin(angle))[:, None], 2, axis=1).astype(np.float32)
    written(tmp_path / "a.mp3", samples, kbps)
    turned = heard(tmp_path / "a.mp3")[:, 0] * np.exp(-1j * angle)
    period = 1_002  # twelve periods of 528 Hz, 23 ms
    phase = np.angle(turned[: frames // period * period].reshape(-1, period).mean(axis=1))[2:-2]
    assert np.abs(phase + np.pi / 2).max() < 0.002


@NEEDS_FFMPEG
@pytest.mark.usefixtures("short_chunks")
@pytest.mark.parametrize("kbps", KBPS)
def test_every_bit_rate_is_constant_exact_in_length_and_without_a_warning(kbps: int, tmp_path: Path) -> None:
    frames = 9 * SAMPLE_RATE_HZ + int(np.random.default_rng(kbps).integers(5_000))
    samples = drums(10)[:frames]
    data = written(tmp_path / "a.mp3", samples, kbps)
    assert chunk_count(frames) == 2
    assert sum(len(block) for block in decoded(tmp_path / "a.mp3")) == frames
    found = frames_in(data)
    assert {frame.kbps for frame in found} == {kbps}
    places = np.array([frame.place for frame in found[1:]]) - found[1].place
    exact = np.arange(len(places)) * 144_000 * kbps / SAMPLE_RATE_HZ
    assert np.abs(places - exact).max() < 1.0
    ffmpeg = ["ffmpeg", "-v", "warning", "-i", str(tmp_path / "a.mp3"), "-f", "s16le", "-ac", "2", "-"]
    done = subprocess.run(ffmpeg, capture_output=True, check=True)
    assert done.stderr == b""
    assert len(done.stdout) == 4 * frames


@pytest.mark.usefixtures("short_chunks")
def test_every_length_is_exact_also_where_one_chunk_becomes_two(tmp_path: Path) -> None:
    turn = (SHORT_CHUNK + 98 - 2) * SAMPLES_PER_FRAME
    assert chunk_count(turn) == 1 and chunk_count(turn + 1) == 2
    samples = drone(8)
    draw = np.random.default_rng(6)
    for frames in (0, 1, 47, 1_151, 1_153, turn, turn + 1, *draw.integers(2, len(samples), 4).tolist()):
        data = written(tmp_path / "a.mp3", samples[:frames], 64, quality=7)
        assert len(frames_in(data)) == 1 + frames_of(frames)
        if frames:  # libsndfile refuses a file without a sound
            assert len(heard(tmp_path / "a.mp3")) == frames


@pytest.mark.usefixtures("short_chunks")
def test_the_header_says_how_long_the_file_is_and_sums_it_up(tmp_path: Path) -> None:
    samples = drone(12)
    data = written(tmp_path / "a.mp3", samples, quality=5)
    frames = frames_in(data)
    music = data[frames[1].place :]
    tag = data[36:]
    assert tag[:4] == b"Info"
    assert int.from_bytes(tag[8:12], "big") == len(frames) - 1
    assert int.from_bytes(tag[12:16], "big") == len(data)
    assert int.from_bytes(tag[116:120], "big") == 50, "LAME's way to say quality 5"
    delay_and_padding = int.from_bytes(tag[141:144], "big")
    assert (len(frames) - 1) * 1_152 - (delay_and_padding >> 12) - (delay_and_padding & 0xFFF) == len(samples)
    assert int.from_bytes(tag[152:154], "big") == crc16(music)
    assert int.from_bytes(tag[154:156], "big") == crc16(data[:190])


def test_the_checksum_can_be_taken_piece_by_piece() -> None:
    data = np.random.default_rng(7).integers(0, 256, 100_003, dtype=np.uint8).tobytes()
    assert crc16(b"") == 0
    for cut in (0, 1, 32_767, 32_768, 99_999):
        assert crc16(data[cut:], crc16(data[:cut])) == crc16(data)


@pytest.mark.usefixtures("short_chunks")
def test_a_player_finds_its_way_in_the_file(tmp_path: Path) -> None:
    written(tmp_path / "a.mp3", drone(30), 320, quality=7)
    found = read_constant_mp3(tmp_path / "a.mp3")
    assert found is not None
    assert found.bytes_per_frame == pytest.approx(1044.898, abs=0.001)


@pytest.mark.usefixtures("short_chunks")
def test_a_kept_chunk_with_a_wrong_byte_or_in_the_wrong_place_is_found(tmp_path: Path) -> None:
    pcm = to_pcm(drone(9), 64)
    chunks = [
        encode_chunk(index, pcm[slice(*chunk_range(index, len(pcm)))], len(pcm), 64, 7) for index in range(chunk_count(len(pcm)))
    ]
    assert ChunkFrames.from_bytes(chunks[1]).to_bytes() == chunks[1]

    def joined(kept: list[bytes], kbps: int = 64, frames: int = len(pcm)) -> None:
        list(join_chunks(kept, frames, tmp_path / "a.mp3", kbps))

    joined(chunks)
    for place in (0, 9, 13, 30, 500, len(chunks[0]) - 1):
        wrong = bytearray(chunks[0])
        wrong[place] ^= 4
        with pytest.raises(EncodingError, match="damaged"):
            joined([bytes(wrong), chunks[1]])
        assert not chunk_is_whole(bytes(wrong), 0, 64)
    file = tmp_path / "chunk"
    file.write_bytes(chunks[1])
    assert chunk_is_whole(file, 1, 64) and not chunk_is_whole(file, 0, 64) and not chunk_is_whole(file, 1, 128)
    for cut in (0, 20, len(chunks[0]) - 1):
        with pytest.raises(EncodingError, match="damaged"):
            joined([chunks[0][:cut], chunks[1]])
    with pytest.raises(EncodingError, match="not the one that comes next"):
        joined(chunks[::-1])
    with pytest.raises(EncodingError, match="not the one that comes next"):
        joined(chunks, 128)
    for kept, frames in ((chunks[:1], len(pcm)), ([], len(pcm)), (chunks, len(pcm) + 5_000)):
        with pytest.raises(EncodingError, match="missing"):
            joined(kept, frames=frames)


def test_joining_holds_two_chunks_however_many_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp3, "CHUNK_FRAMES", SHORT_CHUNK)
    pcm = to_pcm(drone(12), 192)
    ends = len(pcm)
    first, inner = (encode_chunk(index, pcm[slice(*chunk_range(index, ends))], ends, 192, 7) for index in (0, 1))
    again = ChunkFrames.from_bytes(inner)

    def peak(count: int) -> int:
        def chunks() -> Iterator[bytes]:
            yield first
            for index in range(1, count):
                yield replace(again, index=index, first=index * SHORT_CHUNK - 49).to_bytes()

        frames = again.end - SHORT_CHUNK + (count - 1) * SHORT_CHUNK - 2
        tracemalloc.start()
        try:
            list(join_chunks(chunks(), frames * SAMPLES_PER_FRAME, tmp_path / "a.mp3", 192))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)
    assert peak(40) < 1.2 * peak(4)


@pytest.mark.usefixtures("short_chunks")
def test_nothing_runs_on_when_nobody_waits_for_the_file(tmp_path: Path) -> None:
    samples = drone(60)
    work = encode_mp3(iter([samples]), tmp_path / "a.mp3", workers=2)
    next(work)
    work.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("mp3")]


def test_progress_grows_up_to_the_whole_length(tmp_path: Path) -> None:
    samples = drone(5)
    blocks = [samples[at : at + 30_000] for at in range(0, len(samples), 30_000)]
    done = list(encode_mp3(blocks, tmp_path / "a.mp3"))
    assert done == sorted(done)
    assert done[-1] == len(samples)


def test_an_error_of_the_source_is_passed_on(tmp_path: Path) -> None:
    def source() -> Iterator[Samples]:
        yield drone(1)
        raise EncodingError("no more")

    with pytest.raises(EncodingError, match="no more"):
        list(encode_mp3(source(), tmp_path / "a.mp3"))


@pytest.mark.parametrize("kbps", [0, 32, 100, 333])
def test_a_bit_rate_that_cannot_be_is_said(kbps: int, tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match=f"{kbps} kbit/s"):
        list(encode_mp3([drone(0.1)], tmp_path / "a.mp3", kbps))


def test_samples_that_do_not_belong_to_a_chunk_are_refused() -> None:
    pcm = to_pcm(drone(1), 192)
    with pytest.raises(EncodingError, match="needs the samples 0 to 44100"):
        encode_chunk(0, pcm[1:], len(pcm), 192)


def test_chunks_cover_the_music_and_overlap() -> None:
    for frames in (0, 1, 5_000_000, 5_419_008, 5_419_009, 8 * 3600 * SAMPLE_RATE_HZ):
        ranges = [chunk_range(index, frames) for index in range(chunk_count(frames))]
        assert ranges[0][0] == 0 and ranges[-1][1] == frames
        for (_, end), (first, _) in pairwise(ranges):
            assert first % (49 * SAMPLES_PER_FRAME) == 0
            assert end - first > 100 * SAMPLES_PER_FRAME

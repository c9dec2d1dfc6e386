"""Segments: the same whoever renders them, kept with what was measured, found when they are damaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from llm_music_gen import disk
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Chapter, HeldTone, LongScore
from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import DiskMissing, EncodingError, SoundError
from llm_music_gen.sound import mp3
from llm_music_gen.sound.bed.layers import BedLayer
from llm_music_gen.sound.bed.schedule import Schedule
from llm_music_gen.sound.decode import audio_info, measure_file
from llm_music_gen.sound.long import measure, store
from llm_music_gen.sound.long.finish import encode_track
from llm_music_gen.sound.long.measure import measure_long_file
from llm_music_gen.sound.long.render import make_segment, render_track, track_loudness
from llm_music_gen.sound.long.store import SegmentDamaged, SegmentRow, SegmentStore, segment_count, segment_range
from llm_music_gen.sound.long.track import Track, TrackPlayer
from llm_music_gen.sound.loudness import LoudnessMeter
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.units import db_to_gain, gain_to_db

RATE = 44_100
SEGMENT = 3 * RATE
FRAMES = 13 * RATE + 1_234
ROW = SegmentRow(0, "", 0.5, (0.25, 1e-9), {"music": 0.4})


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SEGMENT_FRAMES", SEGMENT)
    monkeypatch.setattr(mp3, "CHUNK_FRAMES", 147)


def make_track() -> Track:
    """Held tones, a beat and rain."""
    length_s = FRAMES / RATE
    chapter = Chapter(0, 0.0, length_s, "One", Key("C", "major"), 0.3, 0.6)
    tones = (
        HeldTone(0.0, length_s, 264.0, "pad", -24.0, 0.5, 0.5), HeldTone(1.0, 8.0, 396.0, "bowl", -26.0, 0.05, 2.0),
        HeldTone(5.5, 7.0, 132.0, "drone", -22.0, 1.5, 1.5, pan=-0.4), HeldTone(7.0, 5.0, 528.0, "choir", -27.0, 1.0, 1.0),
    )  # fmt: skip
    layers = (BedLayer("binaural", -34.0, 1, 264.0, Schedule(((0.0, 10.0), (13.0, 4.0)))), BedLayer("rain", -36.0, 2))
    return Track(LongScore(FRAMES, (chapter,), tones, (), 1.0, 2.0), find_soundfont(None).path, layers)


def make_track_in_a_process_of_its_own() -> Track:
    """As a worker opens it: patches of the test are unknown there."""
    store.SEGMENT_FRAMES = SEGMENT
    return make_track()


def make_no_track() -> Track:
    raise SoundError("There is nothing to play.")


@pytest.fixture
def segments(tmp_path: Path) -> Iterator[SegmentStore]:
    with closing(SegmentStore(tmp_path)) as opened:
        yield opened


@pytest.fixture(scope="module")
def whole() -> NDArray[np.float32]:
    """The track in one stretch."""
    with closing(TrackPlayer(make_track())) as player:
        return player.stretch(0, FRAMES)


@pytest.fixture(scope="module")
def rendered_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every segment of the track."""
    folder = tmp_path_factory.mktemp("rendered")
    with pytest.MonkeyPatch.context() as patch, closing(SegmentStore(folder)) as opened:
        patch.setattr(store, "SEGMENT_FRAMES", SEGMENT)
        finish(render_track(make_track, opened, FRAMES, 0))
    return folder


@pytest.fixture
def rendered(rendered_once: Path, tmp_path: Path) -> Iterator[SegmentStore]:
    """The track in a folder of the test's own."""
    folder = tmp_path / "rendered"
    shutil.copytree(rendered_once, folder)
    with closing(SegmentStore(folder)) as opened:
        yield opened


def test_segments_cover_a_track_without_a_gap() -> None:
    for frames in (1, SEGMENT - 1, SEGMENT, SEGMENT + 1, FRAMES):
        at = 0
        for index in range(segment_count(frames)):
            first, length = segment_range(index, frames)
            assert (first, length > 0) == (at, True)
            at += length
        assert at == frames


def test_the_usual_segment_is_a_whole_number_of_the_meter_s_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert store.SEGMENT_FRAMES % (RATE // 10) == 0


def test_a_row_comes_back_as_it_was_written(segments: SegmentStore, tmp_path: Path) -> None:
    segments.add(ROW)
    with closing(SegmentStore(tmp_path)) as again:
        assert again.rows() == {0: ROW}


def test_a_file_without_a_row_is_not_finished(segments: SegmentStore) -> None:
    store.write_segment(segments.folder, 1, np.zeros((1_000, 2), dtype=np.float32))
    assert segments.rows() == {}
    with pytest.raises(KeyError):
        segments.finished(SEGMENT)


def test_a_file_that_is_damaged_or_gone_is_found(rendered: SegmentStore) -> None:
    rows = rendered.rows()
    assert rendered.damaged(rows) == []
    flipped, gone = (rendered.folder / store.segment_name(index) for index in (1, 3))
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(bytes(data))
    gone.unlink()
    assert rendered.damaged(rows) == [1, 3]
    for index in (1, 3):
        with pytest.raises(SegmentDamaged) as caught:
            rendered.finished(FRAMES).segment(index)
        assert caught.value.index == index
    assert rendered.finished(FRAMES).segment(2).shape == (SEGMENT, 2)


def test_what_is_forgotten_is_rendered_again_to_the_same_bytes(rendered: SegmentStore) -> None:
    before = rendered.rows()
    rendered.forget(2)
    assert 2 not in rendered.rows()
    assert not (rendered.folder / store.segment_name(2)).exists()
    reports = [report.message for report in render_track(make_track, rendered, FRAMES, 0)]
    assert reports == ["4 of 5 segments", "5 of 5 segments"]
    assert rendered.rows() == before
    rendered.replan("another plan", rendered.rows())
    assert (rendered.rows(), rendered.plan()) == ({}, "another plan")


def test_nothing_half_written_stays_under_a_segment_s_name(segments: SegmentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "sync", full)
    with pytest.raises(DiskMissing, match=r"no room for segment-00000\.flac of 0\.0 MB") as caught:
        store.write_segment(segments.folder, 0, np.zeros((100, 2), dtype=np.float32))
    assert str(segments.folder) in str(caught.value)
    assert [path.name for path in segments.folder.iterdir() if "segment-" in path.name] == []


def test_segments_are_the_same_in_any_order_and_after_anything(rendered: SegmentStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with closing(TrackPlayer(make_track())) as player:
        found = {index: make_segment(player, other, index, FRAMES) for index in (4, 1, 3, 0, 2)}
    assert found == rendered.rows()


def test_segments_are_the_same_when_processes_of_their_own_render_them(rendered: SegmentStore, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with closing(SegmentStore(other)) as elsewhere:
        finish(render_track(make_track_in_a_process_of_its_own, elsewhere, FRAMES, 2))
        assert elsewhere.rows() == rendered.rows()


def test_segments_join_to_the_track_that_was_rendered_in_one_stretch(rendered: SegmentStore, whole: NDArray[np.float32]) -> None:
    joined = np.concatenate(list(rendered.finished(FRAMES).blocks(1.0)))
    assert joined.shape == whole.shape
    # 24 bits are kept; what rooms had rung on beyond the pre-roll is under -60 dB of it.
    difference = np.abs(joined - whole)
    assert difference.max() < 1e-3 * np.abs(whole).max()
    jumps = np.abs(np.diff(joined, axis=0)).max(axis=1)
    for index in range(1, segment_count(FRAMES)):
        at = index * SEGMENT
        assert jumps[at - 1] <= 1.2 * jumps[at - 4_000 : at + 4_000].max() + 1e-6
        assert abs(jumps[at - 1] - np.abs(np.diff(whole[at - 1 : at + 1], axis=0)).max()) < 1e-5


def test_pieces_and_blocks_are_the_same_samples(rendered: SegmentStore) -> None:
    finished = rendered.finished(FRAMES)
    joined = np.concatenate(list(finished.blocks(0.5)))
    for first, stop in ((0, 10), (SEGMENT - 5, SEGMENT + 5), (1_000, FRAMES), (2 * SEGMENT, 3 * SEGMENT)):
        assert np.array_equal(np.concatenate(list(finished.pieces(first, stop, 0.5))), joined[first:stop])


def test_the_first_and_last_sample_are_silent_and_every_one_is_finite(whole: NDArray[np.float32]) -> None:
    assert np.all(np.isfinite(whole))
    assert not np.any(whole[0])
    assert not np.any(whole[-1])
    assert 0.01 < np.abs(whole).max() < 1.0


def test_the_rows_add_up_to_what_one_pass_over_the_whole_measures(rendered: SegmentStore) -> None:
    meter = LoudnessMeter(RATE)
    for block in rendered.finished(FRAMES).blocks(1.0):
        meter.push(block)
    one_pass, merged = meter.result(), track_loudness(rendered.rows())
    assert merged.integrated_lufs == pytest.approx(one_pass.integrated_lufs, abs=0.01)
    assert merged.true_peak_db == pytest.approx(one_pass.true_peak_dbtp, abs=0.05)


def test_the_gain_goes_to_the_target_as_far_as_peaks_allow(rendered: SegmentStore) -> None:
    merged = track_loudness(rendered.rows())
    quiet = merged.integrated_lufs - 3.0
    assert merged.gain_db(quiet, -1.0) == pytest.approx(-3.0)
    assert merged.gain_db(0.0, -1.0) == pytest.approx(-1.0 - merged.true_peak_db)


def test_a_rise_is_found_where_it_is() -> None:
    steps = np.full(600, 1e-3)
    steps[300:] = 2e-3  # 3 dB up at 30 s
    rows = {index: SegmentRow(index, "", 0.1, tuple(steps[index * 100 : (index + 1) * 100]), {}) for index in range(6)}
    loudness = track_loudness(rows)
    assert float(loudness.rises_lu.max()) == pytest.approx(3.01, abs=0.05)
    assert 295 <= int(loudness.rises_lu.argmax()) <= 300
    assert float(loudness.over_median_lu.max()) < 3.1


def test_work_that_is_stopped_keeps_its_finished_segments(segments: SegmentStore) -> None:
    with closing(render_track(make_track, segments, FRAMES, 0)) as work:
        for report in work:
            if report.message.startswith("2 of"):
                break
    assert sorted(segments.rows()) == [0, 1]


@pytest.mark.parametrize("workers", [0])
def test_a_track_that_cannot_be_opened_fails_in_its_own_words(segments: SegmentStore, workers: int) -> None:
    with pytest.raises(SoundError, match="nothing to play"):
        finish(render_track(make_no_track, segments, FRAMES, workers))


def encoded(rendered: SegmentStore, folder: Path, name: str, workers: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"track.{name}"
    finish(encode_track(rendered.finished(FRAMES), 4.0, path, name, 192, 7, folder, workers))
    return path


@pytest.mark.parametrize("name", ["mp3", "flac", "wav"])
def test_the_finished_file_has_the_exact_length_and_the_gain(rendered: SegmentStore, tmp_path: Path, name: str) -> None:
    path = encoded(rendered, tmp_path / "out", name)
    assert audio_info(path).frames == FRAMES
    wanted = track_loudness(rendered.rows()).integrated_lufs + 4.0
    assert measure_file(path).integrated_lufs == pytest.approx(wanted, abs=0.1)


def test_encoding_goes_on_with_the_chunks_that_are_there(rendered: SegmentStore, tmp_path: Path) -> None:
    undisturbed = encoded(rendered, tmp_path / "one", "mp3").read_bytes()
    folder = tmp_path / "two"
    folder.mkdir()
    path = folder / "track.mp3"
    with closing(encode_track(rendered.finished(FRAMES), 4.0, path, "mp3", 192, 7, folder, 0)) as work:
        for report in work:
            if report.message.startswith("2 of"):
                break
    assert not path.exists()
    chunks = sorted(folder.glob("chunk-*"))
    assert len(chunks) == 2
    stamps = [chunk.stat().st_mtime_ns for chunk in chunks]
    chunks[1].write_bytes(chunks[1].read_bytes()[:-7])
    assert encoded(rendered, folder, "mp3").read_bytes() == undisturbed
    assert chunks[0].stat().st_mtime_ns == stamps[0]


def test_chunks_that_spoil_the_join_are_thrown_away(
    rendered: SegmentStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(*arguments: object) -> None:
        raise EncodingError("Chunk 1 is damaged.")

    with monkeypatch.context() as patch:
        patch.setattr("llm_music_gen.sound.long.finish.join_chunks", spoiled)
        with pytest.raises(EncodingError, match=r"thrown away.*resume"):
            encoded(rendered, tmp_path / "out", "mp3")
    assert not list((tmp_path / "out").glob("chunk-*"))
    assert audio_info(encoded(rendered, tmp_path / "out", "mp3")).frames == FRAMES


def test_a_long_file_measured_in_stretches_measures_as_in_one_pass(tmp_path: Path, whole: NDArray[np.float32]) -> None:
    quiet = np.zeros((2 * RATE, 2), dtype=np.float32)
    path = tmp_path / "track.flac"
    soundfile.write(str(path), np.concatenate((whole, quiet, whole * np.float32(db_to_gain(-6.0)))), RATE, subtype="PCM_24")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "_WORTH_IT_S", 1)
        patch.setattr(measure, "worker_pool", in_this_process)
        split = finish(measure_long_file(path, 2))
    one_pass = measure_file(path)
    assert split.frames == one_pass.frames
    assert split.integrated_lufs == pytest.approx(one_pass.integrated_lufs, abs=0.01)
    assert split.true_peak_dbtp == pytest.approx(one_pass.true_peak_dbtp, abs=0.05)
    assert split.sample_peak_dbfs == pytest.approx(one_pass.sample_peak_dbfs)
    assert split.longest_silence_frames == one_pass.longest_silence_frames
    assert split.momentary_max_lufs == pytest.approx(one_pass.momentary_max_lufs, abs=0.01)
    assert split.sample_peak_dbfs == pytest.approx(gain_to_db(float(np.abs(whole).max())), abs=0.01)


def in_this_process(workers: int) -> object:
    """A pool without processes."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1)

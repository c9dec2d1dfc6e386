"""Plans on real files: originals stay, results are measured, failures stay alone, history goes back and forth."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import LibraryError, SoundError, StorageError, UsageError
from llm_music_gen.processing.files import audio_files_in, opened
from llm_music_gen.processing.history import History
from llm_music_gen.processing.report import Failure, Report
from llm_music_gen.processing.report_picture import SIZE, spectra_png, write_picture
from llm_music_gen.processing.runner import run
from llm_music_gen.tools.plan import Call
from tests.unit.processing.sounds import RATE_HZ, Samples, noise, samples_of, sine


def music(length_s: float = 2.0, channels: int = 2) -> Samples:
    """Chords over soft noise, with hits: enough to measure."""
    wave = noise(length_s, -60.0, channels=channels)
    for hz in (220.0, 277.2, 329.6, 2_640.0):
        wave += sine(hz, length_s, -24.0, channels=channels)
    wave[:: RATE_HZ // 4] += 0.3
    return wave


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    soundfile.write(path, music(), RATE_HZ, subtype="PCM_16")
    return path


def done(calls: list[Call], *files: Path, **options: Any) -> Report:
    (report,) = finish(run(calls, files, **options))
    assert isinstance(report, Report)
    return report


def test_the_original_stays_and_the_result_lies_beside_it(song: Path) -> None:
    before = song.read_bytes()
    report = done([Call("gain", {"db": -6.0})], song)
    assert song.read_bytes() == before
    assert report.output == song.with_name("song-processed.wav")
    assert report.after.lufs == pytest.approx(report.before.lufs - 6.0, abs=0.02)
    assert soundfile.info(report.output).subtype == "PCM_16"
    assert {path.name for path in song.parent.iterdir() if path.is_file()} == {"song.wav", "song-processed.wav"}


def test_calls_are_carried_out_in_their_order(song: Path) -> None:
    report = done([Call("trim", {"start_s": 0.5, "end_s": 1.5}), Call("tempo", {"ratio": 2.0}), Call("mono")], song)
    info = soundfile.info(report.output)
    assert (info.frames, info.channels) == (RATE_HZ // 2, 1)
    assert [call.tool for call in report.calls] == ["trim", "tempo", "mono"]


def test_a_second_result_gets_a_name_of_its_own_also_when_made_of_the_first(song: Path) -> None:
    first = done([Call("gain", {"db": -1.0})], song)
    second = done([Call("gain", {"db": -1.0})], song)
    third = done([Call("gain", {"db": -1.0})], first.output)
    assert [r.output.name for r in (first, second, third)] == [
        "song-processed.wav",
        "song-processed-2.wav",
        "song-processed-3.wav",
    ]


def test_another_folder_is_made_when_asked_for(song: Path, tmp_path: Path) -> None:
    report = done([Call("mono")], song, output_dir=tmp_path / "out" / "deep")
    assert report.output.parent == tmp_path / "out" / "deep"
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot be made"):
        done([Call("mono")], song, output_dir=tmp_path / "file" / "x")


def test_sound_beyond_full_scale_is_limited_and_told(song: Path) -> None:
    report = done([Call("gain", {"db": 30.0})], song)
    assert report.after.clipping == 0 and report.after.true_peak_dbtp <= 0.0
    assert "limited" in report.notes[0]


def test_floating_point_files_keep_what_is_beyond_full_scale(song: Path) -> None:
    report = done([Call("gain", {"db": 20.0}), Call("convert", {"bits": 32})], song)
    assert report.after.sample_peak_dbfs == pytest.approx(report.before.sample_peak_dbfs + 20.0, abs=0.01)
    assert report.after.sample_peak_dbfs > 3.0


@pytest.mark.parametrize("fmt", ["wav", "flac", "mp3", "ogg", "opus"])
def test_loudness_and_ceiling_hold_in_the_finished_file(fmt: str, song: Path) -> None:
    report = done([Call("normalize", {"lufs": -12.0, "tp": -1.0}), Call("convert", {"fmt": fmt})], song)
    assert report.output.suffix == f".{fmt}"
    assert report.after.lufs == pytest.approx(-12.0, abs=0.1)
    assert report.after.true_peak_dbtp <= -1.0


def test_a_ceiling_outlives_what_cannot_raise_peaks(song: Path) -> None:
    calls = [
        Call("normalize", {"lufs": -10.0}),
        Call("trim", {"end_s": 1.5}),
        Call("fade", {"out_s": 0.5}),
        Call("convert", {"fmt": "ogg"}),
    ]
    report = done(calls, song)
    assert report.after.true_peak_dbtp <= -1.0
    assert report.after.lufs < -10.0, "the fade takes loudness, which is not put back"


def test_an_mp3_stays_an_mp3_of_about_its_bit_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    soundfile.write(path, music(), RATE_HZ)
    report = done([Call("gain", {"db": -3.0})], path)
    assert report.output.suffix == ".mp3"
    assert report.output.stat().st_size < 2 * path.stat().st_size + 4_000


def test_several_files_are_joined_into_one(song: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.flac"
    soundfile.write(other, music(1.0), RATE_HZ)
    report = done([Call("concat", {"crossfade_s": 0.5})], song, other)
    assert report.after.duration_s == pytest.approx(2.5, abs=1e-3)
    named = done([Call("concat", {"files": ["song.wav", "other.flac"]})], song)
    assert named.after.duration_s == pytest.approx(3.0, abs=1e-3)
    mixed = done([Call("mix", {"files": ["other.flac"], "gain_db": -6.0})], song)
    assert mixed.after.duration_s == pytest.approx(2.0, abs=1e-3)


def test_one_bad_file_does_not_stop_the_others(song: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("no music", encoding="utf-8")
    results = finish(run([Call("mono")], [bad, song]))
    assert isinstance(results[0], Failure) and "cannot be read as audio" in results[0].reason
    assert isinstance(results[1], Report)
    with pytest.raises(SoundError):
        finish(run([Call("mono")], [bad]))


def test_stems_get_one_gain_for_all(song: Path, tmp_path: Path) -> None:
    other = tmp_path / "bass.wav"
    soundfile.write(other, sine(80.0, 2.0, -30.0), RATE_HZ)
    reports = [
        r for r in finish(run([Call("normalize", {"lufs": -20.0})], [song, other], together=True)) if isinstance(r, Report)
    ]
    gains = [report.after.rms_dbfs - report.before.rms_dbfs for report in reports]
    assert gains[0] == pytest.approx(gains[1], abs=0.02)
    total = sum(samples_of(opened(report.output).audio) for report in reports)
    soundfile.write(tmp_path / "sum.wav", total, RATE_HZ, subtype="FLOAT")
    assert done([Call("gain", {"db": 0.0})], tmp_path / "sum.wav").before.lufs == pytest.approx(-20.0, abs=0.1)


def test_progress_never_goes_back_within_a_stage_and_names_its_file(song: Path) -> None:
    seen: list[Progress] = []
    work = run([Call("normalize", {"lufs": -14.0})], [song, song])
    for report in work:
        seen.append(report)
    for number in (1, 2):
        for stage in ("measure", "convert", "check"):
            fractions = [p.fraction for p in seen if p.stage == stage and p.detail["file"] == number]
            assert fractions and fractions == sorted(fractions) and fractions[-1] == 1.0
    assert seen[0].detail == {"file": 1, "files": 2}


def test_stopping_leaves_nothing_behind(song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    for stage in ("measure", "process", "convert", "check"):
        work = run([Call("gain", {"db": 1.0})], [song])
        for report in work:
            if report.stage == stage:
                break
        work.close()
        assert {path.name for path in song.parent.iterdir()} - {"scratch"} == {"song.wav"}
        assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    "call",
    [
        Call("gain", {"decibel": 3}),
        Call("tempo"),
        Call("nothing"),
        Call("eq", {"bands": "loud"}),
        Call("eq", {"bands": [{"hz": 100}]}),
    ],
)
def test_calls_that_make_no_sense_are_refused_before_anything_is_done(call: Call, song: Path) -> None:
    with pytest.raises(UsageError):
        finish(run([call], [song]))
    with pytest.raises(UsageError, match="no file"):
        finish(run([Call("mono")], []))


def test_the_report_fits_into_json_and_reads_well(song: Path) -> None:
    report = done([Call("gain", {"db": -3.0})], song)
    data = json.loads(json.dumps(report.as_json(), allow_nan=False))
    assert data["calls"] == [{"tool": "gain", "args": {"db": -3.0}}]
    assert data["before"]["lufs"] - data["after"]["lufs"] == pytest.approx(3.0, abs=0.02)
    assert ("Length", "2.00 s", "2.00 s") in report.lines()


def test_the_picture_shows_both_spectra(song: Path, tmp_path: Path) -> None:
    report = done([Call("lowpass", {"hz": 500.0})], song)
    picture = Image.open(io.BytesIO(spectra_png(report)))
    assert picture.size == SIZE
    pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3).astype(int)
    green = (pixels[:, 1] > pixels[:, 0] + 60).sum()
    grey = (np.abs(pixels - [127, 136, 150]).max(axis=1) < 12).sum()
    assert green > 500 and grey > 500
    assert write_picture(report, tmp_path / "p.png").read_bytes() == spectra_png(report)


def test_history_remembers_and_goes_back(song: Path, tmp_path: Path) -> None:
    history = History(tmp_path / "studio.sqlite")
    assert history.versions(song) == () and history.current(song) == song
    first = done([Call("gain", {"db": -3.0})], song)
    history.record(first, "a bit softer")
    second = done([Call("mono")], first.output)
    history.record(second, "mono please")
    assert history.current(song) == second.output == history.current(first.output)
    versions = history.versions(second.output)
    assert [(v.path, v.made_of, v.request, v.current) for v in versions] == [
        (first.output, song, "a bit softer", False),
        (second.output, first.output, "mono please", True),
    ]
    assert versions[0].calls == first.calls and versions[0].after["lufs"] == first.as_json()["after"]["lufs"]
    json.dumps([version.as_json() for version in versions], allow_nan=False)
    assert history.undo(song) == first.output == history.current(song)
    third = done([Call("reverse")], history.current(song))
    history.record(third, "backwards")
    assert history.versions(song)[2].made_of == first.output
    assert history.undo(song, steps=5) == song
    with pytest.raises(LibraryError, match="could be undone"):
        history.undo(song)
    assert all(path.exists() for path in (first.output, second.output, third.output))


def test_a_name_that_became_free_outside_is_entered_anew(song: Path, tmp_path: Path) -> None:
    history = History(tmp_path / "studio.sqlite")
    history.record(done([Call("mono")], song), "one")
    song.with_name("song-processed.wav").unlink()
    history.record(done([Call("reverse")], song), "two")
    assert history.current(song).name == "song-processed.wav"
    assert [version.request for version in history.versions(song)] == ["one", "two"]


def test_automatic_tools_report_what_they_chose_and_why(song: Path) -> None:
    report = done([Call("auto_eq"), Call("auto_compressor"), Call("auto_gain", {"lufs": -18.0}), Call("auto_limiter")], song)
    chosen = {call.tool: call.args for call in report.calls}
    assert chosen["auto_gain"] == {"lufs": -18.0, "tp": -1.0}
    assert chosen["auto_limiter"]["ceiling_db"] <= -1.0 and "ratio" in chosen["auto_compressor"]
    assert report.after.lufs == pytest.approx(-18.0, abs=0.1) and report.after.true_peak_dbtp <= -1.0
    assert [note.partition(":")[0] for note in report.notes] == ["auto_eq", "auto_compressor", "auto_gain", "auto_limiter"]
    json.dumps(report.as_json(), allow_nan=False)


def test_formats_that_are_only_read_come_back_as_wav_and_say_so(tmp_path: Path) -> None:
    path = tmp_path / "a.aiff"
    soundfile.write(path, music(1.0), RATE_HZ)
    report = done([Call("gain", {"db": -1.0})], path, scratch_dir=tmp_path)
    assert report.output.name == "a-processed.wav"
    assert report.notes == ("Files ending in .aiff are only read; the result is a .wav file.",)
    assert audio_files_in(tmp_path) == sorted([report.output, path])
    with pytest.raises(StorageError, match="cannot be looked into"):
        audio_files_in(tmp_path / "none")

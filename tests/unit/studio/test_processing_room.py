"""Batches and watched folders: what is done is done once, progress goes forward, nothing is forgotten."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.domain.progress import finish
from llm_music_gen.paths import StudioPaths, studio_paths
from llm_music_gen.processing.report import Failure, Report
from llm_music_gen.studio.processing_room import plan_processing, run_processing, versions_of
from llm_music_gen.studio.watch_folder import arrivals

RATE_HZ = 44_100


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudioPaths:
    monkeypatch.setenv("LLM_MUSIC_GEN_HOME", str(tmp_path / "home"))
    return studio_paths()


def _tone(path: Path, level: float = 0.1) -> Path:
    path.parent.mkdir(exist_ok=True)
    soundfile.write(path, level * np.sin(2 * np.pi * 440.0 * np.arange(RATE_HZ) / RATE_HZ), RATE_HZ, subtype="FLOAT")
    return path


def test_progress_of_a_batch_is_that_of_the_whole_and_never_goes_back(tmp_path: Path, paths: StudioPaths) -> None:
    files = [_tone(tmp_path / "a.wav"), _tone(tmp_path / "b.wav")]
    fractions = [report.fraction for report in run_processing(plan_processing("make it 3 dB louder", files), paths)]
    assert fractions == sorted(fractions)
    assert any(0.2 < fraction < 0.8 for fraction in fractions) and fractions[-1] == pytest.approx(1.0)


def test_what_was_finished_before_an_interruption_is_in_the_history(tmp_path: Path, paths: StudioPaths) -> None:
    files = [_tone(tmp_path / "a.wav"), _tone(tmp_path / "b.wav")]
    work = run_processing(plan_processing("make it 3 dB louder", files), paths)
    for progress in work:
        if progress.fraction > 0.55:
            break
    work.close()
    assert len(versions_of(files[0], paths)) == 1
    assert not versions_of(files[1], paths)


def test_one_bad_file_fails_alone_even_by_itself(tmp_path: Path, paths: StudioPaths) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("not audio", encoding="utf-8")
    (result,) = finish(run_processing(plan_processing("make it 3 dB louder", [bad]), paths))
    assert isinstance(result, Failure) and "bad.wav" in result.reason


def test_stems_together_keep_their_balance(tmp_path: Path, paths: StudioPaths) -> None:
    files = [_tone(tmp_path / "a.wav", 0.2), _tone(tmp_path / "b.wav", 0.05)]
    results = finish(run_processing(plan_processing("normalize to -20 LUFS", files), paths, together=True))
    gains = [result.after.lufs - result.before.lufs for result in results if isinstance(result, Report)]
    assert len(gains) == 2 and gains[0] == pytest.approx(gains[1], abs=0.05) and abs(gains[0]) > 1.0


def test_a_watched_file_is_taken_once_when_it_no_longer_grows(tmp_path: Path, paths: StudioPaths) -> None:
    folder = tmp_path / "in"
    song = _tone(folder / "song.wav")
    plan = plan_processing("make it 3 dB louder", [song])
    whole, looks = song.read_bytes(), []

    def grow(_: float) -> None:
        """Half of the file is there at the first look, all of it from the second on."""
        looks.append(song.stat().st_size)
        song.write_bytes(whole) if len(looks) == 1 else None
        if len(looks) == 6:
            raise StopWatching

    song.write_bytes(whole[: len(whole) // 2])
    os.utime(song, (1, 1))
    taken = []
    with pytest.raises(StopWatching):
        for processing in arrivals(plan, folder, paths, grow):
            taken.append((processing.files, len(looks)))
            finish(run_processing(processing, paths))
    assert taken == [((song,), 2)]
    looks.clear()
    with pytest.raises(StopWatching):  # a restart: neither the file nor its result is taken again
        for processing in arrivals(plan, folder, paths, lambda _: _count(looks)):
            pytest.fail(f"{processing.files} was taken again")


class StopWatching(Exception):
    """Ends the endless watch."""


def _count(looks: list[int]) -> None:
    looks.append(0)
    if len(looks) == 4:
        raise StopWatching

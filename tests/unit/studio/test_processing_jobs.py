"""Batches of files as jobs: a bad file does not stop the rest, and a job that was killed goes on where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from llm_music_gen.domain.job import JobContext
from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.studio.processing_jobs import process, submit
from llm_music_gen.studio.processing_room import Processing, plan_processing
from llm_music_gen.tools.plan import Plan


class Taker:
    """A queue that only takes."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, str, dict[str, Any]]] = []

    def submit(self, kind: str, title: str, request: dict[str, Any]) -> str:
        self.jobs.append((kind, title, request))
        return "uid"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    names = tuple(tmp_path / f"{letter}.wav" for letter in "abc")
    for path in names:
        soundfile.write(path, (0.1 * np.sin(np.arange(22_050) * 0.06)).astype(np.float32), 44_100)
    return names


def queued(files: tuple[Path, ...], request: str = "make it 3 dB quieter") -> dict[str, Any]:
    taker = Taker()
    submit(taker, plan_processing(request, files))  # type: ignore[arg-type]
    ((kind, _, values),) = taker.jobs
    assert kind == "process"
    return values


def context(folder: Path, *, stop: bool = False) -> JobContext:
    folder.mkdir(exist_ok=True)
    return JobContext(folder, lambda: stop)


def test_every_file_is_done_and_a_bad_one_is_named(files: tuple[Path, ...], tmp_path: Path) -> None:
    files[1].write_text("no audio", encoding="utf-8")
    work = process(queued(files), context(tmp_path / "job"))
    fractions: list[float] = []
    try:
        while True:
            report: Progress = next(work)
            fractions.append(report.fraction)
    except StopIteration as stop:
        result = stop.value
    assert fractions == sorted(fractions) and fractions[-1] <= 1.0
    assert len(result["results"]) == 3 and len(result["errors"]) == 1
    assert sorted(path.name for path in tmp_path.glob("*-processed.wav")) == ["a-processed.wav", "c-processed.wav"]


def test_a_job_that_was_killed_goes_on_with_the_next_file(files: tuple[Path, ...], tmp_path: Path) -> None:
    request = queued(files)
    work = process(request, context(tmp_path / "job"))
    for report in work:
        if report.detail["file"] == 2:
            break
    work.close()
    first = (tmp_path / "a-processed.wav").stat().st_mtime_ns
    result = finish(process(request, context(tmp_path / "job")))
    assert len(result["results"]) == 3
    assert sorted(path.name for path in tmp_path.glob("*-processed*.wav")) == [f"{letter}-processed.wav" for letter in "abc"]
    assert (tmp_path / "a-processed.wav").stat().st_mtime_ns == first


def test_it_can_stop_after_a_file(files: tuple[Path, ...], tmp_path: Path) -> None:
    assert len(finish(process(queued(files), context(tmp_path / "job", stop=True)))["results"]) == 1


def test_a_job_whose_files_all_fail_has_failed(files: tuple[Path, ...], tmp_path: Path) -> None:
    request = queued(files)
    for path in files:
        path.unlink()
    with pytest.raises(StudioError):
        finish(process(request, context(tmp_path / "job")))


def test_what_changes_no_sound_is_not_queued(files: tuple[Path, ...]) -> None:
    with pytest.raises(UsageError):
        submit(Taker(), Processing(Plan(()), files, ""))  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        finish(process({"plan": {"calls": []}}, JobContext(Path(), lambda: False)))

"""The queue's handlers: JSON in, JSON out, and a job that was killed goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.domain.job import JobContext
from llm_music_gen.domain.progress import Progress
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.studio.handlers import HANDLERS
from llm_music_gen.studio.request import GenerateRequest


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    (tmp_path / "job").mkdir()
    return JobContext(tmp_path / "job", lambda: False)


def run(kind: str, request: dict[str, Any], context: JobContext) -> tuple[list[Progress], dict[str, Any]]:
    """Every report and the result of a job."""
    reports, work = [], HANDLERS[kind](request, context)
    while True:
        try:
            reports.append(next(work))
        except StopIteration as stop:
            return reports, stop.value


def wish(**changes: Any) -> dict[str, Any]:
    request = GenerateRequest.from_words("ambient", songs=2, length="10s", seed=9)
    return json.loads(json.dumps({**request.to_dict(), **changes}))  # type: ignore[no-any-return]


def test_reports_travel_as_json_and_never_go_back(context: JobContext) -> None:
    reports, result = run("generate", wish(), context)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    for report in reports:
        json.dumps(report.detail)
    assert result["songs"][0]["seed"] == 9
    assert len(result["songs"]) == 2
    assert json.loads(json.dumps(result)) == result


def test_a_killed_job_goes_on_with_the_next_song_as_if_nothing_had_happened(context: JobContext, tmp_path: Path) -> None:
    work = HANDLERS["generate"](wish(), context)
    for report in work:
        if report.stage == "tune" and report.detail["song_number"] == 2:
            break
    work.close()
    _, resumed = run("generate", wish(), context)
    (tmp_path / "whole").mkdir()
    _, whole = run("generate", wish(), JobContext(tmp_path / "whole", lambda: False))
    assert [song["title"] for song in resumed["songs"]] == [song["title"] for song in whole["songs"]]
    scores = [[Path(song["files"]["mid"]).read_bytes() for song in result["songs"]] for result in (resumed, whole)]
    assert scores[0] == scores[1]


def test_stop_after_this_song_is_honoured(tmp_path: Path) -> None:
    _, result = run("generate", wish(), JobContext(tmp_path, lambda: True))
    assert len(result["songs"]) == 1


def test_a_job_without_any_song_fails_with_the_reason(context: JobContext) -> None:
    with pytest.raises(StudioError, match="does not fit"):
        run("generate", wish(tempo_bpm=20.0), context)
    with pytest.raises(UsageError):
        run("generate", {"styles": ["x"], "colour": "red"}, context)

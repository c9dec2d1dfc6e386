"""What the job queue can carry out: kind of job -> a generator that does it. Requests and results are plain JSON values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from llm_music_gen.domain.job import JobContext
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StudioError
from llm_music_gen.studio.batch import Outcome, song_facts
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.studio import Studio

Handler = Callable[[dict[str, Any], JobContext], Work[dict[str, Any]]]


def generate(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Make the songs of a `GenerateRequest.to_dict()`. "Stop after this song" is honoured between songs."""
    wish = GenerateRequest.from_dict(request)
    with Studio.open() as studio:
        return (yield from _songs(studio.generate(wish), wish.songs, context))


def remake(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Make a song again: `recipe` (path), `formats` (separated by commas) and `output_dir` as on the command line."""
    with Studio.open() as studio:
        work = studio.remake(
            Path(str(request["recipe"])), formats=request.get("formats") or None, output_dir=request.get("output_dir") or None
        )
        return (yield from _songs(work, 1, context))


HANDLERS: dict[str, Handler] = {"generate": generate, "remake": remake}


def _songs(work: Work[Sequence[Outcome]], songs: int, context: JobContext) -> Work[dict[str, Any]]:
    """Song-making work with reports that can travel as JSON, and `fraction` over the whole job."""
    facts: list[dict[str, Any]] = []
    errors: list[str] = []
    reached = 0.0
    try:
        while True:
            try:
                report = next(work)
            except StopIteration:
                break
            detail = dict(report.detail)
            song = detail.pop("song", None)
            if isinstance(song, Song):
                facts.append(song_facts(song))
                detail["song"] = facts[-1]
            if report.stage == "failed":
                errors.append(report.message)
            before = int(detail.get("song_number", 1)) - 1
            within = 1.0 if report.stage in ("finished", "failed") else float(detail.get("whole", 0.0)) * 0.9
            if report.stage in ("convert", "files"):
                within = 0.9 + 0.1 * report.fraction
            reached = max(reached, min(1.0, (before + within) / songs))
            yield Progress(report.stage, reached, report.message, {**detail, "stage_fraction": report.fraction})
            if report.stage in ("finished", "failed") and context.stop_after_unit():
                break
    finally:
        work.close()
    if errors and not facts:
        raise StudioError(errors[0])
    return {"songs": facts, "errors": errors}

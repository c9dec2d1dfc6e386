"""What the job queue can carry out: kind of job -> a generator that does it. Requests and results are plain JSON values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llm_music_gen import disk
from llm_music_gen.domain.job import Handler, JobContext
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.parsing import parse_json
from llm_music_gen.paths import studio_paths
from llm_music_gen.studio.batch import Outcome, song_facts
from llm_music_gen.studio.cluster.joined import joined
from llm_music_gen.studio.getting import GetRequest, get
from llm_music_gen.studio.lost_processes import LostProcesses
from llm_music_gen.studio.plan import make_plan, planned_rows, rows_of_job
from llm_music_gen.studio.plan_notes import open_notes
from llm_music_gen.studio.processing_jobs import KIND as PROCESS
from llm_music_gen.studio.processing_jobs import process
from llm_music_gen.studio.request import GenerateRequest, RenderRequest
from llm_music_gen.studio.seeds import new_seed
from llm_music_gen.studio.studio import Studio

#: Share of a song's bar that is left for its files.
FILES_SHARE = 0.1
#: Key of a request: address of a cluster that renders.
CLUSTER = "cluster"


def generate(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Make the songs of a `GenerateRequest.to_dict()`.

    What is finished is noted in the job's folder, so that a job that was killed goes on with the next song. "Stop after this
    song" is honoured between songs.
    """
    words = {name: value for name, value in request.items() if name != CLUSTER}
    batch = _Batch.resumed(context.job_dir / "songs.json", GenerateRequest.from_dict(words))
    lost = LostProcesses(context.job_dir / "writing.txt")
    with Studio.open() as studio, joined(studio, str(request.get(CLUSTER, ""))):
        if lost.enough:
            studio.do_without_models(batch.request)
        if studio.machines is not None:
            rows = planned_rows([(0, batch.request)])
            with open_notes(context.job_dir / "made.json") as notes:
                return (yield from _follow(make_plan(studio, rows, notes), batch, context))
        work = studio.generate(batch.request, finished_titles=tuple(batch.titles))
        return (yield from _follow(_watched(work, lost), batch, context))


def plan(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Make what is missing of a plan (see `studio.plan.plan_job`); what is finished is noted beside the plan's other runs."""
    rows = rows_of_job(request)
    begun = context.job_dir / "begun"
    batch = _Batch(context.job_dir / "songs.json", GenerateRequest((), songs=sum(row.request.songs for row in rows)))
    lost = LostProcesses(context.job_dir / "writing.txt")
    # A job that goes on after it was killed must not forget what it has finished itself.
    again = bool(request.get("again")) and not begun.exists()
    place, cluster = Path(str(request["notes"])), str(request.get(CLUSTER, ""))
    with Studio.open() as studio, joined(studio, cluster), open_notes(place, again=again) as notes:
        begun.touch()
        if lost.enough:
            studio.do_without_models(rows[0].request)
        return (yield from _follow(_watched(make_plan(studio, rows, notes), lost), batch, context))


def remake(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Make a song again: `recipe` (path), `formats` (separated by commas) and `output_dir` as on the command line."""
    batch = _Batch(context.job_dir / "songs.json", GenerateRequest(()))
    with Studio.open() as studio:
        formats, output_dir = request.get("formats") or None, request.get("output_dir") or None
        work = studio.remake(Path(str(request["recipe"])), formats=formats, output_dir=output_dir)
        return (yield from _follow(work, batch, context))


def render(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Play the user's own `file`: `styles`, `tempo`, `seed`, `formats` and `output_dir` as on the command line."""
    batch = _Batch(context.job_dir / "songs.json", GenerateRequest(()))
    options = {name: request.get(name) or None for name in ("styles", "tempo", "seed", "formats", "output_dir")}
    wish = RenderRequest.from_words(Path(str(request["file"])), **options)
    with Studio.open() as studio:
        return (yield from _follow(studio.render_file(wish), batch, context))


def resume(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Go on with an unfinished long track: `key` as `resume --list` shows it."""
    batch = _Batch(context.job_dir / "songs.json", GenerateRequest(()))
    with Studio.open() as studio:
        waiting = {work.key: work for work in studio.unfinished()}
        key = str(request.get("key", ""))
        if key not in waiting:
            raise UsageError(f"There is no unfinished track {key!r}.", hint='"llm-music-gen resume --list" names them.')
        return (yield from _follow(studio.resume(waiting[key]), batch, context))


def edit(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Change a finished song: `song` (id, title or number) and the `request` in words. The former version is kept."""
    batch = _Batch(context.job_dir / "songs.json", GenerateRequest(()))
    with Studio.open() as studio:
        room = studio.editing()
        planned = room.plan(room.song(str(request.get("song", ""))), str(request.get("request", "")))
        return (yield from _follow(room.outcomes(planned), batch, context))


def fetch(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Get a model, soundfont or voice: a `GetRequest.to_dict()`. Cancelled or killed, it goes on from there when asked again."""
    files = yield from get(GetRequest.from_dict(request), studio_paths())
    return {"files": [str(file) for file in files]}


HANDLERS: dict[str, Handler] = {
    "get": fetch,
    "generate": generate,
    "plan": plan,
    "remake": remake,
    "render": render,
    "resume": resume,
    "edit": edit,
    PROCESS: process,
}


@dataclass
class _Batch:
    """The songs of a job, noted on disk as they are finished."""

    notes_file: Path
    request: GenerateRequest
    songs: list[dict[str, Any]] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    """Of every song that ended, "" where it failed."""
    errors: list[str] = field(default_factory=list)

    @staticmethod
    def resumed(notes_file: Path, request: GenerateRequest) -> _Batch:
        """The batch as it was left, or a new one with its seed fixed from now on."""
        try:
            notes = parse_json(notes_file.read_text(encoding="utf-8"))
            titles, songs = [str(title) for title in notes["titles"]], list(notes["songs"])
            return _Batch(notes_file, replace(request, seed=int(notes["seed"])), songs, titles)
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            batch = _Batch(notes_file, replace(request, seed=new_seed() if request.seed is None else request.seed))
            batch.note()
            return batch

    def note(self) -> None:
        """Write down what is finished, in one move."""
        notes = {"seed": self.request.seed, "songs": self.songs, "titles": self.titles}
        try:
            disk.write_whole(self.notes_file, json.dumps(notes, ensure_ascii=False).encode("utf-8"))
        except OSError as error:
            raise disk.storage_error(self.notes_file, error) from error


def _watched(work: Work[Sequence[Outcome]], lost: LostProcesses) -> Work[Sequence[Outcome]]:
    """The same work, with a note on disk while a model is writing."""
    try:
        while True:
            report = next(work)
            if not lost.enough:
                lost.reached(report.stage)
            yield report
    except StopIteration as stop:
        outcomes: Sequence[Outcome] = stop.value
        return outcomes
    finally:
        lost.over()
        work.close()


def _follow(work: Work[Sequence[Outcome]], batch: _Batch, context: JobContext) -> Work[dict[str, Any]]:
    """Song-making work with reports that can travel as JSON and a `fraction` of the whole job."""
    reached = 0.0
    try:
        for report in work:
            detail = dict(report.detail)
            song = detail.get("song")
            if isinstance(song, Song):
                detail["song"] = song_facts(song)
                batch.songs.append(detail["song"])
            if report.stage == "failed":
                batch.errors.append(report.message)
            if report.stage in ("finished", "failed"):
                batch.titles.append(song.title if isinstance(song, Song) else "")
                batch.note()
            reached = max(reached, _whole(report, batch.request.songs))
            yield Progress(report.stage, reached, report.message, {**detail, "stage_fraction": report.fraction})
            if report.stage in ("finished", "failed") and context.stop_after_unit():
                break
    finally:
        work.close()
    if batch.errors and not batch.songs:
        raise StudioError(batch.errors[0])
    return {"songs": batch.songs, "errors": batch.errors}


def _whole(report: Progress, songs: int) -> float:
    """How far the whole job is, 0 to 1."""
    before = int(report.detail.get("song_number", 1)) - 1
    if report.stage in ("finished", "failed"):
        within = 1.0
    elif "left_s" in report.detail:  # a track of hours counts the whole of its work by itself
        within = float(report.detail["whole"])
    elif report.stage in ("convert", "files"):
        within = 1.0 - FILES_SHARE + FILES_SHARE * report.fraction
    else:
        within = (1.0 - FILES_SHARE) * float(report.detail.get("whole", 0.0))
    return min(1.0, (before + within) / songs)

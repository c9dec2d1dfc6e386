"""Batches of audio files as a job of the queue: file after file, each noted when it is done, so that a killed job goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from llm_music_gen import disk
from llm_music_gen.domain.job import JobContext
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import StudioError, UsageError
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.parsing import parse_json
from llm_music_gen.paths import studio_paths
from llm_music_gen.processing.registry import JOINING, REGISTRY
from llm_music_gen.processing.report import Failure, Report
from llm_music_gen.studio.processing_room import Processing, run_processing

KIND = "process"


def submit(queue: JobQueue, processing: Processing, output_dir: Path | None = None, *, together: bool = False) -> str:
    """Queue a plan for its files; returns the job's uid. Raises UsageError when there is nothing to carry out."""
    if not processing.runnable:
        raise UsageError(processing.plan.reply or "Nothing in this request changes sound.", hint="Say what should be different.")
    files = [str(path.absolute()) for path in processing.files]
    request = {
        "request": processing.request, "plan": processing.plan.as_json(), "files": files, "together": together,
        "output_dir": str(output_dir.absolute()) if output_dir else "",
    }  # fmt: skip
    count = f" ({len(files)} files)" if len(files) > 1 else ""
    return queue.submit(KIND, f"{processing.request[:100]}{count}", request)


def process(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Carry out what `submit` queued. A file that fails does not stop the rest; the job fails when all of them did."""
    try:
        plan = REGISTRY.plan_from_json(request["plan"])
        files = tuple(Path(str(name)) for name in request["files"])
        words, together = str(request["request"]), bool(request["together"])
        output_dir = Path(str(request["output_dir"])) if request["output_dir"] else None
    except (KeyError, TypeError) as error:
        raise UsageError(f"The request cannot be understood ({error}).") from error
    joined = together or any(call.tool in JOINING and not call.args.get("files") for call in plan.calls)
    groups: Sequence[tuple[Path, ...]] = [files] if joined else [(file,) for file in files]
    notes = _Notes(context.job_dir / "files.json")
    for number, group in enumerate(groups):
        key = str(group[0])
        if key in notes.done:
            continue
        work = run_processing(Processing(plan, group, words), studio_paths(), output_dir, together=together)
        results = yield from _part(work, number, len(groups))
        notes.note(key, results)
        if context.stop_after_unit():
            break
    facts = [fact for results in notes.done.values() for fact in results]
    errors = [str(fact["error"]) for fact in facts if "error" in fact]
    if facts and len(errors) == len(facts):
        raise StudioError(errors[0])
    return {"results": facts, "errors": errors}


class _Notes:
    """What came of each file so far, on disk after every one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.done: dict[str, list[dict[str, Any]]] = {}
        try:
            self.done = dict(parse_json(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            self.done = {}

    def note(self, key: str, results: Sequence[Report | Failure]) -> None:
        self.done[key] = [result.as_json() for result in results]
        try:
            disk.write_whole(self._path, json.dumps(self.done, ensure_ascii=False).encode("utf-8"))
        except OSError as error:
            raise disk.storage_error(self._path, error) from error


def _part(work: Work[list[Report | Failure]], number: int, count: int) -> Work[list[Report | Failure]]:
    """The reports of one file as a part of the whole job."""
    with closing(work):
        while True:
            try:
                report = next(work)
            except StopIteration as stop:
                results: list[Report | Failure] = stop.value
                return results
            message = f"{report.message} (file {number + 1} of {count})" if count > 1 else report.message
            place = {"file": number + 1, "files": count}
            yield Progress(report.stage, (number + report.fraction) / count, message, place)

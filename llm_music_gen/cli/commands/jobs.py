"""`jobs ...`: what is queued, running and done; pausing, going on, cancelling, trying again."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

from llm_music_gen.errors import JobError

if TYPE_CHECKING:
    from llm_music_gen.domain.job import Job
    from llm_music_gen.jobs.queue import JobQueue

WITH_A_JOB = {
    "cancel": "stop a job now",
    "finish": "stop a job after the song in work",
    "pause": "hold a job where it is",
    "resume": "go on with a paused or interrupted job",
    "retry": "try a failed job again",
    "remove": "forget a job; the songs it made stay",
    "up": "move a waiting job up",
    "down": "move a waiting job down",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="all jobs (this is done when nothing is said)")
    listing.add_argument("--json", action="store_true", help="one JSON object a job")
    for name, summary in WITH_A_JOB.items():
        actions.add_parser(name, help=summary).add_argument("job", metavar="JOB", help="its number in the list, or its uid")
    done = actions.add_parser("when-done", help="what happens when the queue is empty")
    done.add_argument("what", choices=["nothing", "play", "sleep", "shutdown"])


def run(arguments: argparse.Namespace) -> int:
    """Carry out the action."""
    from llm_music_gen.jobs.when_done import WhenDone
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio.work_queue import open_queue

    with closing(open_queue(studio_paths())) as queue:
        if arguments.action in (None, "list"):
            _list(queue, getattr(arguments, "json", False))
        elif arguments.action == "when-done":
            queue.set_when_done(WhenDone(arguments.what))
        else:
            _tell(queue, arguments.action, arguments.job)
    return 0


def _list(queue: JobQueue, as_json: bool) -> None:
    jobs = queue.jobs()
    for number, job in enumerate(jobs, start=1):
        if as_json:
            print(json.dumps(asdict(job), ensure_ascii=False))
        else:
            note = job.error or job.message
            print(f"{number:4d}  {job.uid}  {job.state.value:<11}  {int(job.fraction * 100):3d}%  {job.title}  {note}".rstrip())
    if not jobs and not as_json:
        print("There are no jobs.")


def _tell(queue: JobQueue, action: str, name: str) -> None:
    uid = _find(queue.jobs(), name).uid
    if action == "finish":
        queue.cancel(uid, after_song=True)
    elif action in ("up", "down"):
        queue.move(uid, -1 if action == "up" else 1)
    else:
        {"cancel": queue.cancel, "pause": queue.pause, "resume": queue.resume, "retry": queue.retry, "remove": queue.remove}[
            action
        ](uid)


def _find(jobs: list[Job], name: str) -> Job:
    if name.isdigit() and 1 <= int(name) <= len(jobs):
        return jobs[int(name) - 1]
    found = [job for job in jobs if job.uid.startswith(name)]
    if len(found) != 1:
        raise JobError(f"There is no job {name!r}.", hint='"llm-music-gen jobs" lists them.')
    return found[0]

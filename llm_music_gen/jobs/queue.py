"""The queue as everyone else sees it: submit work, follow it, tell it what to do. It starts the worker when needed."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.errors import JobError
from llm_music_gen.jobs.live import read_live
from llm_music_gen.jobs.lock import ProcessLock
from llm_music_gen.jobs.process import background_popen
from llm_music_gen.jobs.store import JobStore, now_utc
from llm_music_gen.jobs.when_done import WhenDone
from llm_music_gen.jobs.worker import QueueFiles

#: How often a follower looks. Twice a second is the least that a moving bar needs.
FOLLOW_EVERY_S = 0.25
#: A job submitted stands in the inbox until the worker has taken it up.
_TAKE_UP_S = 30.0


class JobQueue:
    """One process's view of the queue. `worker_command` starts a process that runs `worker.Worker`; None never starts one."""

    def __init__(self, files: QueueFiles, worker_command: Sequence[str] | None) -> None:
        self._files = files
        self._worker_command = None if worker_command is None else tuple(worker_command)
        self._store = JobStore(files.database_file)
        self._lock = ProcessLock(files.lock_file)
        self._worker: subprocess.Popen[Any] | None = None

    def close(self) -> None:
        """Close the database; the worker goes on."""
        self._store.close()

    def submit(self, kind: str, title: str, request: dict[str, Any]) -> str:
        """Queue a piece of work and return its uid."""
        uid = uuid.uuid4().hex[:12]
        self._store.post("submit", uid, {"kind": kind, "title": title, "request": request, "created_at": now_utc()})
        self.ensure_worker()
        return uid

    def jobs(self) -> list[Job]:
        """Every job in queue order, those still in the inbox last, the running one as it stands this moment."""
        rows = self._store.jobs()
        known = {job.uid for job in rows}
        last = rows[-1].position if rows else 0.0
        waiting = [
            Job(
                uid=command.uid,
                kind=command.payload["kind"],
                title=command.payload["title"],
                request=command.payload["request"],
                state=JobState.QUEUED,
                position=last + number,
                created_at=command.payload["created_at"],
            )
            for number, command in enumerate(self._store.inbox(), start=1)
            if command.name == "submit" and command.uid not in known
        ]
        live = read_live(self._files.live_file)
        fresh = [
            replace(job, fraction=max(job.fraction, live.fraction), stage=live.stage, message=live.message, detail=live.detail)
            if live is not None and live.uid == job.uid and job.state is JobState.RUNNING
            else job
            for job in rows
        ]
        return fresh + waiting

    def job(self, uid: str) -> Job:
        """One job as it stands. Raises JobError when there is none."""
        for job in self.jobs():
            if job.uid == uid:
                return job
        raise JobError(f"There is no job {uid!r}.", hint='"llm-music-gen jobs" lists them.')

    def follow(self, uid: str) -> Iterator[Job]:
        """The job again and again as it moves, until it is over. A dead worker is started anew."""
        started_s = time.monotonic()
        last: Job | None = None
        while True:
            job = self.job(uid)
            if job != last:
                yield job
                last = job
            if job.state.is_over or job.state is JobState.INTERRUPTED:
                return
            if not self.ensure_worker() and time.monotonic() - started_s > _TAKE_UP_S and job.attempts == 0:
                raise JobError("The worker process does not start.", hint="data/logs/worker.log says why.")
            time.sleep(FOLLOW_EVERY_S)

    def cancel(self, uid: str, *, after_song: bool = False) -> None:
        """Stop a job now, or after the song in work."""
        self._tell("cancel_after_song" if after_song else "cancel", uid)

    def pause(self, uid: str) -> None:
        """Hold a job where it is."""
        self._tell("pause", uid)

    def resume(self, uid: str) -> None:
        """Go on with a paused or interrupted job."""
        self._tell("resume", uid)

    def retry(self, uid: str) -> None:
        """Queue a finished, failed or interrupted job again."""
        self._tell("retry", uid)

    def remove(self, uid: str) -> None:
        """Forget a job that does not run; the songs it made stay."""
        self._tell("remove", uid)

    def move(self, uid: str, steps: int) -> None:
        """Move a waiting job up (negative) or down the queue."""
        waiting = [job for job in self.jobs() if job.state in (JobState.QUEUED, JobState.PAUSED)]
        here = next((index for index, job in enumerate(waiting) if job.uid == uid), None)
        if here is None:
            raise JobError("Only a waiting job can be moved.")
        others = waiting[:here] + waiting[here + 1 :]
        there = max(0, min(len(others), here + steps))
        before = others[there - 1].position if there > 0 else waiting[0].position - 1.0
        after = others[there].position if there < len(others) else waiting[-1].position + 1.0
        self._store.post("move", uid, {"position": (before + after) / 2})
        self.ensure_worker()

    def set_when_done(self, action: WhenDone) -> None:
        """What shall happen when the queue is empty."""
        self._store.post("when_done", payload={"action": action.value})
        self._store.set_meta("when_done_off", "1" if action is WhenDone.NOTHING else "")
        self.ensure_worker()

    def when_done(self) -> tuple[WhenDone, int | None]:
        """The action chosen and the seconds left when its countdown runs."""
        left = self._store.meta("when_done_in_s")
        return WhenDone(self._store.meta("when_done", WhenDone.NOTHING.value)), int(left) if left else None

    def interrupted(self) -> list[Job]:
        """Jobs that were cut off and wait to be resumed. A running row without a living worker is one too."""
        alive = self.worker_is_alive()
        return [job for job in self.jobs() if job.state is JobState.INTERRUPTED or (job.state is JobState.RUNNING and not alive)]

    def worker_is_alive(self) -> bool:
        """Whether some process carries out this queue now."""
        return self._lock.is_held()

    def ensure_worker(self) -> bool:
        """Start the worker if there is something to do and nobody does it. Returns whether one is (about to be) there."""
        if self._worker is not None and self._worker.poll() is None:
            return True
        if self.worker_is_alive():
            return True
        if self._worker_command is None or not (self._store.inbox() or self._store.jobs(JobState.QUEUED, JobState.RUNNING)):
            return False
        self._worker = _start_detached(self._worker_command)
        return True

    def stop(self, *, timeout_s: float = 8.0, sleep: Callable[[float], None] = time.sleep) -> bool:
        """End the worker; a running job becomes interrupted and can be resumed. Returns whether it is gone."""
        if self.worker_is_alive():
            self._store.post("stop", payload={"pid": self._lock.holder_pid()})
        deadline_s = time.monotonic() + timeout_s
        while self.worker_is_alive() and time.monotonic() < deadline_s:
            sleep(0.05)
        if self._worker is not None and not self.worker_is_alive():
            self._worker.wait(timeout=timeout_s)
        return not self.worker_is_alive()

    def _tell(self, command: str, uid: str) -> None:
        self.job(uid)
        self._store.post(command, uid)
        self.ensure_worker()


def _start_detached(command: Sequence[str]) -> subprocess.Popen[Any]:
    """Start the worker so that it outlives the screen that asked for it."""
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        # A session of its own: Ctrl-C in the terminal and closing it reach the screen, not the song in work.
        options["start_new_session"] = True
    return background_popen(command, **options)

"""The worker: the one process that holds the lock, carries out the inbox, and runs queued jobs one after another.

It ends by itself when there is nothing left to do, so no process stays behind.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_music_gen import disk
from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.errors import DiskMissing, JobError, StorageError
from llm_music_gen.jobs.live import LiveProgress, write_live
from llm_music_gen.jobs.lock import ProcessLock
from llm_music_gen.jobs.process import GRACE_S, ChildProcess, ending_signals
from llm_music_gen.jobs.store import Command, JobStore, now_utc
from llm_music_gen.jobs.when_done import WhenDone, run_when_done

#: A job that has killed its process this often is not started again by itself.
MOST_ATTEMPTS = 3
#: How often it looks whether a disk that is full or gone has room again.
DISK_EVERY_S = 1.0
#: So often anything else may refuse a file before the worker gives up.
MOST_REFUSALS = 30
IDLE_S = 3.0
POLL_S = 0.1
ROW_EVERY_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueueFiles:
    """Where the queue lives."""

    database_file: Path
    jobs_dir: Path

    @property
    def lock_file(self) -> Path:
        return self.jobs_dir / "worker.lock"

    @property
    def live_file(self) -> Path:
        return self.jobs_dir / "live.json"


class Worker:
    """Runs the queue to its end. `child_command` starts a process that calls `child.run_child`."""

    def __init__(self, files: QueueFiles, child_command: Sequence[str], *, idle_s: float = IDLE_S) -> None:
        self._files = files
        self._command = tuple(child_command)
        self._idle_s = idle_s
        self._lock = ProcessLock(files.lock_file)
        self._stopping = False

    def run(self) -> bool:
        """Work until nothing is left. Returns False at once when another worker is at it.

        Asked to end by the system (SIGTERM, Ctrl-C, a closed console, shutting down), it leaves the running job to be resumed.
        """
        with ending_signals(self._end):
            if not self._lock.acquire(patience_s=0.5):
                return False
            try:
                if self._patiently(self._open):
                    self._patiently(self._mark_interrupted)
                    self._loop()
                    self._store.close()
            finally:
                write_live(self._files.live_file, None)
                self._lock.release()
        return True

    def _open(self) -> None:
        self._store = JobStore(self._files.database_file)

    def _loop(self) -> None:
        idle_since = time.monotonic()
        worked = False
        while not self._stopping:
            if not self._patiently(lambda: self._carry_out_inbox(None)):
                return
            queued = self._store.jobs(JobState.QUEUED)
            if queued and not self._stopping:
                self._run_job(queued[0])
                worked, idle_since = True, time.monotonic()
            elif worked and not self._store.jobs(JobState.PAUSED):
                worked = False
                self._finish_queue()
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > self._idle_s:
                return
            else:
                time.sleep(POLL_S)

    def _end(self) -> None:
        """End soon. Called amid anything, so it only takes note."""
        self._stopping = True

    def _patiently(self, write: Callable[[], None]) -> bool:
        """Do something again and again until the disk has room for it. False when the worker has to end before that.

        Raises StorageError or OSError where it is not the disk and does not pass.
        """
        for attempt in itertools.count():
            try:
                write()
                return True
            except (StorageError, OSError) as error:
                missing = isinstance(disk.storage_error(self._files.jobs_dir, error) if isinstance(error, OSError) else error,
                                     DiskMissing)  # fmt: skip
                if not missing and attempt >= MOST_REFUSALS:
                    raise
                _log.warning("waiting: %s", error)
                if self._stopping:
                    return False
                time.sleep(DISK_EVERY_S)
        return False

    def _mark_interrupted(self) -> None:
        for job in self._store.jobs(JobState.RUNNING):
            _log.warning("job %s was interrupted", job.uid)
            self._store.update(job.uid, state=JobState.INTERRUPTED, message="The studio was closed while this was going on.")

    # Running one job

    def _run_job(self, job: Job) -> None:
        job_dir = self._files.jobs_dir / job.uid
        if not self._patiently(lambda: self._take_up(job, job_dir)):
            return
        child = ChildProcess(self._command, job.kind, job_dir)
        run = _RunningJob(job.uid, child, job.fraction)
        try:
            while not child.ended:
                report = child.report(POLL_S)
                if report is not None:
                    self._take_report(run, report)
                with contextlib.suppress(StorageError):  # there will be room again, and the commands wait
                    self._carry_out_inbox(run)
                if self._stopping and run.kill_at_s is None:
                    run.interrupted = True
                    run.ask_to_cancel()
                if run.kill_at_s is not None and time.monotonic() > run.kill_at_s:
                    child.kill()
        finally:
            code = child.close()
            write_live(self._files.live_file, None)
        self._patiently(lambda: self._record_end(run, code, job.attempts + 1))

    def _take_up(self, job: Job, job_dir: Path) -> None:
        job_dir.mkdir(parents=True, exist_ok=True)
        disk.write_whole(job_dir / "request.json", json.dumps(job.request).encode("utf-8"))
        self._store.update(
            job.uid,
            state=JobState.RUNNING,
            started_at=job.started_at or now_utc(),
            attempts=job.attempts + 1,
            error="",
            log_file=str(job_dir / "log.txt"),
        )

    def _take_report(self, run: _RunningJob, report: dict[str, Any]) -> None:
        if report.get("event") != "progress":
            run.outcome = report
            return
        # A later stage may know better than an earlier estimate, but a bar that goes back is worse than one that waits.
        run.fraction = max(run.fraction, min(1.0, float(report["fraction"])))
        # What was said about a song (its title, its tune so far) holds until the next song, though a report leaves it out.
        detail = report["detail"]
        if run.detail.get("song_number") == detail.get("song_number"):
            detail = {**run.detail, **detail}
        run.stage, run.message, run.detail = report["stage"], report["message"], detail
        write_live(self._files.live_file, LiveProgress(run.uid, run.fraction, run.stage, run.message, run.detail))
        if time.monotonic() - run.row_written_s >= ROW_EVERY_S:
            run.row_written_s = time.monotonic()
            with contextlib.suppress(StorageError):  # the next report says it again
                self._store.update(run.uid, fraction=run.fraction, stage=run.stage, message=run.message, detail=run.detail)

    def _record_end(self, run: _RunningJob, code: int, attempts: int) -> None:
        outcome = run.outcome or {}
        event = outcome.get("event")
        ended = {"ended_at": now_utc(), "fraction": run.fraction, "stage": run.stage, "detail": run.detail}
        if event == "done":
            self._store.update(run.uid, state=JobState.DONE, result=outcome["result"], message="", **{**ended, "fraction": 1.0})
        elif event == "failed":
            self._store.update(run.uid, state=JobState.FAILED, error=outcome["error"], **ended)
        elif event == "cancelled" or run.kill_at_s is not None:
            state = JobState.INTERRUPTED if run.interrupted else JobState.CANCELLED
            self._store.update(run.uid, state=state, **ended)
        elif attempts < MOST_ATTEMPTS:
            _log.warning("the process of job %s died (exit code %s); it is started again", run.uid, code)
            self._store.update(run.uid, state=JobState.QUEUED, message="Its process died; trying again.")
        else:
            error = f"Its process died {attempts} times (exit code {code}); it is set aside. Its log says more; R tries again."
            self._store.update(run.uid, state=JobState.FAILED, error=error, **ended)

    # The inbox

    def _carry_out_inbox(self, run: _RunningJob | None) -> None:
        for command in self._store.inbox():
            try:
                self._carry_out(command, run)
            except JobError as error:
                _log.info("command %s: %s", command.name, error)
            self._store.carried_out(command)

    def _carry_out(self, command: Command, run: _RunningJob | None) -> None:
        if command.name == "submit":
            self._submit(command)
            return
        if command.name == "when_done":
            self._store.set_meta("when_done", command.payload["action"])
            return
        if command.name == "stop" and command.payload.get("pid") != os.getpid():
            return  # meant for a worker that has gone since
        if command.name == "stop":
            self._stopping = True
            return
        job = self._store.job(command.uid)
        if run is not None and run.uid == job.uid:
            self._tell_running(command.name, run)
        else:
            self._change_waiting(command, job)

    def _submit(self, command: Command) -> None:
        payload = command.payload
        self._store.insert(
            Job(
                uid=command.uid,
                kind=payload["kind"],
                title=payload["title"],
                request=payload["request"],
                state=JobState.QUEUED,
                position=self._store.last_position() + 1,
                created_at=payload["created_at"],
            )
        )

    def _tell_running(self, name: str, run: _RunningJob) -> None:
        if name == "cancel":
            run.ask_to_cancel()
        elif name == "pause":
            run.child.tell("pause")
            self._store.update(run.uid, state=JobState.PAUSED)
        elif name == "resume":
            run.child.tell("resume")
            self._store.update(run.uid, state=JobState.RUNNING)
        elif name == "cancel_after_song":
            run.child.tell("cancel_after_song")
            self._store.update(run.uid, message="Stops after this song.")

    def _change_waiting(self, command: Command, job: Job) -> None:
        name, state = command.name, job.state
        if name == "cancel" and not state.is_over:
            self._store.update(job.uid, state=JobState.CANCELLED, ended_at=now_utc())
        elif name == "pause" and state is JobState.QUEUED:
            self._store.update(job.uid, state=JobState.PAUSED)
        elif name == "resume" and state in (JobState.PAUSED, JobState.INTERRUPTED):
            self._store.update(job.uid, state=JobState.QUEUED)
        elif name == "retry" and (state.is_over or state is JobState.INTERRUPTED):
            self._store.update(job.uid, state=JobState.QUEUED, attempts=0, error="", ended_at="", fraction=0.0, message="")
        elif name == "move":
            self._store.update(job.uid, position=float(command.payload["position"]))
        elif name == "remove" and state is not JobState.RUNNING:
            self._store.delete(job.uid)
            shutil.rmtree(self._files.jobs_dir / job.uid, ignore_errors=True)

    def _finish_queue(self) -> None:
        action = WhenDone(self._store.meta("when_done", WhenDone.NOTHING.value))
        self._store.set_meta("when_done", WhenDone.NOTHING.value)

        def still_wanted() -> bool:
            self._carry_out_inbox(None)
            return not self._stopping and not self._store.jobs(JobState.QUEUED) and self._store.meta("when_done_off") != "1"

        self._store.set_meta("when_done_off", "")
        run_when_done(action, still_wanted, lambda left_s: self._store.set_meta("when_done_in_s", str(left_s)))
        self._store.set_meta("when_done_in_s", "")


@dataclass(slots=True)
class _RunningJob:
    uid: str
    child: ChildProcess
    fraction: float
    stage: str = ""
    message: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    outcome: dict[str, Any] | None = None
    row_written_s: float = 0.0
    kill_at_s: float | None = None
    interrupted: bool = False

    def ask_to_cancel(self) -> None:
        self.child.tell("cancel")
        if self.kill_at_s is None:
            self.kill_at_s = time.monotonic() + GRACE_S

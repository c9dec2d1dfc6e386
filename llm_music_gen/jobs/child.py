"""Runs one job in a process of its own: progress goes out as JSON Lines, commands come in the same way.

What native code prints goes to the job's log. When the worker dies, this process's standard input ends and it dies too.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from llm_music_gen.domain.job import Handler, JobContext
from llm_music_gen.domain.progress import Progress
from llm_music_gen.errors import StudioError

#: Reports a second at the most; the last one of a stage is always sent.
REPORTS_PER_SECOND = 4
#: Exit code of a process that could get no more memory.
OUT_OF_MEMORY = 4
_log = logging.getLogger(__name__)


class _Control:
    """What the worker has asked of this process so far."""

    def __init__(self, lines: IO[str]) -> None:
        self.cancelled = threading.Event()
        self.stop_after_unit = threading.Event()
        self._may_run = threading.Event()
        self._may_run.set()
        threading.Thread(target=self._listen, args=(lines,), daemon=True).start()

    def wait_while_paused(self) -> None:
        self._may_run.wait()

    def _listen(self, lines: IO[str]) -> None:
        for line in lines:
            command = line.strip()
            if command == "cancel":
                self.cancelled.set()
                self._may_run.set()
            elif command == "cancel_after_song":
                self.stop_after_unit.set()
            elif command == "pause":
                self._may_run.clear()
            elif command == "resume":
                self._may_run.set()
        # The worker is gone. Handlers leave nothing half-written behind, so there is nothing to tidy up first.
        os._exit(3)


def run_child(handlers: Mapping[str, Handler], kind: str, job_dir: Path) -> int:
    """Carry out the job whose request lies in `job_dir/request.json`. Returns the exit code."""
    reports = _take_over_stdout(job_dir / "log.txt")
    control = _Control(sys.stdin)
    context = JobContext(job_dir=job_dir, stop_after_unit=control.stop_after_unit.is_set)
    try:
        request = json.loads((job_dir / "request.json").read_text(encoding="utf-8"))
        handler = handlers.get(kind)
        if handler is None:
            raise StudioError(f"This version knows no work of the kind {kind!r}.", hint="Remove the job.")
        _follow(handler, request, context, control, reports)
    except StudioError as error:
        _log.warning("job failed: %s", error)
        _send(reports, {"event": "failed", "error": str(error)})
    except MemoryError:
        # As when the system ends a process that took too much: the worker tries again, and sets the job aside in the end.
        _log.exception("there was no memory left")
        return OUT_OF_MEMORY
    except Exception as error:
        _log.exception("job failed")
        _send(reports, {"event": "failed", "error": f"Something unexpected went wrong ({type(error).__name__}: {error})."})
    return 0


def _follow(handler: Handler, request: dict[str, Any], context: JobContext, control: _Control, reports: IO[str]) -> None:
    work = handler(request, context)
    last_sent_s = 0.0
    waiting: Progress | None = None
    stage = ""
    try:
        while True:
            control.wait_while_paused()
            if control.cancelled.is_set():
                work.close()
                _send(reports, {"event": "cancelled"})
                return
            progress = next(work)
            if waiting is not None and progress.stage != stage:
                _send_progress(reports, waiting)
            waiting, stage = progress, progress.stage
            if time.monotonic() - last_sent_s >= 1 / REPORTS_PER_SECOND:
                _send_progress(reports, progress)
                waiting, last_sent_s = None, time.monotonic()
    except StopIteration as stop:
        if waiting is not None:
            _send_progress(reports, waiting)
        _send(reports, {"event": "done", "result": stop.value or {}})


def _send_progress(reports: IO[str], progress: Progress) -> None:
    _send(
        reports,
        {
            "event": "progress",
            "stage": progress.stage,
            "fraction": progress.fraction,
            "message": progress.message,
            "detail": progress.detail,
        },
    )


def _send(reports: IO[str], report: dict[str, Any]) -> None:
    reports.write(json.dumps(report) + "\n")
    reports.flush()


def _take_over_stdout(log_file: Path) -> IO[str]:
    """Keep the real standard output for reports, and send everything else that prints to the log."""
    sys.stdout.flush()
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("llm_music_gen").propagate = True
    return reports

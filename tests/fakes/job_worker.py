"""A worker entry point with handlers that a test can steer: `job_worker DATABASE JOBS_DIR [--job DIR --kind KIND]`."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from llm_music_gen.domain.job import JobContext
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import SoundError
from llm_music_gen.jobs.child import run_child
from llm_music_gen.jobs.worker import QueueFiles, Worker


def count(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Count to `to`, `pause_s` apart, one line in the job's folder for each; prints as native code would."""
    done = 0
    for number in range(1, int(request["to"]) + 1):
        os.write(1, b"native code prints\n")
        with (context.job_dir / "counted.txt").open("a", encoding="utf-8") as file:
            file.write(f"{number}\n")
        done = number
        yield Progress("counting", number / request["to"], f"{number} of {request['to']}")
        if context.stop_after_unit():
            break
        time.sleep(request.get("pause_s", 0.0))
    return {"counted": done}


def fail(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Fail with a sentence."""
    yield Progress("failing", 0.5)
    raise SoundError("The strings are broken.", hint="Buy new ones.")


def crash(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Die as native code dies, the first `times` times."""
    marks = context.job_dir / "crashes.txt"
    before = len(marks.read_text(encoding="utf-8")) if marks.exists() else 0
    yield Progress("crashing", 0.1)
    if before < request["times"]:
        marks.write_text("x" * (before + 1), encoding="utf-8")
        os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGSEGV)
        time.sleep(5)
    return {"crashes": before}


def hoard(request: dict[str, Any], context: JobContext) -> Work[dict[str, Any]]:
    """Ask for more memory than the process may have."""
    import resource

    yield Progress("hoarding", 0.1)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    return {"bytes": len(bytearray(4 << 30))}


HANDLERS = {"count": count, "fail": fail, "crash": crash, "hoard": hoard}


def main(arguments: list[str]) -> int:
    """Run as the worker, or as the child of one job."""
    database, jobs_dir = Path(arguments[0]), Path(arguments[1])
    if "--job" in arguments:
        job_dir = Path(arguments[arguments.index("--job") + 1])
        return run_child(HANDLERS, arguments[arguments.index("--kind") + 1], job_dir)
    command = [sys.executable, "-m", "tests.fakes.job_worker", *arguments]
    return 0 if Worker(QueueFiles(database, jobs_dir), command, idle_s=0.5).run() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

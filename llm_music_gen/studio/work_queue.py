"""Where the studio's queue lives, and how its worker is started."""

from __future__ import annotations

import sys

from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.jobs.worker import QueueFiles
from llm_music_gen.paths import StudioPaths

#: Starts the worker; with `--job DIR --kind KIND` the process of one job.
WORKER_COMMAND = (sys.executable, "-m", "llm_music_gen", "worker")


def queue_files(paths: StudioPaths) -> QueueFiles:
    """The queue's files in a studio."""
    return QueueFiles(paths.database_file, paths.jobs_dir)


def open_queue(paths: StudioPaths, *, may_work: bool = True) -> JobQueue:
    """This process's view of the queue. Without `may_work` it never starts a worker."""
    return JobQueue(queue_files(paths), WORKER_COMMAND if may_work else None)

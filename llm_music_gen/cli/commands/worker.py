"""`worker`: carries out the queue. The app and the other commands start it; nobody needs to type it."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--job", metavar="DIR", type=Path, help="carry out only the job in this folder")
    parser.add_argument("--kind", metavar="KIND", default="", help="what kind of work that job is")


def run(arguments: argparse.Namespace) -> int:
    """Be the worker, or with `--job` the process of one job. Returns 1 when another worker is at it."""
    if arguments.job is not None:
        from llm_music_gen.assistant.queued import KIND, assist
        from llm_music_gen.jobs.child import run_child
        from llm_music_gen.studio.handlers import HANDLERS

        return run_child({**HANDLERS, KIND: assist}, arguments.kind, arguments.job)

    from llm_music_gen.jobs.worker import Worker
    from llm_music_gen.logs import start_logging
    from llm_music_gen.paths import studio_paths
    from llm_music_gen.studio.work_queue import WORKER_COMMAND, queue_files

    paths = studio_paths()
    start_logging(paths.logs_dir, name="worker")
    return 0 if Worker(queue_files(paths), WORKER_COMMAND).run() else 1

"""R15: however many start at the same moment, one works, and nobody hears of a locked database."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.jobs.worker import QueueFiles, Worker
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled

AT_ONCE = 8


def start(files: QueueFiles, name: str, together: Any, said: Any) -> None:
    """Open the queue, leave work in it, and try to be the worker, at the same moment as others."""
    try:
        together.wait()
        queue = JobQueue(files, None)
        queue.set_when_done(queue.when_done()[0])
        said.put((name, Worker(files, [sys.executable, "-c", ""], idle_s=1.2).run(), ""))
        queue.close()
    except Exception as error:  # whatever it is, the list of what was heard shows it
        said.put((name, False, repr(error)))


@pytest.mark.skipif(sys.platform == "win32", reason="forked processes start at the same moment")
def test_of_all_that_start_at_once_one_works(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    starts, one, heard = scaled(100, 3), 0, list[str]()
    processes, answers = [], []
    barriers = []  # one that is given back would lend its memory to the next, while its processes still wait at it
    for number in range(starts):
        files = QueueFiles(tmp_path / f"{number}.sqlite", tmp_path / f"jobs{number}")
        together, said = context.Barrier(2), context.SimpleQueue()
        pair = [context.Process(target=start, args=(files, name, together, said)) for name in ("first", "second")]
        for process in pair:
            process.start()
        processes += pair
        barriers.append(together)
        answers.append(said)
        if len(processes) >= 2 * AT_ONCE or number == starts - 1:
            for waiting in answers:
                found = [waiting.get() for _ in range(2)]
                one += sum(works for _, works, _ in found) == 1
                heard += [error for _, _, error in found if error]
            for process in processes:
                process.join()
            processes, answers = [], []
    measured = f"{one} of {starts} with one worker, {len(heard)} errors" + (f": {heard[0]}" if heard else "")
    required = f"{starts} of {starts} with one worker, 0 errors"
    Figure("R15", "two start at the same moment", required, measured, measured == required).record()

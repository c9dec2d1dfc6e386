"""A Dask cluster on this computer: a scheduler and workers, each a process of its own, as a farm's machines would run them.

python -m tests.fakes.farm scheduler               prints its address
python -m tests.fakes.farm worker ADDRESS [SECONDS]     segments of that length instead of two minutes
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llm_music_gen.paths import HOME_VARIABLE

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Farm:
    """A scheduler and its workers."""

    address: str
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def add(self, home: Path, *, segment_s: float = 0.0) -> subprocess.Popen[str]:
        """One worker more, whose studio lives in `home`; whoever shares it shares its cache. It is awaited."""
        worker = _started(["worker", self.address, str(segment_s)], home)
        self.workers.append(worker)
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == "ready", "the worker did not start"
        return worker

    def kill(self, count: int) -> None:
        """End the first workers without a word, as a power cut does."""
        for worker in self.workers[:count]:
            worker.kill()
            worker.wait()
        del self.workers[:count]


@contextlib.contextmanager
def farm(home: Path) -> Iterator[Farm]:
    """A scheduler on 127.0.0.1 without workers. Everything ends with it."""
    scheduler = _started(["scheduler"], home)
    assert scheduler.stdout is not None
    found = Farm(scheduler.stdout.readline().strip())
    try:
        assert found.address.startswith("tcp://127.0.0.1:"), "the scheduler did not start"
        yield found
    finally:
        for process in (*found.workers, scheduler):
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _started(arguments: Sequence[str], home: Path) -> subprocess.Popen[str]:
    environment = {
        **os.environ, HOME_VARIABLE: str(home), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
        "DASK_DISTRIBUTED__WORKER__DAEMON": "false",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.farm", *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip


async def _scheduler() -> None:
    from distributed import Scheduler

    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()


async def _worker(address: str, segment_s: float) -> None:
    from distributed import Worker

    from llm_music_gen.sound.long import store

    if segment_s:
        store.SEGMENT_FRAMES = round(segment_s * 44_100)
    async with Worker(address, nthreads=1, host="127.0.0.1", dashboard=False) as worker:
        print("ready", flush=True)
        await worker.finished()


if __name__ == "__main__":
    asyncio.run(_scheduler() if sys.argv[1] == "scheduler" else _worker(sys.argv[2], float(sys.argv[3])))

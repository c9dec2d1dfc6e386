"""One long track by 1, 2 and 4 workers of a Dask cluster on this computer, and by 4 of which 2 are killed on the way.

    python benchmarks/cluster.py --minutes 20              figures and checksums
    python benchmarks/cluster.py --minutes 20 --workers 1,4

Every run begins with the same planned track and workers that know nothing. "segments" is the time from the first report to the
last segment filed, "whole" that of the command: encoding and proof stay on this side. Workers share this computer's processors,
so more of them than those gain nothing here; what the figures show beyond that is what the way over the scheduler costs.
Checksums must be the same in every line; the exit code says whether they are.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from llm_music_gen.domain.progress import Progress, Work, finish
from llm_music_gen.jobs.cluster import open_cluster
from llm_music_gen.paths import HOME_VARIABLE, StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.sound.long.render import processor_count
from llm_music_gen.studio.cluster.joined import joined
from llm_music_gen.studio.request import GenerateRequest, LongWords
from llm_music_gen.studio.studio import Studio

PORT = 18_786


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--layers", default="rain", help="with layers alone (see --bare) the network is most of the work")
    parser.add_argument("--bare", action="store_true", help="only the layers")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the farm ends, too
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1767225600")  # the date is in the recipe
    request = GenerateRequest.from_words(
        "ambient, meditation", length=f"{arguments.minutes}", seed=3, formats="flac", frequency="528",
        long=LongWords(layers=arguments.layers, only_layers=arguments.bare),
    )  # fmt: skip
    print(f"{arguments.minutes} minutes, {processor_count()} processors")
    print(f"{'':28} {'segments':>9} {'whole':>9}  SHA-256 of the file")
    found = set()
    with tempfile.TemporaryDirectory() as folder:
        planned = Path(folder) / "planned"
        _plan(planned, request)
        found.add(_timed("here, all processors", planned, request, Path(folder) / "here"))
        for count in (int(count) for count in arguments.workers.split(",") if count):
            with farm(Path(folder) / f"farm{count}", count) as (address, _):
                name = f"{count} worker{'s' if count > 1 else ''}"
                found.add(_timed(name, planned, request, Path(folder) / name, address))
        with farm(Path(folder) / "killed", 4) as (address, workers):
            name = "4 workers, 2 killed"
            found.add(_timed(name, planned, request, Path(folder) / name, address, workers[:2]))
    print("The same bytes every time." if len(found) == 1 else "NOT the same bytes!")
    return 0 if len(found) == 1 else 1


@contextlib.contextmanager
def farm(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and workers as `dask` starts them, each worker with a home of its own as on another machine."""
    folder.mkdir()
    address = f"tcp://127.0.0.1:{PORT}"
    scheduler = _dask(folder, "scheduler", "--host", "127.0.0.1", "--port", str(PORT), "--no-dashboard")
    own = [
        _dask(folder / f"home{number}", "worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard")
        for number in range(workers)
    ]
    try:
        _await_workers(address, workers)
        yield address, own
    finally:
        for process in (*own, scheduler):
            process.kill()
            process.wait()


def _dask(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    home.mkdir(exist_ok=True)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with (home / "log.txt").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments], env={**os.environ, **threads, HOME_VARIABLE: str(home)},
            cwd=Path(__file__).resolve().parents[1], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip


def _await_workers(address: str, count: int) -> None:
    until = time.monotonic() + 60.0
    while time.monotonic() < until:
        with contextlib.suppress(Exception), open_cluster(address) as machines:
            while time.monotonic() < until:
                if len(machines.workers()) == count:
                    return
                time.sleep(0.2)
        time.sleep(0.5)
    raise SystemExit("The cluster did not start.")


def _studio(home: Path) -> Studio:
    return Studio(StudioPaths(home / "data", home / "models"), Settings())


def _plan(home: Path, request: GenerateRequest) -> None:
    """A home in which the track is planned and nothing is rendered."""
    with _studio(home) as studio, closing(studio.generate(request)) as work:
        next(report for report in work if report.stage == "sound")


def _timed(
    name: str, planned: Path, request: GenerateRequest, home: Path, address: str = "",
    doomed: list[subprocess.Popen[bytes]] | None = None,
) -> str:  # fmt: skip
    """One line of the table; the file's checksum. The `doomed` die when a quarter of the segments is there."""
    shutil.copytree(planned, home)
    begun = time.monotonic()
    with _studio(home) as studio, joined(studio, address):
        segments_s = finish(_watched(studio.generate(request), begun, doomed or []))
        [song] = studio.library.songs()
        sha256 = hashlib.sha256(song.files["flac"].read_bytes()).hexdigest()
    print(f"{name:28} {segments_s:7.1f} s {time.monotonic() - begun:7.1f} s  {sha256}", flush=True)
    return sha256


def _watched(work: Work[object], begun: float, doomed: list[subprocess.Popen[bytes]]) -> Work[float]:
    """The seconds until the last segment was there."""
    segments_s = 0.0
    report: Progress
    for report in work:
        if report.stage == "sound":
            segments_s = time.monotonic() - begun
            if report.fraction >= 0.25:
                while doomed:
                    doomed.pop().kill()
        yield report
    return segments_s


if __name__ == "__main__":
    raise SystemExit(main())

"""R3 and R4: asked to end, the studio ends in order and leaves nobody behind; a process that dies costs one job a try."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from llm_music_gen.domain.job import JobState
from llm_music_gen.domain.progress import finish
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.jobs.worker import QueueFiles
from llm_music_gen.paths import HOME_VARIABLE
from llm_music_gen.sound.long.render import render_track
from llm_music_gen.sound.long.store import SegmentStore
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled
from tests.reliability.track import fresh, open_studio, plan_in
from tests.unit.sound.long import test_store_and_render as short_track

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found by /proc")
PATIENCE_S = 60.0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.02)


def session_of(leader: int) -> set[int]:
    """Every living process of a session."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if state[3] == str(leader) and state[0] not in "ZX":
                found.add(int(entry.name))
    return found


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A planned track of twenty minutes: ten segments of the usual length."""
    return plan_in(tmp_path_factory.mktemp("hours") / "home", length="20min")


def _heed_ctrl_c() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would all that is started from there."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def resuming(home: Path) -> subprocess.Popen[bytes]:
    """The command line on the way with two renderers."""
    environment = {**os.environ, HOME_VARIABLE: str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "llm_music_gen", "resume"]
    started = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=_heed_ctrl_c,
    )  # fmt: skip
    wait_until(lambda: len(session_of(started.pid)) >= 3 or started.poll() is not None)
    return started


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_a_track_in_work_ends_in_order_and_its_renderers_with_it(hours: Path, tmp_path: Path, name: str) -> None:
    home, slowest_s, times = tmp_path / "own", 0.0, scaled(5, 1)
    for number in range(times):
        fresh(home, hours)
        started = resuming(home)
        time.sleep(0.2 + 0.5 * number)
        asked_s = time.monotonic()
        if name == "SIGINT":  # a terminal sends it to all
            os.killpg(started.pid, signal.SIGINT)
        else:
            os.kill(started.pid, getattr(signal, name))
        try:
            _, said = started.communicate(timeout=PATIENCE_S)
        finally:
            for left in session_of(started.pid) if started.poll() is None else ():
                os.kill(left, signal.SIGKILL)
        wait_until(lambda leader=started.pid: not session_of(leader))  # type: ignore[misc]
        slowest_s = max(slowest_s, time.monotonic() - asked_s)
        if name != "SIGKILL":
            assert started.returncode == 130, said.decode()
            assert b"Traceback" not in said, said.decode()
        with open_studio(home) as studio:
            assert len(studio.unfinished()) == 1
        assert not list(home.rglob("*.part")) or name == "SIGKILL"
    said_s = f"{slowest_s:.1f} s, nobody left ({times} times)"
    Figure("R3", f"{name} while a track renders", "all processes gone within 5 s", said_s, slowest_s <= 5.0).record()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    files = QueueFiles(tmp_path / "studio.sqlite", tmp_path / "jobs")
    command = [sys.executable, "-m", "tests.fakes.job_worker", str(files.database_file), str(files.jobs_dir)]
    made = JobQueue(files, command)
    yield made
    made.stop()
    made.close()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_worker_that_is_asked_to_end_leaves_its_job_interrupted(queue: JobQueue, tmp_path: Path, name: str) -> None:
    uid = queue.submit("count", "Count", {"to": 10_000, "pause_s": 0.05})
    wait_until(lambda: queue.job(uid).fraction > 0)
    worker = int((tmp_path / "jobs" / "worker.lock").read_text(encoding="ascii"))
    asked_s = time.monotonic()
    os.kill(worker, getattr(signal, name))
    wait_until(lambda: not session_of(worker))
    took_s = time.monotonic() - asked_s
    state = queue.job(uid).state
    said = f"{took_s:.1f} s, {state.value}"
    holds = took_s <= 5.0 and state is JobState.INTERRUPTED
    Figure("R3", f"{name} to the queue's worker", "within 5 s, interrupted", said, holds).record()


@pytest.mark.parametrize(("kind", "request_"), [("crash", {"times": 99}), ("hoard", {})], ids=["SIGSEGV", "RLIMIT_AS"])
def test_a_job_that_kills_its_process_is_set_aside_and_the_next_goes_on(
    queue: JobQueue, kind: str, request_: dict[str, int]
) -> None:
    bad, good = queue.submit(kind, "Bad", request_), queue.submit("count", "Good", {"to": 2})
    ended = list(queue.follow(bad))[-1]
    following = list(queue.follow(good))[-1]
    said = f"{ended.attempts} tries, {ended.state.value}; the next: {following.state.value}"
    holds = (ended.attempts, ended.state, following.state) == (3, JobState.FAILED, JobState.DONE)
    what = "a job's process ends by SIGSEGV" if kind == "crash" else "a job's process gets no memory"
    Figure("R4", what, "3 tries, failed; the next: done", said, holds).record()


def test_a_renderer_that_is_killed_costs_only_its_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_music_gen.sound.long.store.SEGMENT_FRAMES", short_track.SEGMENT)
    make_track = short_track.make_track_in_a_process_of_its_own
    found = []
    for name, kills in (("calm", 0), ("killed", scaled(3, 1))):
        (tmp_path / name).mkdir()
        left = kills
        with closing(SegmentStore(tmp_path / name)) as store:
            if not kills:
                finish(render_track(make_track, store, short_track.FRAMES, 0))
            else:
                for _ in render_track(make_track, store, short_track.FRAMES, 2):
                    children = [
                        int(child) for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
                        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
                    ]  # fmt: skip
                    if left and len(children) == 2:
                        os.kill(children[left % 2], signal.SIGKILL)
                        left -= 1
            found.append(store.rows())
        assert left == 0
    same = found[0] == found[1]
    said = "the same rows and checksums" if same else "another result"
    Figure("R4", "renderers killed amid their work", "the same rows and checksums", said, same).record()

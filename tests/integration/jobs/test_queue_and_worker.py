"""The queue with a real worker process and real job processes."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.jobs.worker import QueueFiles

PATIENCE_S = 60.0


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    made = make_queue(tmp_path)
    yield made
    made.stop()
    made.close()


def make_queue(home: Path) -> JobQueue:
    files = QueueFiles(home / "studio.sqlite", home / "jobs")
    command = [sys.executable, "-m", "tests.fakes.job_worker", str(files.database_file), str(files.jobs_dir)]
    return JobQueue(files, command)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.05)


def end(queue: JobQueue, uid: str) -> Job:
    return list(queue.follow(uid))[-1]


def test_a_job_runs_to_its_end_and_its_progress_never_goes_back(queue: JobQueue) -> None:
    uid = queue.submit("count", "Count to five", {"to": 5, "pause_s": 0.3})
    seen = list(queue.follow(uid))
    assert seen[-1].state is JobState.DONE
    assert seen[-1].result == {"counted": 5}
    fractions = [job.fraction for job in seen]
    assert fractions == sorted(fractions)
    assert len({job.fraction for job in seen}) >= 4


def test_what_native_code_prints_goes_to_the_log_of_the_job(queue: JobQueue) -> None:
    job = end(queue, queue.submit("count", "Count", {"to": 2}))
    assert "native code prints" in Path(job.log_file).read_text(encoding="utf-8")


def test_a_failing_job_says_why_and_the_next_one_runs(queue: JobQueue) -> None:
    bad, good = queue.submit("fail", "Fail", {}), queue.submit("count", "Count", {"to": 1})
    assert end(queue, bad).error == "The strings are broken. Buy new ones."
    assert end(queue, good).state is JobState.DONE


def test_a_job_of_an_unknown_kind_fails_in_one_sentence(queue: JobQueue) -> None:
    job = end(queue, queue.submit("juggle", "Juggle", {}))
    assert job.state is JobState.FAILED
    assert "juggle" in job.error


def test_a_crash_costs_one_attempt_and_the_job_is_tried_again(queue: JobQueue) -> None:
    job = end(queue, queue.submit("crash", "Crash once", {"times": 1}))
    assert job.state is JobState.DONE
    assert job.attempts == 2


def test_a_job_that_kills_its_process_three_times_is_set_aside(queue: JobQueue) -> None:
    job = end(queue, queue.submit("crash", "Crash for ever", {"times": 99}))
    assert job.state is JobState.FAILED
    assert job.attempts == 3
    assert "3 times" in job.error


def test_cancel_stops_a_running_job(queue: JobQueue) -> None:
    uid = queue.submit("count", "Count for long", {"to": 10_000, "pause_s": 0.05})
    wait_until(lambda: queue.job(uid).fraction > 0)
    queue.cancel(uid)
    assert end(queue, uid).state is JobState.CANCELLED


def test_cancel_after_this_song_ends_it_as_done(queue: JobQueue) -> None:
    uid = queue.submit("count", "Count for long", {"to": 10_000, "pause_s": 0.1})
    wait_until(lambda: queue.job(uid).fraction > 0)
    queue.cancel(uid, after_song=True)
    job = end(queue, uid)
    assert job.state is JobState.DONE
    assert 1 <= job.result["counted"] < 10_000


def test_a_paused_job_stands_still_and_goes_on(queue: JobQueue) -> None:
    uid = queue.submit("count", "Count", {"to": 40, "pause_s": 0.1})
    wait_until(lambda: queue.job(uid).fraction > 0)
    queue.pause(uid)
    wait_until(lambda: queue.job(uid).state is JobState.PAUSED)
    counted = Path(queue.job(uid).log_file).with_name("counted.txt")
    time.sleep(0.5)
    before = counted.read_text(encoding="utf-8")
    time.sleep(0.6)
    assert counted.read_text(encoding="utf-8") == before
    queue.resume(uid)
    assert end(queue, uid).result == {"counted": 40}


def test_waiting_jobs_can_be_moved_and_cancelled(queue: JobQueue) -> None:
    first = queue.submit("count", "First", {"to": 1000, "pause_s": 0.05})
    wait_until(lambda: queue.job(first).state is JobState.RUNNING)
    second, third = queue.submit("count", "Second", {"to": 1}), queue.submit("count", "Third", {"to": 1})
    wait_until(lambda: len(queue.jobs()) == 3)
    queue.move(third, -1)
    wait_until(lambda: [job.title for job in queue.jobs()][1:] == ["Third", "Second"])
    queue.cancel(second)
    wait_until(lambda: queue.job(second).state is JobState.CANCELLED)
    queue.cancel(first)
    assert end(queue, third).state is JobState.DONE
    assert queue.job(second).state is JobState.CANCELLED


def test_stopping_leaves_the_running_job_to_be_resumed_and_no_process(queue: JobQueue) -> None:
    uid = queue.submit("count", "Count", {"to": 30, "pause_s": 0.05})
    wait_until(lambda: queue.job(uid).fraction > 0)
    assert queue.stop()
    assert [job.uid for job in queue.interrupted()] == [uid]
    queue.resume(uid)
    wait_until(lambda: queue.job(uid).state is not JobState.INTERRUPTED)
    assert end(queue, uid).state is JobState.DONE


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_worker_takes_its_child_along_and_the_job_can_be_resumed(queue: JobQueue, tmp_path: Path) -> None:
    uid = queue.submit("count", "Count", {"to": 60, "pause_s": 0.05})
    wait_until(lambda: queue.job(uid).fraction > 0)
    os.kill(int((tmp_path / "jobs" / "worker.lock").read_text(encoding="ascii")), signal.SIGKILL)
    wait_until(lambda: not queue.worker_is_alive())
    assert [job.uid for job in queue.interrupted()] == [uid]
    counted = tmp_path / "jobs" / uid / "counted.txt"
    time.sleep(0.5)
    before = counted.read_text(encoding="utf-8")
    time.sleep(0.5)
    assert counted.read_text(encoding="utf-8") == before
    queue.ensure_worker()
    wait_until(lambda: queue.job(uid).state is JobState.INTERRUPTED)
    queue.resume(uid)
    wait_until(lambda: queue.job(uid).state is not JobState.INTERRUPTED)
    assert end(queue, uid).state is JobState.DONE


def test_two_queues_on_the_same_files_share_one_worker(queue: JobQueue, tmp_path: Path) -> None:
    other = make_queue(tmp_path)
    mine = [queue.submit("count", "Mine", {"to": 3}) for _ in range(3)]
    theirs = [other.submit("count", "Theirs", {"to": 3}) for _ in range(3)]
    for uid in mine + theirs:
        assert end(queue, uid).state is JobState.DONE
        assert queue.job(uid).attempts == 1
    other.close()


def test_the_worker_ends_by_itself_when_nothing_is_left(queue: JobQueue) -> None:
    end(queue, queue.submit("count", "Count", {"to": 1}))
    wait_until(lambda: not queue.worker_is_alive())

"""The lock between processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from llm_music_gen.jobs.lock import ProcessLock

_HOLD = """
import sys
from pathlib import Path
from llm_music_gen.jobs.lock import ProcessLock
print(ProcessLock(Path(sys.argv[1])).acquire(), flush=True)
lock = ProcessLock(Path(sys.argv[1])); held = lock.acquire(); sys.stdin.read()
"""


def test_another_process_cannot_take_a_held_lock(tmp_path: Path) -> None:
    lock = ProcessLock(tmp_path / "a" / "lock")
    assert lock.acquire()
    answer = subprocess.run([sys.executable, "-c", _HOLD, str(lock.path)], input="", capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
    lock.release()
    assert not lock.is_held()


def test_the_lock_is_free_when_its_holder_dies(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    script = _HOLD.replace("print(ProcessLock(Path(sys.argv[1])).acquire(), flush=True)\n", "").replace(
        "sys.stdin.read()", "print(held, flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline().strip() == "True"
    assert ProcessLock(path).is_held()
    assert ProcessLock(path).holder_pid() == process.pid
    process.kill()
    process.communicate()
    assert not ProcessLock(path).is_held()
    assert ProcessLock(path).acquire()

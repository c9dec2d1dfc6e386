"""A child process of the worker: started below normal priority, told what to do by lines, killed when it does not listen."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

#: How long a job may take to stop by itself before its process is ended.
GRACE_S = 5.0
_BELOW_NORMAL_WINDOWS = 0x00004000  # BELOW_NORMAL_PRIORITY_CLASS
_NO_WINDOW_WINDOWS = 0x08000000  # CREATE_NO_WINDOW


def background_popen(arguments: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process below normal priority, without a console window of its own."""
    if sys.platform == "win32":
        options["creationflags"] = options.get("creationflags", 0) | _BELOW_NORMAL_WINDOWS | _NO_WINDOW_WINDOWS
    process = subprocess.Popen(arguments, **options)
    if sys.platform != "win32":
        # Set from outside: a function run between fork and exec is not safe in a program with threads.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, 5)
    return process


@contextlib.contextmanager
def ending_signals(end: Callable[[], None]) -> Iterator[None]:
    """Inside, `end` is called when the system or a person asks this process to end; it must do no more than take note."""
    names = ("SIGINT", "SIGTERM", "SIGBREAK", "SIGHUP")  # the third is Windows' for Ctrl-Break and a closed console
    before: dict[int, Any] = {}
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        with contextlib.suppress(ValueError):  # only the main thread may say what happens then
            before[number] = signal.signal(number, lambda *_: end())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ChildProcess:
    """One job's process, seen from the worker."""

    def __init__(self, command: Sequence[str], kind: str, job_dir: Path) -> None:
        environment = {**os.environ, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._errors = (job_dir / "log.txt").open("ab")
        self._process = background_popen(
            [*command, "--job", str(job_dir), "--kind", kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            encoding="utf-8",
            errors="replace",
        )
        self._reports: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ended = False

    def report(self, timeout_s: float) -> dict[str, Any] | None:
        """The next report, or None when none came in time; `ended` says when there will be no more."""
        try:
            report = self._reports.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if report is None:
            self.ended = True
        return report

    def tell(self, command: str) -> None:
        """Send one command line."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.write(command + "\n")
                self._process.stdin.flush()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()

    def close(self) -> int:
        """Wait for the end, free everything and return the exit code (negative: the signal that ended it)."""
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            code = self._process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join(timeout=1.0)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()
        return code

    def _read(self) -> None:
        if self._process.stdout is not None:
            for line in self._process.stdout:
                try:
                    report = json.loads(line)
                except ValueError:
                    continue
                if isinstance(report, dict):
                    self._reports.put(report)
        self._reports.put(None)

"""Keeps the machine awake while something long goes on, by each system's own way; where there is none, nothing happens."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

_log = logging.getLogger(__name__)
#: SetThreadExecutionState: keep the system (not the screen) on until told otherwise.
_ES_CONTINUOUS, _ES_SYSTEM_REQUIRED = 0x80000000, 0x00000001


@contextlib.contextmanager
def kept_awake() -> Iterator[None]:
    """The machine does not go to sleep by itself inside. It may still be put to sleep; work goes on when it wakes."""
    if sys.platform == "win32":
        with _windows():
            yield
    else:
        with _held_by(inhibit_command(sys.platform, os.getpid())):
            yield


def inhibit_command(platform: str, pid: int) -> list[str] | None:
    """The program that holds off sleep for as long as it runs, or None where there is none."""
    if platform == "darwin":
        return ["caffeinate", "-i", "-w", str(pid)]
    if shutil.which("systemd-inhibit"):
        tail = ["tail", f"--pid={pid}", "-f", "/dev/null"]
        return ["systemd-inhibit", "--what=sleep:idle", "--who=Llm-Music-Gen", "--why=Rendering music", "--mode=block", *tail]
    return None


@contextlib.contextmanager
def _held_by(command: list[str] | None) -> Iterator[None]:
    process: subprocess.Popen[bytes] | None = None
    if command is not None:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError as error:
            _log.info("The machine cannot be kept awake: %s", error)
    try:
        yield
    finally:
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)


@contextlib.contextmanager
def _windows() -> Iterator[None]:
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - the attribute exists on Windows only
    kernel.SetThreadExecutionState(_ES_CONTINUOUS | _ES_SYSTEM_REQUIRED)
    try:
        yield
    finally:
        kernel.SetThreadExecutionState(_ES_CONTINUOUS)

"""What a program costs as a whole process: seconds on the clock, seconds of processor, largest memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """One run, or several one after the other."""

    wall_s: float
    cpu_s: float
    """Of all its processes and threads; NaN where the system does not tell."""
    memory_mb: float
    """Of its largest process; NaN where the system does not tell."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s, max(self.memory_mb, other.memory_mb))


def cost_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> tuple[Cost, str]:
    """Run a program to its end. Returns what it cost and what it printed. Raises SystemExit with its last words when it fails."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            env=None if environment is None else dict(environment),
        )
        if sys.platform == "win32":
            process.wait()
            cpu_s = memory_mb = float("nan")
        else:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu_s, memory_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        wall_s = time.perf_counter() - began
        out.seek(0), errors.seek(0)
        said, complaint = out.read(), errors.read().strip().splitlines()
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {' '.join(complaint[-3:])}")
    return Cost(wall_s, cpu_s, memory_mb), said

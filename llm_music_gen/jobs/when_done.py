"""What happens when the queue is empty: nothing, play, sleep or shut down. The last two can be called off for a minute."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from enum import Enum

COUNTDOWN_S = 60
_log = logging.getLogger(__name__)


class WhenDone(str, Enum):
    """Choices of `--when-done`."""

    NOTHING = "nothing"
    PLAY = "play"
    """The app starts the jukebox; without an app it is the same as nothing."""
    SLEEP = "sleep"
    SHUTDOWN = "shutdown"


def power_command(action: WhenDone, platform: str = sys.platform) -> list[str] | None:
    """The program and arguments that put this machine to sleep or switch it off; None when there is nothing to run."""
    if action not in (WhenDone.SLEEP, WhenDone.SHUTDOWN):
        return None
    sleep = action is WhenDone.SLEEP
    if platform == "win32":
        return ["rundll32.exe", "powrprof.dll,SetSuspendState", "0,1,0"] if sleep else ["shutdown.exe", "/s", "/t", "0"]
    if platform == "darwin":
        return ["pmset", "sleepnow"] if sleep else ["osascript", "-e", 'tell application "System Events" to shut down']
    return ["systemctl", "suspend" if sleep else "poweroff"]


def run_when_done(
    action: WhenDone,
    still_wanted: Callable[[], bool],
    tell_left: Callable[[int], None],
    *,
    countdown_s: int = COUNTDOWN_S,
    run: Callable[[list[str]], None] | None = None,
) -> bool:
    """Count down and act, unless `still_wanted` turns false. Returns whether something was run."""
    command = power_command(action)
    if command is None:
        return False
    for left_s in range(countdown_s, 0, -1):
        tell_left(left_s)
        if not still_wanted():
            return False
        time.sleep(1.0)
    (run or _run)(command)
    return True


def _run(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        _log.warning("%s is not there, so the machine stays on", command[0])
        return
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

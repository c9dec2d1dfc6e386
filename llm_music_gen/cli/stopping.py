"""Ctrl-C, and what else asks a command to end: a closed session, a service that is stopped, Windows' Ctrl-Break.

Python raises an exception wherever it is at that moment, and drops it where that is a destructor. So the wish is noted too, and
whoever follows long work looks at the note with every report.
"""

from __future__ import annotations

import contextlib
import signal
from types import FrameType

_asked = False


def listen() -> None:
    """From now on the signals raise KeyboardInterrupt and are noted. A signal that is ignored stays so."""
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            with contextlib.suppress(ValueError):  # only the main thread may say what happens then
                signal.signal(number, _note)


def forget() -> None:
    """What was asked before concerned something else."""
    global _asked
    _asked = False


def check() -> None:
    """Raises KeyboardInterrupt when the command was asked to end."""
    if _asked:
        raise KeyboardInterrupt


def _note(number: int, frame: FrameType | None) -> None:
    global _asked
    _asked = True
    raise KeyboardInterrupt

"""Keeps what native code prints off the screen: sound drivers write to the second file descriptor whenever they like."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def native_prints_in(log_file: Path) -> Iterator[None]:
    """Send file descriptor 2 to a log while the app runs. On POSIX Textual draws through a copy of the real one."""
    log = _opened(log_file)
    kept, screen = os.dup(2), sys.__stderr__
    copy = None
    # On Windows, and served to a browser (TEXTUAL_DRIVER), the screen is drawn through standard output.
    if sys.platform != "win32" and "TEXTUAL_DRIVER" not in os.environ:
        copy = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
        _set_screen(copy)
    os.dup2(log, 2)
    os.close(log)
    try:
        yield
    finally:
        _set_screen(screen)
        os.dup2(kept, 2)
        os.close(kept)
        if copy is not None:
            copy.close()


def _opened(log_file: Path) -> int:
    try:
        log_file.parent.mkdir(parents=True, exist_ok=True)
        return os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _set_screen(stream: object) -> None:
    """Textual takes the stream to draw on from `sys.__stderr__`."""
    setattr(sys, "__stderr__", stream)  # noqa: B010 - the type checker holds the name to be final

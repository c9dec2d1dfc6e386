"""Keeps standard output for the answer alone: what native code prints beside it goes to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def answers_only() -> Iterator[None]:
    """Within, `print` writes to the real standard output, and everything that writes to descriptor 1 itself to standard error.

    llama.cpp, FluidSynth and encoders print from C, where Python's redirections do not reach. Does nothing where standard output
    is no descriptor (under a test, in an embedding program).
    """
    stream = sys.stdout
    try:
        real = stream.fileno() == 1 and sys.stderr.fileno() == 2
    except (OSError, ValueError, AttributeError):  # closed, or no file at all
        real = False
    if not real:
        yield
        return
    stream.flush()
    answers = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = open(answers, "w", encoding=stream.encoding, errors="replace", closefd=False)  # noqa: SIM115 - a descriptor
    try:
        yield
        sys.stdout.flush()
    finally:
        with contextlib.suppress(OSError):  # a reader that has gone; it was said above
            sys.stdout.close()
        sys.stdout = stream
        os.dup2(answers, 1)
        os.close(answers)

"""What reaches the terminal: answers on standard output, the studio's own words on standard error, and nothing that it obeys."""

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


@contextlib.contextmanager
def own_words_only() -> Iterator[None]:
    """Within, standard error holds what Python writes; what native code writes to descriptor 2 itself is dropped.

    Decoders complain about a damaged file line by line, of which the studio says in one sentence what is wrong. Does nothing
    where standard error is no descriptor.
    """
    stream = sys.stderr
    try:
        real = stream.fileno() == 2
    except (OSError, ValueError, AttributeError):  # closed, or no file at all
        real = False
    if not real:
        yield
        return
    stream.flush()
    words, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = open(words, "w", encoding=stream.encoding, errors="replace", buffering=1, closefd=False)  # noqa: SIM115
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.close()
        sys.stderr = stream
        os.dup2(words, 2)
        os.close(words)


def shown(text: object) -> str:
    """As one line of printable characters: names of files may hold line ends, and sequences that a terminal obeys."""
    return "".join(character if character.isprintable() else " " for character in str(text))

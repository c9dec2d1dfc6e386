"""Blocks made by another thread: the same ones, in the same order, and nothing left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from llm_music_gen.sound.ahead import ahead


def blocks_threads() -> int:
    return sum(thread.name == "blocks" for thread in threading.enumerate())


def test_the_blocks_and_their_order_are_kept() -> None:
    assert list(ahead(range(1_000))) == list(range(1_000))
    assert list(ahead([])) == []


def test_an_error_of_the_maker_reaches_the_consumer_after_the_blocks_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise OSError("full")

    out = []
    with pytest.raises(OSError, match="full"):
        for block in ahead(failing()):
            out.append(block)
    assert out == [1]
    assert blocks_threads() == 0


def test_closing_ends_the_thread_and_it_never_works_far_ahead() -> None:
    made: list[int] = []

    def endless() -> Iterator[int]:
        while True:
            made.append(len(made))
            yield made[-1]

    blocks = ahead(endless(), most=2)
    assert next(blocks) == 0
    time.sleep(0.05)
    assert len(made) <= 4
    blocks.close()
    assert blocks_threads() == 0
    count = len(made)
    time.sleep(0.02)
    assert len(made) == count

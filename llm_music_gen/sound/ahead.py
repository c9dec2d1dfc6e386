"""Lets a chain of block makers use two cores: one thread works ahead while the consumer is busy with the block before.

What is made does not depend on it: the blocks come in the same order with the same samples. Most of the work is inside numpy,
FluidSynth, the effects and the encoders, which all let other threads run meanwhile.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import TypeVar

T = TypeVar("T")
_WAIT_S = 0.2


class _End:
    """What follows the last block: the error that stopped the work, if one did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(blocks: Iterable[T], most: int = 2) -> Generator[T, None, None]:
    """The same blocks, made by another thread that stays at most `most` in front.

    An error of the maker is raised here. Closing this generator ends the thread before it returns, so what the maker uses can
    be freed afterwards.
    """
    waiting: queue.Queue[T | _End] = queue.Queue(maxsize=most)
    stopped = threading.Event()

    def put(item: T | _End) -> bool:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=_WAIT_S)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for block in blocks:
                if not put(block):
                    return
        except BaseException as error:  # raised again where it can be handled
            put(_End(error))
        else:
            put(_End())

    thread = threading.Thread(target=work, name="blocks", daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        thread.join()

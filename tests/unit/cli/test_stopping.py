"""A wish to end is obeyed even where Python drops the exception."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from llm_music_gen.cli import stopping
from llm_music_gen.cli.follow import follow
from llm_music_gen.domain.progress import Progress, Work


class Fragile:
    """Asks for the end of this process in its destructor, where an exception is lost."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself SIGTERM on Windows without ending at once")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_falls_into_a_destructor_ends_the_work_nevertheless() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    done: list[int] = []

    def work() -> Work[None]:
        for number in range(5):
            done.append(number)
            yield Progress("sound", number / 5)
            if number == 1:
                Fragile()

    try:
        stopping.listen()
        with pytest.raises(KeyboardInterrupt):
            follow(work(), "Working")
        assert done in ([0, 1], [0, 1, 2])
        stopping.forget()
        stopping.check()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

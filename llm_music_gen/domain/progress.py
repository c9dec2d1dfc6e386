"""Progress: the one shape in which long work reports itself.

Long work is a generator that yields `Progress` and returns its result (`result = yield from work()`). Whoever consumes it
decides how to show it; to stop consuming (`generator.close()`) is to cancel.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of a piece of long work."""

    stage: str
    """Machine name of the stage: theme, tune, arrangement, sound, master, convert, files."""
    fraction: float
    """How much of this stage is done, 0 to 1; never goes back within a stage."""
    message: str = ""
    """One short line for people."""
    detail: dict[str, Any] = field(default_factory=dict)
    """JSON-able extras, e.g. {"abc": "..."} while a tune is being written."""


#: A generator of progress that returns a result.
Work = Generator[Progress, None, T]


def finish(work: Work[T]) -> T:
    """Run a piece of work to its end, ignoring its reports, and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result

"""Counts how fast a model writes, while it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator


class Pace:
    """Tokens a second of one answer, from its first token on: reading the question is not writing."""

    def __init__(self, clock_s: Callable[[], float] = time.perf_counter) -> None:
        self._clock_s = clock_s
        self._tokens = 0
        self._spent_s = 0.0

    def counted(self, pieces: Iterable[str]) -> Iterator[str]:
        """The pieces as they come, one a token; only the time that the model takes counts, not that of whoever reads them."""
        iterator = iter(pieces)
        while True:
            asked_s = self._clock_s()
            piece = next(iterator, None)
            if self._tokens:
                self._spent_s += self._clock_s() - asked_s
            if piece is None:
                return
            self._tokens += bool(piece)
            yield piece

    @property
    def tokens_per_s(self) -> float:
        """0 as long as nothing is known."""
        return (self._tokens - 1) / self._spent_s if self._tokens > 1 and self._spent_s > 0 else 0.0

    @property
    def detail(self) -> dict[str, float]:
        """For a report of progress: tokens_per_s where it is known."""
        return {"tokens_per_s": round(self.tokens_per_s, 1)} if self.tokens_per_s else {}

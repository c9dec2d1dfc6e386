"""Remembers the steps of an automaton, so that each is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MAX_STEPS = 200_000
StateT = TypeVar("StateT", bound=Hashable)


class StepMemo(Generic[StateT]):
    """(state, character) -> state, forgotten as a whole when it has grown too large."""

    def __init__(self) -> None:
        self._steps: dict[tuple[StateT, str], StateT | None] = {}

    def get(self, state: StateT, character: str, work_out: Callable[[StateT, str], StateT | None]) -> StateT | None:
        """The state after `character`, from memory or by `work_out(state, character)`."""
        known = (state, character)
        try:
            return self._steps[known]
        except KeyError:
            if len(self._steps) >= MAX_STEPS:
                self._steps.clear()
            after = self._steps[known] = work_out(state, character)
            return after

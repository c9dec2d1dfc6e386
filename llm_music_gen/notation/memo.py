"""Remembers the steps of an automaton as a graph, so that each is worked out once and followed quickly ever after."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

MAX_STATES = 60_000
StateT = TypeVar("StateT", bound=Hashable)


class Node(Generic[StateT]):
    """One state with the steps known from it."""

    __slots__ = ("edges", "state")

    def __init__(self, state: StateT) -> None:
        self.state = state
        self.edges: dict[str, Node[StateT] | None] = {}
        """Character -> where it leads, None where it may not stand."""


class Graph(Generic[StateT]):
    """The states reached so far, forgotten as a whole when there are too many."""

    def __init__(self, work_out: Callable[[StateT, str], StateT | None]) -> None:
        self._work_out = work_out
        self._nodes: dict[StateT, Node[StateT]] = {}

    def node(self, state: StateT) -> Node[StateT]:
        """The node of a state."""
        known = self._nodes.get(state)
        if known is None:
            if len(self._nodes) >= MAX_STATES:
                self._nodes.clear()
            known = self._nodes[state] = Node(state)
        return known

    def step(self, state: StateT, character: str) -> StateT | None:
        """The state after one more character, or None."""
        node = self.node(state)
        after = node.edges[character] if character in node.edges else self.extend(node, character)
        return None if after is None else after.state

    def extend(self, node: Node[StateT], character: str) -> Node[StateT] | None:
        """Work out where a character leads and remember it."""
        state = self._work_out(node.state, character)
        after = node.edges[character] = None if state is None else self.node(state)
        return after

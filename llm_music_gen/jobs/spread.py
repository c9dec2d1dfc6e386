"""Spreads calls over workers that may be refused, lie, slow down or vanish. It knows nothing of what the calls do.

Every worker is asked whether it may take part before it is given anything. A call whose worker is lost, or whose result is
damaged, is given to another; nothing else is done twice.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from llm_music_gen.domain.machines import Machines
from llm_music_gen.errors import ClusterError

_log = logging.getLogger(__name__)
K = TypeVar("K")
R = TypeVar("R")

_LOOK_EVERY_S = 0.5
#: So long there may be no worker at all: machines restart, and a nanny brings a killed worker back.
PATIENCE_S = 60.0
#: So many workers may one call cost: machines of a farm are switched off together, but a call that ends each of them is at fault.
_MOST_LOSSES = 5
_MOST_DAMAGES = 3
_ADMITTED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Call(Generic[K]):
    """One piece of work."""

    key: K
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


#: Asks a worker, in a thread of its own, whether it may take part: "" when it may, else a reason for people.
Admit = Callable[[Machines, str], str]


def spread(
    machines: Machines,
    calls: list[Call[K]],
    admit: Admit,
    accept: Callable[[K, Any], R | None],
    *,
    patience_s: float = PATIENCE_S,
) -> Generator[R | str | None, None, None]:
    """Carry out every call once. Yields what `accept` made of each result in the order in which they come, a sentence for each
    worker that is refused or lost, and None now and then while nothing happens. `accept` returns None for a result that is
    damaged and has to be made again.

    Raises ClusterError when no worker is left, or when one call has cost five workers. What is in work when the generator is
    closed is lost.
    """
    crew = _Crew(machines, admit, deque(calls))
    try:
        yield from crew.work(accept, patience_s)
    finally:
        crew.dismiss_all()


@dataclass
class _Crew(Generic[K]):
    """Who takes part, and what each has in work."""

    machines: Machines
    admit: Admit
    waiting: deque[Call[K]]
    admitted: dict[str, int] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Future[str]] = field(default_factory=dict)
    in_work: dict[Future[Any], tuple[str, Call[K]]] = field(default_factory=dict)
    losses: Counter[K] = field(default_factory=Counter)
    damages: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    _askers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_ADMITTED_AT_ONCE, "admit"))

    def work(self, accept: Callable[[K, Any], R | None], patience_s: float) -> Generator[R | str | None, None, None]:
        looked_at, seen_at = -float("inf"), time.monotonic()
        while self.waiting or self.in_work:
            now = time.monotonic()
            if now - looked_at >= _LOOK_EVERY_S:
                there = self.machines.workers()
                looked_at = now
                self._look(there)
                seen_at = now if self.admitted or self.asked else seen_at
                self._check_anyone(there, now - seen_at, patience_s)
            self._hand_out()
            yield from self._remarks()
            ready = self._ready()
            for future in ready:
                worker, call = self.in_work.pop(future)
                taken = self._taken(future, worker, call, accept)
                if taken is not None:
                    yield taken
            yield from self._remarks()
            if not ready:
                yield None

    def dismiss_all(self) -> None:
        """Take back what is in work."""
        for future in (*self.in_work, *self.asked.values()):
            future.cancel()
        self._askers.shutdown(wait=False, cancel_futures=True)

    def _ready(self) -> set[Future[Any]]:
        if not self.in_work:
            wait(self.asked.values(), timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED) if self.asked else time.sleep(0.1)
            return set()
        return wait(self.in_work, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED).done

    def _remarks(self) -> Generator[str, None, None]:
        while self.remarks:
            yield self.remarks.pop(0)

    def _look(self, there: Mapping[str, int]) -> None:
        """Who has come, who has gone."""
        holders = [holder for holder, _ in self.in_work.values()]  # one that is refused may still be at its last call
        for worker in [worker for worker in dict.fromkeys((*self.admitted, *self.asked, *holders)) if worker not in there]:
            held = [future for future, (holder, _) in self.in_work.items() if holder == worker]
            if worker in self.admitted:
                self.remarks.append(f"The worker {worker} is lost; others do what it had in work.")
            self.admitted.pop(worker, None)
            self.asked.pop(worker, None)
            for future in held:
                if not future.done():
                    _, call = self.in_work.pop(future)
                    future.cancel()
                    self._lost(call)
        for worker, threads in there.items():
            if worker in self.asked and self.asked[worker].done():
                self._answered(worker, self.asked.pop(worker), threads)
            elif worker not in self.admitted and worker not in self.refused and worker not in self.asked:
                self.asked[worker] = self._askers.submit(self.admit, self.machines, worker)

    def _answered(self, worker: str, answer: Future[str], threads: int) -> None:
        try:
            reason = answer.result()
        except Exception as error:  # any error of a strange machine: it is not for this work
            _log.warning("worker %s cannot be asked", worker, exc_info=True)
            reason = _said(error)
        if reason:
            self._refuse(worker, reason)
        else:
            self.admitted[worker] = max(1, threads)

    def _refuse(self, worker: str, reason: str) -> None:
        self.admitted.pop(worker, None)
        self.refused[worker] = reason
        self.remarks.append(f"The worker {worker} takes no part: {reason}")

    def _check_anyone(self, there: Mapping[str, int], alone_s: float, patience_s: float) -> None:
        if self.admitted or self.asked:
            return
        reasons = dict.fromkeys(reason for worker, reason in self.refused.items() if worker in there)
        if reasons and all(worker in self.refused for worker in there):
            raise ClusterError(
                f"None of the cluster's {len(there)} workers can take part: {' '.join(list(reasons)[:3])}",
                hint="What has come back is kept.",
            )
        if alone_s >= patience_s:
            raise ClusterError(
                "The cluster has no worker.", hint="Start some with \"dask worker\"; what has come back is kept, and the same "
                "command goes on from there.",
            )  # fmt: skip

    def _hand_out(self) -> None:
        """One call more than a worker has threads, so that it does not wait for the next."""
        held = Counter(worker for worker, _ in self.in_work.values())
        free = sorted((held[worker] - threads, worker) for worker, threads in self.admitted.items())
        while self.waiting and free and free[0][0] <= 0:
            load, worker = free.pop(0)
            call = self.waiting.popleft()
            self.in_work[self.machines.submit(worker, call.function, *call.arguments)] = worker, call
            free.append((load + 1, worker))
            free.sort()

    def _taken(self, future: Future[Any], worker: str, call: Call[K], accept: Callable[[K, Any], R | None]) -> R | None:
        try:
            result = future.result()
        except CancelledError:
            self._lost(call)
            return None
        except Exception as error:  # whatever a worker fails with is its own: others are asked
            _log.warning("worker %s failed at %s", worker, call.key, exc_info=True)
            if type(error).__name__ == "KilledWorker":  # what Dask says of a worker that vanished
                self._lost(call)
                return None
            if worker in self.admitted:
                self._refuse(worker, _said(error))
            self.waiting.appendleft(call)
            return None
        taken = accept(call.key, result)
        if taken is None:
            self.damages[worker] += 1
            self.remarks.append(f"What the worker {worker} sent was damaged on the way; it is made again.")
            if self.damages[worker] >= _MOST_DAMAGES and worker in self.admitted:
                self._refuse(worker, "What it sends is damaged again and again.")
            self.waiting.appendleft(call)
        return taken

    def _lost(self, call: Call[K]) -> None:
        self.losses[call.key] += 1
        if self.losses[call.key] >= _MOST_LOSSES:
            raise ClusterError(
                f"Piece {call.key} of the work has cost {self.losses[call.key]} workers.",
                hint="They may lack memory; what has come back is kept.",
            )
        self.waiting.appendleft(call)


def _said(error: BaseException) -> str:
    """An error in one sentence."""
    text = " ".join(str(error).split())[:300]
    return text if text and text.endswith((".", "!", "?")) else f"{type(error).__name__}: {text or 'no reason given'}."

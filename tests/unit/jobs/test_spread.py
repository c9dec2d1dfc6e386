"""Calls spread over workers that refuse, lie, fail and vanish."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import closing
from typing import Any

import pytest

from llm_music_gen.domain.machines import Machines
from llm_music_gen.errors import ClusterError
from llm_music_gen.jobs import spread as spreading
from llm_music_gen.jobs.spread import Call, spread


class Farm:
    """Workers that answer at once, in this process. `script` says what a worker does instead: "die", "hang" or an error."""

    def __init__(self, *workers: str, threads: int = 1) -> None:
        self.there = dict.fromkeys(workers, threads)
        self.script: dict[str, list[str | Exception]] = {}
        self.did: list[tuple[str, int]] = []
        self.comes_later: list[str] = []

    def workers(self) -> Mapping[str, int]:
        return dict(self.there)

    def submit(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        time.sleep(0.01)  # so that nobody has done everything before the others are asked
        future: Future[Any] = Future()
        if worker not in self.there:
            return future  # a scheduler waits for a worker that has gone
        does = self.script[worker].pop(0) if self.script.get(worker) else ""
        if does == "die":
            self.there.pop(worker)
            self.there |= dict.fromkeys(self.comes_later, 1)
            self.comes_later.clear()
        elif isinstance(does, Exception):
            future.set_exception(does)
        elif does != "hang":
            self.did.append((worker, *arguments))
            future.set_result((worker, function(*arguments)))
        return future

    def close(self) -> None:
        self.there.clear()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreading, "_LOOK_EVERY_S", 0.005)


def welcome(machines: Machines, worker: str) -> str:
    return ""


def calls(count: int = 12) -> list[Call[int]]:
    return [Call(number, abs, (-number,)) for number in range(count)]


def done(farm: Farm, admit: Callable[[Machines, str], str] = welcome, **options: Any) -> tuple[list[int], list[str]]:
    """What was made, each once, and what was said."""
    found = list(spread(farm, calls(), admit, lambda key, result: (key, result[1]), patience_s=0.2, **options))
    made = [item for item in found if isinstance(item, tuple)]
    assert all(key == value for key, value in made)
    return [key for key, _ in made], [item for item in found if isinstance(item, str)]


def test_every_call_is_made_once_by_all_workers() -> None:
    farm = Farm("a", "b", "c")
    made, said = done(farm)
    assert sorted(made) == list(range(12))
    assert {worker for worker, _ in farm.did} == {"a", "b", "c"}
    assert said == []


@pytest.mark.parametrize("loss", ["die", "hang"])
def test_a_lost_worker_costs_only_what_it_had_in_work(loss: str) -> None:
    farm = Farm("a", "b", "c")
    farm.script["b"] = ["", loss, loss]
    if loss == "hang":
        leaves = farm.workers
        looks = iter(range(1_000))
        farm.workers = lambda: {name: n for name, n in leaves().items() if name != "b" or next(looks) < 8}  # type: ignore[method-assign]
    made, said = done(farm)
    assert sorted(made) == list(range(12))
    assert len(farm.did) == 12, "nothing that had come back is made again"
    assert said == ["The worker b is lost; others do what it had in work."]


def test_a_worker_that_comes_later_takes_part() -> None:
    farm = Farm("a")
    farm.script["a"] = ["", "die"]
    farm.comes_later = ["b"]
    made, _ = done(farm)
    assert sorted(made) == list(range(12))
    assert {worker for worker, _ in farm.did} == {"a", "b"}


def test_a_worker_that_is_refused_gets_nothing() -> None:
    farm = Farm("a", "b")
    made, said = done(farm, lambda machines, worker: "It renders differently." if worker == "b" else "")
    assert sorted(made) == list(range(12))
    assert {worker for worker, _ in farm.did} == {"a"}
    assert said == ["The worker b takes no part: It renders differently."]


def test_no_worker_that_may_take_part_is_one_sentence_at_once() -> None:
    with pytest.raises(ClusterError, match="None of the cluster's 2 workers can take part: It renders differently"):
        done(Farm("a", "b"), lambda machines, worker: "It renders differently.")


def test_a_cluster_without_workers_is_one_sentence_after_some_patience() -> None:
    with pytest.raises(ClusterError, match="has no worker"):
        done(Farm())
    farm = Farm("a")
    farm.script["a"] = ["", "", "die"]
    with pytest.raises(ClusterError, match="has no worker"):
        done(farm)


def test_a_worker_that_cannot_be_asked_is_refused_with_its_error() -> None:
    def asked(machines: Machines, worker: str) -> str:
        if worker == "b":
            raise ModuleNotFoundError("No module named 'llm_music_gen'")
        return ""

    made, said = done(Farm("a", "b"), asked)
    assert sorted(made) == list(range(12))
    assert said == ["The worker b takes no part: ModuleNotFoundError: No module named 'llm_music_gen'."]


def test_a_worker_that_fails_is_not_asked_again_and_another_does_its_work() -> None:
    farm = Farm("a", "b")
    farm.script["b"] = [MemoryError("no memory")]
    made, said = done(farm)
    assert sorted(made) == list(range(12))
    assert [worker for worker, _ in farm.did].count("b") <= 1, "what it had in hand already"
    assert said == ["The worker b takes no part: MemoryError: no memory."]


def test_a_worker_that_is_refused_and_vanishes_with_a_call_in_hand_does_not_hold_up_the_rest() -> None:
    farm = Farm("a", "b")
    farm.script["b"] = [MemoryError("no memory"), "hang"]
    leaves, refused_at = farm.workers, []

    def workers() -> Mapping[str, int]:
        if not farm.script["b"]:
            refused_at.append(1)
        return {name: threads for name, threads in leaves().items() if name != "b" or len(refused_at) < 5}

    farm.workers = workers  # type: ignore[method-assign]
    made, _ = done(farm)
    assert sorted(made) == list(range(12))


def test_damaged_results_are_made_again_and_their_worker_is_left_out() -> None:
    farm, spoilt = Farm("a", "b"), []

    def accept(key: int, result: tuple[str, int]) -> int | None:
        if result[0] == "b":
            spoilt.append(key)
            return None
        return key

    found = list(spread(farm, calls(), welcome, accept, patience_s=0.2))
    assert sorted(item for item in found if isinstance(item, int)) == list(range(12))
    assert len(spoilt) >= 3
    assert "The worker b takes no part: What it sends is damaged again and again." in found


def test_a_call_that_kills_every_worker_ends_the_work() -> None:
    farm = Farm("a")
    farm.script = {name: ["die"] for name in "abcdef"}
    later = iter("bcdef")
    leaves = farm.workers

    def workers() -> Mapping[str, int]:
        if not farm.there:
            farm.there[next(later)] = 1
        return leaves()

    farm.workers = workers  # type: ignore[method-assign]
    with pytest.raises(ClusterError, match="has cost 5 workers"):
        done(farm)


def test_whoever_stops_listening_stops_the_work() -> None:
    farm = Farm("a", "b")
    with closing(spread(farm, calls(), welcome, lambda key, result: key)) as work:
        while next(work) is None:
            pass
    assert len(farm.did) < 12

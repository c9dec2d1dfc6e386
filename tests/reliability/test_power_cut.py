"""R7: the power goes at any moment; afterwards nothing counts as done that is not, and the track comes out the same."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.database import open_database
from tests.reliability.faults import Watch
from tests.reliability.figures import Figure
from tests.reliability.power_cut import PowerCut
from tests.reliability.scale import scaled
from tests.reliability.test_refused_steps import steps_of
from tests.reliability.track import KILLED, ended, fresh, in_a_process, make_it

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the trial finds out what is flushed by /proc")


def until_the_cut(home: Path, at: int, seed: int) -> None:
    cut = PowerCut(home, at, seed)
    Watch(pytest.MonkeyPatch(), home, cut.before, cut.after)
    make_it(home)


def test_after_a_power_cut_nothing_counts_as_done_that_is_not(home: Path, planned: Path, undisturbed: dict[str, str]) -> None:
    count = len(steps_of(home)[0])
    chance, points, wrong = np.random.default_rng(5), scaled(100, 5), []
    for number in range(points):
        fresh(home, planned)
        at = int(chance.integers(0, count))
        process = in_a_process(until_the_cut, home, at, number)
        process.join()
        assert process.exitcode in (0, KILLED), f"step {at}"
        try:
            if ended(home) != undisturbed:
                wrong.append(f"step {at}: another result")
        except AssertionError as error:
            wrong.append(f"step {at}: {error}")
    said = f"{points - len(wrong)} of {points}" + (f"; {'; '.join(wrong[:4])}" if wrong else "")
    Figure("R7", "power cuts, what was not flushed is lost", f"{points} of {points} the same", said, not wrong).record()


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "any.sqlite", "any", ())) as opened:
        assert opened.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert opened.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert isinstance(opened, sqlite3.Connection)

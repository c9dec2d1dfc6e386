"""The table of benchmarks: what is finished is kept, what was cut off is measured again, a missed goal is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import run


def counted(calls: list[bool], value: float) -> object:
    def measure(full: bool) -> Iterator[run.Figure]:
        calls.append(full)
        yield run.Figure("something", "2 s", "1 s", value, 1.0)

    return measure


def test_what_is_finished_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[bool] = []
    monkeypatch.setattr(run, "GROUPS", {"one": (counted(calls, 0.5), ()), "two": (counted(calls, 2.0), ("no-such-program",))})
    results = tmp_path / "new" / "results.jsonl"
    monkeypatch.setattr("sys.argv", ["run", "--results", str(results)])
    assert run.main() == 0 and calls == [False]
    assert "two: not measured, no-such-program missing" in capsys.readouterr().out
    with results.open("a", encoding="utf-8") as file:
        file.write('{"group": "one", "full": false, "fig')
    assert run.main() == 0 and calls == [False]
    assert "kept" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["run", "one", "--full", "--results", str(results)])
    assert run.main() == 0 and calls == [False, True]


def test_a_missed_goal_is_told_and_left_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "GROUPS", {"one": (counted([], 1.2), ())})
    monkeypatch.setattr("sys.argv", ["run", "--results", str(tmp_path / "results.jsonl")])
    assert run.main() == 1
    assert "MISSED" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["run", "nothing", "--results", str(tmp_path / "results.jsonl")])
    with pytest.raises(SystemExit):
        run.main()

"""Tokens a second, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm_music_gen.llm.pace import Pace


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_reading_the_question_and_whoever_listens_do_not_count() -> None:
    clock = Clock()
    pace = Pace(clock)

    def model() -> Iterator[str]:
        clock.now_s += 60.0  # reads the question
        for _ in range(11):
            yield "A"
            clock.now_s += 0.1

    for _ in pace.counted(model()):
        clock.now_s += 5.0  # is drawn on the screen
    assert pace.tokens_per_s == pytest.approx(10 / 1.1)
    assert pace.detail == {"tokens_per_s": 9.1}


def test_silence_counts_as_time_but_not_as_a_token() -> None:
    clock = Clock()
    pace = Pace(clock)

    def server() -> Iterator[str]:
        for piece in ("A", "", "", "B"):
            yield piece
            clock.now_s += 0.25

    assert "".join(pace.counted(server())) == "AB"
    assert pace.tokens_per_s == pytest.approx(1.0)


def test_nothing_is_known_before_the_second_token() -> None:
    pace = Pace()
    assert list(pace.counted(["A"])) == ["A"]
    assert pace.tokens_per_s == 0.0 and pace.detail == {}

"""Checks that every bar fills its metre, as a musician would: pickups, repeats, endings and double bars accounted for."""

from __future__ import annotations

from dataclasses import dataclass

from llm_music_gen.notation.abc_tune import Measure, read_tune

MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class BarProblem:
    """Something wrong, and where."""

    line: int
    column: int
    voice: str
    bar: int
    """Number of the bar in its voice, from 1; 0 for text that is no ABC."""
    message: str


@dataclass(frozen=True, slots=True)
class BarReport:
    """How the bars of a tune fill their metre."""

    bars: int
    exact_bars: int
    """Bars that are full, or short where a short bar belongs."""
    problems: tuple[BarProblem, ...]
    """At most 100."""

    @property
    def exact(self) -> bool:
        """Whether there are bars and every one is exact."""
        return self.bars > 0 and self.exact_bars == self.bars


def check_bars(abc: str) -> BarReport:
    """Check the first tune of a text.

    A bar may be short where the tune, a part, a repeat, an ending or a double bar begins or ends, never too long. Raises
    NotationError for fields that make no sense (`M:0/4`, `L:1/0`) and for absurd sizes; everything else is reported.
    """
    tune = read_tune(abc)
    bars = exact = 0
    problems = [BarProblem(line, column, "", 0, f"{text!r} is no ABC") for line, column, text in tune.junk]
    for voice, measures in tune.voices.items():
        for number, measure in enumerate(measures, 1):
            count = max(1, measure.rest_bars)
            bars += count
            problem = _problem(measure, count)
            if problem:
                problems.append(BarProblem(measure.line, measure.column, voice, number, problem))
            exact += count if not problem else 0
    return BarReport(bars, exact, tuple(problems[:MAX_PROBLEMS]))


def _problem(measure: Measure, count: int) -> str:
    if measure.meter is None:
        return ""
    expected = measure.meter.bar_ql * count
    if measure.length_ql == expected:
        return ""
    if measure.length_ql < expected and (measure.opens_special or measure.closes_special):
        return ""
    return f"the bar lasts {measure.length_ql / 4} of a whole note instead of {measure.meter}"

"""Patterns of style sheets laid over bars of any metre."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from llm_music_gen.styles.grid import GRIDS


@dataclass(frozen=True, slots=True)
class Lattice:
    """How the steps of a grid lie over the bars of a song."""

    step_ql: Fraction
    steps_per_bar: int
    """Steps in one bar of the song."""

    @staticmethod
    def of(grid: str, bar_ql: Fraction) -> Lattice:
        """The grid's steps in bars of another length: the same step, more or fewer of them."""
        steps, bars, grid_bar_ql = GRIDS[grid]
        step_ql = grid_bar_ql * bars / steps
        if bar_ql % step_ql:
            step_ql = bar_ql / max(1, round(bar_ql / step_ql))
        return Lattice(step_ql, int(bar_ql / step_ql))


def native_steps(grid: str) -> int:
    """Steps in one bar of a grid's own metre."""
    steps, bars, _ = GRIDS[grid]
    return steps // bars


def step_indices(grid: str, bar_ql: Fraction, bar_in_section: int, pattern_steps: int) -> list[tuple[Fraction, int]]:
    """(offset in the bar, index into the pattern) for each step of a bar.

    A bar shorter than the grid's leaves its end out, a longer one begins it again; patterns of several bars take turns.
    """
    lattice = Lattice.of(grid, bar_ql)
    own = min(native_steps(grid), pattern_steps)
    turns = max(1, pattern_steps // own)
    first = (bar_in_section % turns) * own
    return [(lattice.step_ql * step, first + step % own) for step in range(lattice.steps_per_bar)]

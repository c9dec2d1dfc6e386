"""Plays repeats and endings: measures as written -> measures in the order in which they are heard."""

from __future__ import annotations

from collections.abc import Sequence

from llm_music_gen.errors import NotationError
from llm_music_gen.notation.abc_tune import Measure

MAX_PLAYED_BARS = 2_000


def played(measures: Sequence[Measure]) -> list[int]:
    """Indices of the measures in playing order. A repeat is played twice, or as often as its endings say.

    Raises NotationError when more than 2,000 bars would be heard.
    """
    order: list[int] = []
    index = start = 0
    turn = 1
    while index < len(measures):
        measure = measures[index]
        if index > start and (measure.opens_repeat or _leaves_endings(measures, index)):
            start, turn = index, 1
        if measure.endings is not None and turn not in measure.endings:
            index += 1
            continue
        order.append(index)
        if len(order) > MAX_PLAYED_BARS:
            raise NotationError(f"With its repeats the tune has more than {MAX_PLAYED_BARS:,} bars.", hint="Cut it shorter.")
        if measure.closes_repeat and turn < _turns(measures, start, index):
            turn += 1
            index = start
            continue
        if measure.closes_repeat and measure.endings is None:
            start, turn = index + 1, 1
        index += 1
    return order


def _leaves_endings(measures: Sequence[Measure], index: int) -> bool:
    return measures[index].endings is None and measures[index - 1].endings is not None


def _turns(measures: Sequence[Measure], start: int, index: int) -> int:
    """How often the strain from `start` that closes at `index` is played: 2, or as its endings count."""
    last = 2
    for measure in measures[start:]:
        if measure is not measures[start] and measure.opens_repeat and measure.endings is None:
            break
        if measure.endings:
            last = max(last, *measure.endings)
    return last if measures[index].endings is not None else 2

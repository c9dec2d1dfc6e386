"""Where the steps of a style's grid fall in a bar of any metre.

A bar is a row of pulses: quarters in 4/4, dotted quarters in 6/8, two, two and three eighths in 7/8. A grid is a row of pulses
too, so a pattern written in 4/4 is carried over pulse by pulse: its first and second pulse make a bar of 6/8.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from llm_music_gen.domain.meter import Meter

#: Grid -> (pulses a bar, steps a pulse).
_GRID_PULSES = {"g16": (4, 4), "g32": (4, 4), "g32e": (4, 2), "g12t": (4, 3), "g12w": (3, 4), "g12j": (2, 3)}
#: Which pulses of a grid with so many make a bar of 1, 2, 3 ... pulses.
_CHOICES = {
    4: ((0,), (0, 1), (0, 1, 3), (0, 1, 2, 3), (0, 1, 2, 3, 1), (0, 1, 2, 3, 2, 3), (0, 1, 2, 3, 0, 1, 3)),
    3: ((0,), (0, 1), (0, 1, 2), (0, 1, 2, 1), (0, 1, 2, 1, 2), (0, 1, 2, 0, 1, 2)),
    2: ((0,), (0, 1), (0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 0, 1), (0, 1, 0, 1, 0, 1)),
}


class Step(NamedTuple):
    """One step of a pattern in one bar."""

    offset_ql: Fraction
    """From the start of the bar."""
    place: int
    """Index into the pattern."""
    length_ql: Fraction


@lru_cache(maxsize=256)
def pulses(meter: Meter) -> tuple[Fraction, ...]:
    """Lengths of a bar's pulses in quarter lengths."""
    if meter.is_compound:
        return (meter.beat_ql,) * meter.beats_per_bar
    if meter.denominator <= 4:
        return (Fraction(1),) * int(meter.bar_ql)
    unit = Fraction(4, meter.denominator)
    if meter.numerator % 2 == 0:
        return (2 * unit,) * (meter.numerator // 2)
    if meter.numerator == 1:
        return (unit,)
    return (2 * unit,) * ((meter.numerator - 3) // 2) + (3 * unit,)


@lru_cache(maxsize=256)
def pulse_onsets(meter: Meter) -> tuple[Fraction, ...]:
    """Where the pulses begin, from the start of the bar."""
    lengths = pulses(meter)
    return tuple(sum(lengths[:index], Fraction(0)) for index in range(len(lengths)))


@lru_cache(maxsize=256)
def strong_onsets(meter: Meter) -> tuple[Fraction, ...]:
    """The downbeat, and the middle of bars with an even number of pulses above two."""
    onsets = pulse_onsets(meter)
    return (onsets[0], onsets[len(onsets) // 2]) if len(onsets) % 2 == 0 and len(onsets) > 2 else (onsets[0],)


def native_steps(grid: str) -> int:
    """Steps in one bar of a grid's own metre."""
    count, steps = _GRID_PULSES[grid]
    return count * steps


@lru_cache(maxsize=2048)
def steps_in_bar(grid: str, meter: Meter, bar_in_section: int, pattern_steps: int) -> tuple[Step, ...]:
    """The steps of a pattern that fall into a bar. Patterns of several bars take turns; shorter ones begin again."""
    own = native_steps(grid)
    bars = max(1, pattern_steps // own)
    first = (bar_in_section % bars) * own
    return tuple(Step(at, (first + step) % pattern_steps, length) for at, step, length in _places(grid, meter))


@lru_cache(maxsize=512)
def _places(grid: str, meter: Meter) -> tuple[tuple[Fraction, int, Fraction], ...]:
    """(offset, step of the grid's bar, length) in a bar of `meter`."""
    count, steps = _GRID_PULSES[grid]
    lengths = pulses(meter)
    choices = _CHOICES[count]
    chosen = choices[len(lengths) - 1] if len(lengths) <= len(choices) else tuple(i % count for i in range(len(lengths)))
    found = []
    for source, length, onset in zip(chosen, lengths, pulse_onsets(meter), strict=True):
        ternary = length.numerator % 3 == 0
        for step in range(steps):
            if ternary and steps in (2, 4):
                # Four sixteenths become three eighths: the last is left out; two eighths become a long and a short one.
                third = {4: (0, 1, 2, None), 2: (0, 2)}[steps][step]
                if third is not None:
                    found.append((onset + length * third / 3, source * steps + step, length / 3))
            else:
                found.append((onset + length * step / steps, source * steps + step, length / steps))
    return tuple(found)

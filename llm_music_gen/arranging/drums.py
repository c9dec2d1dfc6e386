"""Drums from the grids: the plain groove, the fuller one, fills before changes, a crash where something begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from llm_music_gen.arranging.patterns import pulse_onsets, steps_in_bar
from llm_music_gen.arranging.played import GridNote, velocity_of
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.styles import Style
from llm_music_gen.styles.grid import DrumRow

_CRASH, _KICK, _SNARE = 49, 36, 38
#: Light percussion that may play alone before the drums come in.
_LIGHT = frozenset((37, 42, 44, 46, 51, 54, 69, 70, 75, 82))
_FULL_ENERGY = 0.65
_LOUD_END = 0.4
#: Strokes up to this level may be left out, with this probability.
_SOFT, _LEFT_OUT = 4, 0.2
#: Steps of a beat on grids of triplets; four on all others.
_TRIPLETS = {"g12t": 3, "g12j": 3}
_HAT, _BACKBEAT, _GHOST = 42, frozenset((38, 39, 37)), 3
#: A hi-hat of so many strokes a bar can do without one of them, and does so in this share of songs.
_BUSY, _BREATHES = 6, 0.5
_STICK_QL = 8  # a hit lasts an eighth of a quarter: drums ring by themselves


def drum_part(bars: list[Bar], style: Style, rng: np.random.Generator) -> list[GridNote]:
    """Every drum and percussion hit of the song but the last."""
    out: list[GridNote] = []
    if not style.has_drums:
        return out
    beat = _TRIPLETS.get(style.grooves.grid, 4)
    plain, full = _of_this_song(style.grooves.a, beat, rng), _of_this_song(style.grooves.b, beat, rng)
    last_fill = -1
    for bar, following in pairwise(bars):
        energy = bar.plan.energy
        if not bar.plays("drums"):
            if bar.plan.role in ("intro", "build", "break", "outro") and energy >= 0.25 and bar.in_section >= bar.plan.bars // 2:
                out += _hits([row for row in style.grooves.a if row.note in _LIGHT], bar, style, 0.75 * energy)
            continue
        rows: Sequence[DrumRow] = full if _is_full(bar) and full else plain
        changes = following.section != bar.section
        eighth = bar.in_section % 8 == 7
        hint: Sequence[DrumRow] = ()
        if style.grooves.fills and bar.plan.bars > 1 and following.plays("drums"):
            choices = [number for number in range(len(style.grooves.fills)) if number != last_fill] or [0]
            if changes or eighth:
                last_fill = int(choices[int(rng.integers(0, len(choices)))])
                rows = style.grooves.fills[last_fill]
            elif bar.in_section % 4 == 3 and energy >= 0.5:
                hint = style.grooves.fills[choices[0]]
        if bar.plan.role == "build":
            out += _build(bar, style)
            rows = [row for row in rows if row.note != _SNARE]
        if hint:
            # A half-beat tick every fourth bar: the groove, and the end of a fill.
            last_pulse = pulse_onsets(bar.meter)[-1]
            out += [hit for hit in _hits(rows, bar, style, energy) if hit.onset_ql < bar.onset_ql + last_pulse]
            out += [hit for hit in _hits(hint, bar, style, 0.9 * energy) if hit.onset_ql >= bar.onset_ql + last_pulse]
        else:
            out += _hits(rows, bar, style, energy)
        if bar.in_section == 0 and bar.number and energy >= 0.5 and energy > bars[bar.number - 1].plan.energy:
            out.append(GridNote(bar.onset_ql, bar.length_ql / _STICK_QL, _CRASH, velocity_of(6, energy)))
    return out


def final_hit(last: Bar) -> list[GridNote]:
    """Kick and crash together, where the last chord falls; a soft ending has the kick alone."""
    hits = ((_KICK, 92), (_CRASH, 78)) if last.plan.energy >= _LOUD_END else ((_KICK, 80),)
    return [GridNote(last.onset_ql, last.length_ql / _STICK_QL, note, velocity) for note, velocity in hits]


def _of_this_song(rows: Sequence[DrumRow], beat: int, rng: np.random.Generator) -> tuple[DrumRow, ...]:
    """The groove as this song's drummer has it: some of its soft strokes left out, each row with one of its strokes at least;
    up to three soft strokes of the kick (or the busiest hand) between the beats, off the backbeat; a breath in the hi-hat."""
    out = []
    # Without a kick drum it is the busiest hand that has strokes to add.
    ghosted = next(
        (row for row in rows if row.note == _KICK), max(rows, key=lambda row: sum(map(bool, row.levels)), default=None)
    )
    for row in rows:
        kept = [0 if 0 < level <= _SOFT and rng.random() < _LEFT_OUT else level for level in row.levels]
        if not any(kept):
            kept = list(row.levels)
        if row is ghosted:
            kept = _with_soft_strokes(kept, [other for other in rows if other.note in _BACKBEAT], beat, rng)
        elif row.note == _HAT and sum(map(bool, kept)) >= _BUSY and rng.random() < _BREATHES:
            kept[int(rng.choice([place for place, level in enumerate(kept) if level and place % beat]))] = 0
        out.append(replace(row, levels=tuple(kept)))
    return tuple(out)


def _with_soft_strokes(levels: list[int], backbeat: Sequence[DrumRow], beat: int, rng: np.random.Generator) -> list[int]:
    """None to three soft strokes more, each at a place of its own."""
    busy = {place for row in backbeat for place, level in enumerate(row.levels) if level}
    free = [place for place, level in enumerate(levels) if not level and place % beat and place not in busy]
    for place in rng.permutation(free)[: int(rng.integers(0, 4))]:
        levels[int(place)] = _GHOST
    return levels


def _is_full(bar: Bar) -> bool:
    """Whether the fuller groove plays: in lively sections, and in the second half of one that comes back."""
    energy = bar.plan.energy
    return energy >= _FULL_ENERGY or (energy >= 0.45 and bar.occurrence > 0 and 2 * bar.in_section >= bar.plan.bars)


def _hits(rows: Sequence[DrumRow], bar: Bar, style: Style, energy: float) -> list[GridNote]:
    out = []
    for row in rows:
        for step in steps_in_bar(style.grooves.grid, bar.meter, bar.in_section, len(row.levels)):
            if row.levels[step.place]:
                velocity = velocity_of(row.levels[step.place], energy)
                out.append(GridNote(bar.onset_ql + step.offset_ql, bar.length_ql / _STICK_QL / 4, row.note, velocity))
    return out


def _build(bar: Bar, style: Style) -> list[GridNote]:
    """A snare roll that doubles its speed twice over the section."""
    progress = bar.in_section / max(1, bar.plan.bars)
    per_quarter = 1 if progress < 0.5 else 2 if progress < 0.75 else 4
    count = int(bar.length_ql * per_quarter)
    out = []
    for number in range(count):
        rise = progress + number / count / bar.plan.bars
        onset = bar.onset_ql + bar.length_ql * number / count
        out.append(GridNote(onset, bar.length_ql / count / 2, _SNARE, round(40 + 60 * rise)))
    return out

"""Loud and soft over the song: sections lie as far apart as the style's loudness range says, and phrases of people breathe."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.styles import Style

#: What instruments, entries and velocities give by themselves.
_BY_ITSELF_LU = 2.5
_MOST_SPAN_DB = 12.0
#: Drums that come in are a step by themselves.
_MOST_SPAN_WITH_DRUMS_DB = 8.0
#: Energies nearer to each other than this are not spread to the whole range.
_LEAST_ENERGY_SPAN = 0.3
#: Rises come at the section's first note; what was loud rings on for a moment.
_RISE_QL, _FALL_QL = 0.1, 1.0
#: Bars of a phrase, and how much of the range it breathes.
_PHRASE_BARS = 8
_BREATH, _MOST_BREATH_DB = 0.4, 3.5
#: Where a short song's sections are too alike for its range, phrases take over so much of what is missing.
_MADE_UP = 0.6
_MACHINES = ("electronic",)


def dynamics(bars: Sequence[Bar], style: Style) -> tuple[tuple[float, float], ...]:
    """(onset in quarter notes, gain in dB at most 0) of a line through the song; nothing where it stays at 0."""
    low_lu, high_lu = style.spectrum.loudness_range_lu
    most_db = _MOST_SPAN_WITH_DRUMS_DB if style.has_drums else _MOST_SPAN_DB
    span_db = min(most_db, max(0.0, (low_lu + high_lu) / 2 - _BY_ITSELF_LU))
    sections = [list(group) for _, group in groupby(bars, key=lambda bar: bar.section)]
    energies = [section[0].plan.energy for section in sections]
    spread = max(max(energies) - min(energies), _LEAST_ENERGY_SPAN)
    missing_db = span_db * (1 - (max(energies) - min(energies)) / spread)
    breath_db = 0.0 if style.family in _MACHINES else min(_MOST_BREATH_DB, _BREATH * span_db) + _MADE_UP * missing_db
    points: list[tuple[float, float]] = []
    before_db: float | None = None
    for section, energy in zip(sections, energies, strict=True):
        level_db = -span_db * (max(energies) - energy) / spread
        start = float(section[0].onset_ql)
        if before_db is not None:
            rising = level_db >= before_db
            points.append((start - _RISE_QL, before_db) if rising else (start, before_db))
            start += 0.0 if rising else _FALL_QL
        points += _breathing(section, start, level_db, breath_db)
        before_db = points[-1][1]
    return tuple(points) if any(gain_db for _, gain_db in points) else ()


def _breathing(section: Sequence[Bar], start_ql: float, level_db: float, breath_db: float) -> list[tuple[float, float]]:
    """The section's level; where people play, each phrase swells to its middle and falls again."""
    end_ql = float(section[-1].onset_ql + section[-1].length_ql)
    if not breath_db:
        return [(start_ql, level_db), (end_ql - _RISE_QL, level_db)]
    points = []
    for first in range(0, len(section), _PHRASE_BARS):
        phrase = section[first : first + _PHRASE_BARS]
        begin = max(start_ql, float(phrase[0].onset_ql))
        end = float(phrase[-1].onset_ql + phrase[-1].length_ql)
        middle = begin + 0.6 * (end - begin)
        points += [(begin, level_db - breath_db), (middle, level_db), (end - _RISE_QL, level_db - 0.8 * breath_db)]
    return points

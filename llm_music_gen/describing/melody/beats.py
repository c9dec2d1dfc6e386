"""Where the notes of a performance lie in beats: the tempo, and for each note the place in its beat that was meant.

Several readings are carried along from note to note; each keeps its own beat, which follows the player as far as players stray.
A reading pays for every note that comes early or late, and for places that are rare: sixteenths more than eighths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

#: Parts of a beat in which places are counted.
TICKS = 12
#: What a place in the beat costs. A triplet needs a note on the beat before it, so that it can be written.
_SIMPLE = {0: 0.0, 6: 0.25, 3: 0.8, 9: 0.8, 4: 1.1, 8: 1.1}
_COMPOUND = {0: 0.0, 4: 0.25, 8: 0.2, 2: 0.8, 6: 0.8, 10: 0.8}
_TRIPLETS = frozenset((4, 8))
#: The third note of a triplet is no surprise.
_THIRD = 0.3
#: People sing so early or late, and so much more for each beat that they waited.
_EARLY_LATE_S, _EARLY_LATE_PER_BEAT = 0.02, 0.025
#: How far the beat goes with a note that came early or late, and how far its length does.
_PHASE, _PERIOD = 0.35, 0.15
#: The beat may become so much longer or shorter; less where the tempo was told.
_STRAY, _STRAY_TOLD = 0.12, 0.08
_READINGS = 16
_FIRST_PLACE = 0.5
#: Tempi that are tried, and which is usual: its logarithm is spread by so many octaves.
_SLOWEST_BPM, _FASTEST_BPM, _USUAL_BPM, _SPREAD = 48.0, 192.0, 105.0, 0.5
_STEP = 1.03
_PRIOR = 0.3
_TRIED_NOTES = 96
_FINALISTS = 4
#: After so many beats of silence nobody counts on.
_COUNTED_BEATS = 8


@dataclass(frozen=True, slots=True)
class Beats:
    """Notes in beats."""

    ticks: tuple[int, ...]
    """Place of each note's beginning, in `TICKS` to the beat, from the beat of the first note; rising."""
    bpm: float
    """Beats a minute, as played on the whole."""
    error_s: float
    """How far the notes are from their places on average, the beat following the player."""
    starts_s: tuple[float, ...]
    """When each place comes in the reading's own beat."""


@dataclass(slots=True)
class _Reading:
    """How the notes so far may be meant."""

    cost: float
    at_s: float
    """When the last note's place comes."""
    beat_s: float
    tick: int
    mode: str
    """What the beat holds so far: "open" (a note on the beat), "plain", "triplet" or "" (nothing on the beat)."""
    before: _Reading | None
    error_s: float


def counted(starts_s: Sequence[float], bpm: float | None = None, *, compound: bool = False) -> Beats:
    """Notes that begin at `starts_s` (rising) in beats, at a tempo that was told or is found. `compound`: beats of three."""
    places = _COMPOUND if compound else _SIMPLE
    if bpm is not None:
        best = _read(starts_s, 60 / bpm, places, _STRAY_TOLD)
    else:
        steps = math.ceil(math.log(_FASTEST_BPM / _SLOWEST_BPM) / math.log(_STEP))
        tried = [_SLOWEST_BPM * _STEP**step for step in range(steps + 1)]
        opening = starts_s[:_TRIED_NOTES]
        ranked = sorted((_price(_read(opening, 60 / one, places, _STRAY), len(opening)), one) for one in tried)
        finalists = [_read(starts_s, 60 / one, places, _STRAY) for _, one in ranked[:_FINALISTS]]
        best = min(finalists, key=lambda reading: _price(reading, len(starts_s)))
    return _told(best, len(starts_s), bpm)


def _price(reading: _Reading, notes: int) -> float:
    """What a reading costs a note, its tempo weighed."""
    first = reading
    while first.before is not None:
        first = first.before
    beats = (reading.tick - first.tick) / TICKS
    beat_s = (reading.at_s - first.at_s) / beats if beats > 0 else reading.beat_s
    away = math.log2(60 / beat_s / _USUAL_BPM) / _SPREAD
    return reading.cost / max(1, notes) + _PRIOR * 0.5 * away**2


def _read(starts_s: Sequence[float], beat_s: float, places: dict[int, float], stray: float) -> _Reading:
    """The cheapest reading at about a tempo."""
    readings = [
        _Reading(price + (_FIRST_PLACE if place else 0.0), starts_s[0], beat_s, place, _mode("", place), None, 0.0)
        for place, price in places.items()
        if place not in _TRIPLETS or places is _COMPOUND
    ]
    for start_s in starts_s[1:]:
        following: dict[tuple[int, str], _Reading] = {}
        for reading in readings:
            for one in _continued(reading, start_s, beat_s, places, stray):
                key = (one.tick, one.mode)
                if key not in following or one.cost < following[key].cost:
                    following[key] = one
        readings = sorted(following.values(), key=lambda one: one.cost)[:_READINGS]
    return min(readings, key=lambda one: one.cost)


def _continued(reading: _Reading, start_s: float, usual_s: float, places: dict[int, float], stray: float) -> list[_Reading]:
    """What the next note may be: each place near to when it comes, or else the next place there is."""
    waited = (start_s - reading.at_s) / reading.beat_s * TICKS
    out: list[_Reading] = []
    reach = 3.0
    while not out:
        low, high = max(reading.tick + 1, math.ceil(reading.tick + waited - reach)), math.floor(reading.tick + waited + reach)
        for tick in range(low, high + 1):
            place = tick % TICKS
            fresh = tick // TICKS != reading.tick // TICKS
            mode = "" if fresh else reading.mode
            if place in places and _fits(mode, place, places):
                price = _THIRD if mode == "triplet" and place else places[place]
                out.append(_moved(reading, start_s, tick, _mode(mode, place), price, usual_s, stray))
        reach += TICKS
    return out


def _fits(mode: str, place: int, places: dict[int, float]) -> bool:
    """Whether a place can stand in a beat that holds something already."""
    if places is _COMPOUND:
        return True
    return mode in ("open", "triplet") if place in _TRIPLETS else place == 0 or mode != "triplet"


def _mode(mode: str, place: int) -> str:
    if place == 0:
        return "open"
    return "triplet" if place in _TRIPLETS else "plain"


def _moved(reading: _Reading, start_s: float, tick: int, mode: str, price: float, usual_s: float, stray: float) -> _Reading:
    beats = (tick - reading.tick) / TICKS
    due_s = reading.at_s + beats * reading.beat_s
    late_s = start_s - due_s
    if beats > _COUNTED_BEATS:
        return _Reading(reading.cost + price, start_s, reading.beat_s, tick, mode, reading, 0.0)
    spread_s = math.hypot(_EARLY_LATE_S, _EARLY_LATE_PER_BEAT * beats * reading.beat_s)
    cost = reading.cost + 0.5 * (late_s / spread_s) ** 2 + math.log(spread_s / _EARLY_LATE_S) + price
    beat_s = reading.beat_s + _PERIOD * late_s / max(1.0, beats)
    beat_s = min(max(beat_s, usual_s * (1 - stray)), usual_s * (1 + stray))
    return _Reading(cost, due_s + _PHASE * late_s, beat_s, tick, mode, reading, late_s)


def _told(reading: _Reading, notes: int, bpm: float | None) -> Beats:
    path: list[_Reading] = []
    one: _Reading | None = reading
    while one is not None:
        path.append(one)
        one = one.before
    path.reverse()
    shift = path[0].tick // TICKS * TICKS
    ticks = tuple(one.tick - shift for one in path)
    return Beats(
        ticks,
        bpm if bpm is not None else _tempo(path),
        float(np.mean([abs(one.error_s) for one in path[1:]])) if notes > 1 else 0.0,
        tuple(one.at_s for one in path),
    )


def _tempo(path: Sequence[_Reading]) -> float:
    """Beats a minute: between neighbours that are no long rest apart."""
    pairs = [(b.at_s - a.at_s, (b.tick - a.tick) / TICKS) for a, b in pairwise(path)]
    near = [(gap_s, beats) for gap_s, beats in pairs if beats <= _COUNTED_BEATS]
    seconds, beats = sum(gap_s for gap_s, _ in near), sum(count for _, count in near)
    return 60 * beats / seconds if seconds > 0 else 60 / path[0].beat_s

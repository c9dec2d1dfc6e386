"""Divides hours into chapters: how long each is, what it is called, its mode and how deep it lies. A seeded plan, not a loop.

Arcs: a night goes down within the first 45 minutes, stays there and comes up a third of the way at the end; a day settles,
deepens, rests and returns. Modes move by one step of brightness from chapter to chapter, on the same tonic throughout.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from llm_music_gen.composing.titles import make_title
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Calm, Chapter

#: From bright to dark: each step flattens one note of the scale.
BRIGHTNESS = ("lydian", "major", "mixolydian", "dorian", "minor", "phrygian")
SHORTEST_S, LONGEST_S, USUAL_S = 300.0, 1_200.0, 780.0
#: Chapters begin on whole ten seconds, so that a list of them reads well.
_GRID_S = 10.0
#: The plan of a track that is shorter than three chapters of the usual kind.
_SHORT_PARTS = 3


def plan_chapters(
    length_s: float, key: Key, tones: Sequence[str], calm: Calm, rng: np.random.Generator, taken: Collection[str] = ()
) -> tuple[Chapter, ...]:
    """The chapters of a track. `tones` are word tables for their names. The same arguments give the same plan."""
    starts = _starts(length_s, rng)
    names = list(taken)
    chapters = []
    place = BRIGHTNESS.index(key.mode) if key.mode in BRIGHTNESS else 1
    for number, start_s in enumerate(starts):
        end_s = starts[number + 1] if number + 1 < len(starts) else length_s
        middle_s = (start_s + end_s) / 2
        depth = depth_at(middle_s, length_s, calm)
        if number:
            place = _next_place(place, calm, depth, rng)
        name = make_title(tones, rng, names)
        names.append(name)
        # A swell over an hour and a half, so that deep hours are not all alike.
        swell = 1.0 + 0.15 * math.cos(2 * math.pi * middle_s / 5_400.0 + float(rng.uniform(-0.5, 0.5)))
        density = (1.0 - 0.7 * depth) * swell * float(rng.uniform(0.85, 1.1))
        mode = BRIGHTNESS[place] if number else key.mode
        chapters.append(
            Chapter(number, start_s, end_s - start_s, name, Key.from_pc(key.tonic_pc, mode), depth, min(1.0, density))
        )
    return tuple(chapters)


def depth_at(time_s: float, length_s: float, calm: Calm) -> float:
    """How deep a track lies at a time, 0 to 1."""
    share = time_s / length_s
    if calm == "night":
        down_s = min(2_700.0, 0.25 * length_s)
        return _smooth(time_s / down_s) * (1.0 - 0.35 * _smooth((time_s - (length_s - down_s)) / down_s))
    if share < 0.15:
        return 0.4 * _smooth(share / 0.15)
    if share < 0.4:
        return 0.4 + 0.3 * _smooth((share - 0.15) / 0.25)
    return 0.7 - 0.45 * _smooth((share - 0.85) / 0.15)


def _smooth(x: float) -> float:
    x = min(1.0, max(0.0, x))
    return x * x * (3.0 - 2.0 * x)


def _starts(length_s: float, rng: np.random.Generator) -> list[float]:
    """Where chapters begin: about 13 minutes apart, never under 5 or over 20 where the track is long enough for that."""
    count = max(_SHORT_PARTS, round(length_s / USUAL_S)) if length_s >= 60.0 else 1
    low, high = (
        (SHORTEST_S, LONGEST_S) if length_s / count > 1.5 * SHORTEST_S else (0.6 * length_s / count, 1.5 * length_s / count)
    )
    weights = rng.uniform(0.75, 1.3, count)
    lengths = np.clip(weights / weights.sum() * length_s, low, high)
    for _ in range(20):
        lengths = np.clip(lengths * length_s / lengths.sum(), low, high)
    grid_s = _GRID_S if length_s >= 600.0 else 1.0
    edges = [0.0]
    for length in lengths[:-1].tolist():
        edges.append(edges[-1] + max(grid_s, round(length / grid_s) * grid_s))
    return [edge for edge in edges if edge < length_s]


def _next_place(place: int, calm: Calm, depth: float, rng: np.random.Generator) -> int:
    """One step brighter or darker; nights keep to the modes that rest."""
    low, high = (1, 4) if calm == "night" else (0, 4)
    leaning = 0.5 + 0.35 * (depth - 0.5)
    step = 1 if rng.random() < leaning else -1
    if not low <= place + step <= high:
        step = -step
    return min(high, max(low, place + step))

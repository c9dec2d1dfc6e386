"""From the course of a voice to its notes: which one is meant, where it begins and ends, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.melody.pitch import HOP_S, Course
from llm_music_gen.describing.melody.strikes import began, strikes
from llm_music_gen.describing.melody.tuning import tuning

#: Changing the note costs as much as being so many cents off for a second: vibrato pays less, a sung note more.
_CHANGE_CENTS_S = 4.0
#: No step can be more wrong than this.
_FARTHEST_CENTS = 250.0
#: Shorter than this nothing is a note of its own: it is how another one begins or ends.
SHORTEST_S = 0.07
#: A hole in the voice that is shorter does not end a note that goes on at the same pitch.
_HOLE_S = 0.045
#: So much softer than the loud notes is no note but an echo of one.
_FAINT_DB = 32.0
#: A note that is no clearer than this was guessed.
_UNCLEAR = 0.3
#: Where a note's own partials have less than this share of its power, two notes sound at once; so much less sure it is.
_LEAST_OWN, _TOGETHER = 0.003, 0.2
#: Beginning and end of a note, where the voice slides, do not tell its pitch.
_SLIDE_S = 0.04
#: A note that is so much softer just before its end than at its loudest died away.
_FADED_DB, _FADED_S = 9.0, 0.06


@dataclass(frozen=True, slots=True)
class HeardNote:
    """A note as it was performed."""

    start_s: float
    end_s: float
    pitch: int
    """MIDI pitch that was meant."""
    cents: float
    """How far above it was, the tuning of the whole taken away."""
    level_db: float
    confidence: float
    """0 to 1."""
    faded: bool = False
    """Whether it died away by itself, as a string does, rather than being ended."""

    @property
    def length_s(self) -> float:
        """From its beginning to its end."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Performance:
    """What one voice performed."""

    notes: tuple[HeardNote, ...]
    """In order; none overlaps the next."""
    tuning_cents: float
    """How far the whole is above A4 = 440 Hz on average; -50 to 50 where it keeps its tuning."""
    confidence: float
    """0 to 1: how sure it is that this is one voice singing or playing notes."""


def performed(course: Course) -> Performance:
    """The notes in a course."""
    pitches = _median(course.pitches)
    tuning_cents = tuning(pitches, course.clarity)
    sung = pitches - tuning_cents / 100
    voiced = course.voiced
    notes: list[HeardNote] = []
    for first, last in _stretches(course):
        notes += _notes(sung, course, first, last)
    notes = [replace(one, end_s=min(one.end_s, other.start_s)) for one, other in pairwise(notes)] + notes[-1:]
    notes = [note for note in notes if note.length_s >= SHORTEST_S / 2]
    confidence = _confidence(notes, course)
    notes = [note for note in notes if note.confidence >= _UNCLEAR]
    if notes:
        loud = float(np.percentile([note.level_db for note in notes], 75))
        notes = [note for note in notes if note.level_db > loud - _FAINT_DB]
    return Performance(tuple(notes), float(np.mean(tuning_cents[voiced])) if voiced.any() else 0.0, confidence)


def _median(pitches: NDArray[np.float64], reach: int = 2) -> NDArray[np.float64]:
    """Without blips of one or two steps; what has no pitch keeps none."""
    if len(pitches) == 0:
        return pitches
    views = np.lib.stride_tricks.sliding_window_view(np.pad(pitches, reach, constant_values=np.nan), 2 * reach + 1)
    out = pitches.copy()
    voiced = ~np.isnan(pitches)
    out[voiced] = np.nanmedian(views[voiced], axis=1)
    return np.asarray(out)


def _stretches(course: Course) -> list[tuple[int, int]]:
    """Unbroken stretches of voice, small holes closed."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], course.voiced.view(np.int8), [0])))).reshape(-1, 2)
    out: list[tuple[int, int]] = []
    for first, last in edges.tolist():
        if out and first - out[-1][1] <= _HOLE_S / HOP_S and abs(course.pitches[first] - course.pitches[out[-1][1] - 1]) < 0.7:
            out[-1] = (out[-1][0], last)
        else:
            out.append((first, last))
    return out


def _notes(sung: NDArray[np.float64], course: Course, first: int, last: int) -> list[HeardNote]:
    """The notes of one stretch of voice."""
    pitches = sung[first:last]
    low, high = int(np.floor(np.nanmin(pitches))) - 1, int(np.ceil(np.nanmax(pitches))) + 1
    path = _course(pitches, np.arange(low, high + 1, dtype=np.float64))
    cuts = {0, *(np.flatnonzero(np.diff(path)) + 1).tolist()}
    cuts |= set(strikes(course, first, last, sorted(cuts)))
    edges = [*sorted(cuts), last - first]
    spans = _without_short([(a, b, int(path[a:b][(b - a) // 2])) for a, b in pairwise(edges)])
    notes = [_note(sung, course, first + a, first + b, pitch) for a, b, pitch in spans if (b - a) * HOP_S >= SHORTEST_S]
    if notes and notes[0].start_s == first * HOP_S:
        notes[0] = replace(notes[0], start_s=began(course, first, notes[0].level_db) * HOP_S)
    return notes


def _course(pitches: NDArray[np.float64], states: NDArray[np.float64]) -> NDArray[np.float64]:
    """The note at each step: least distance plus the price of changes (Viterbi). Steps without pitch cost nothing."""
    away = np.where(np.isnan(pitches)[:, None], 0.0, np.abs(pitches[:, None] - states) * 100)
    costs = np.minimum(away, _FARTHEST_CENTS) * HOP_S
    total = costs[0]
    came = np.zeros(costs.shape, dtype=np.int16)
    stay = np.arange(len(states), dtype=np.int16)
    for step in range(1, len(pitches)):
        best = int(np.argmin(total))
        change = total[best] + _CHANGE_CENTS_S < total
        came[step] = np.where(change, best, stay)
        total = np.where(change, total[best] + _CHANGE_CENTS_S, total) + costs[step]
    path = np.empty(len(pitches), dtype=np.int64)
    path[-1] = int(np.argmin(total))
    for step in range(len(pitches) - 1, 0, -1):
        path[step - 1] = came[step, path[step]]
    return np.asarray(states[path])


def _without_short(spans: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """What is too short for a note goes to a neighbour: a slide up to the note it leads to, a fall to the note it leaves."""
    spans = list(spans)
    while len(spans) > 1:
        lengths = [last - first for first, last, _ in spans]
        at = int(np.argmin(lengths))
        if lengths[at] * HOP_S >= SHORTEST_S:
            break
        first, last, pitch = spans[at]
        ends = at == len(spans) - 1
        if ends or (at > 0 and abs(spans[at - 1][2] - pitch) < abs(spans[at + 1][2] - pitch)):
            spans[at - 1] = (spans[at - 1][0], last, spans[at - 1][2])
        else:
            spans[at + 1] = (first, *spans[at + 1][1:])
        del spans[at]
        joined = at - 1 if 0 < at <= len(spans) - 1 and spans[at - 1][1] == last else at
        _join(spans, joined, last)
    return spans


def _join(spans: list[tuple[int, int, int]], at: int, seam: int) -> None:
    """Two parts of one note between which only something short was taken for another become one again."""
    if at + 1 < len(spans) and spans[at][2] == spans[at + 1][2] and spans[at][1] == seam:
        spans[at : at + 2] = [(spans[at][0], spans[at + 1][1], spans[at][2])]


def _note(sung: NDArray[np.float64], course: Course, first: int, last: int, pitch: int) -> HeardNote:
    slide = round(_SLIDE_S / HOP_S)
    inner = slice(first + slide, last - slide) if last - first > 3 * slide else slice(first, last)
    centre = float(np.nanmedian(sung[inner])) if (~np.isnan(sung[inner])).any() else float(pitch)
    meant = pitch if abs(centre - pitch) < 0.6 else round(centre)
    spread = float(np.nanmean(np.abs(sung[inner] - centre))) if (~np.isnan(sung[inner])).any() else 1.0
    steady = float(np.clip(1.3 - spread, 0.0, 1.0))
    level_db = float(10 * np.log10(np.mean(10 ** (course.levels_db[first:last] / 10))))
    alone = 1.0 if float(np.median(course.own[inner])) >= _LEAST_OWN else _TOGETHER
    confidence = float(np.mean(course.clarity[inner])) * steady * alone
    levels_db = course.levels_db[first:last]
    faded = bool(levels_db.max() - levels_db[-1 - min(len(levels_db) - 1, round(_FADED_S / HOP_S))] >= _FADED_DB)
    return HeardNote(first * HOP_S, last * HOP_S, meant, (centre - meant) * 100, level_db, confidence, faded)


def _confidence(notes: list[HeardNote], course: Course) -> float:
    """How much of what sounds is notes, and how clear these are."""
    if not notes:
        return 0.0
    power = 10 ** (course.levels_db / 10)
    inside = np.zeros(len(power), dtype=bool)
    for note in notes:
        inside[round(note.start_s / HOP_S) : round(note.end_s / HOP_S)] = True
    share = float(power[inside].sum() / max(power.sum(), 1e-12))
    lengths = np.array([note.length_s for note in notes])
    sure = float(np.sum(lengths * [note.confidence for note in notes]) / lengths.sum())
    return share * sure

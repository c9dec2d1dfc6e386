"""What can be counted in a written tune (MusDr, MGEval and TunesFormer's measures, in our own code)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.score import LeadSection, LeadSheet, Note

#: Sixteenths in a quarter: the grid of groove similarity.
_STEPS_PER_QUARTER = 4
BarNotes = tuple[tuple[float, float, int], ...]
"""One bar: (onset from the bar line, length, MIDI pitch) of each note, lengths in quarters."""


def section_bars(section: LeadSection, bar_ql: float) -> list[BarNotes]:
    """The notes of each bar; a note belongs to the bar in which it begins."""
    bars: list[list[tuple[float, float, int]]] = [[] for _ in range(section.bars)]
    for note in section.notes:
        number = min(section.bars - 1, int(float(note.onset_ql) // bar_ql))
        bars[number].append((float(note.onset_ql) - number * bar_ql, float(note.duration_ql), note.pitch))
    return [tuple(bar) for bar in bars]


def played_bars(sheet: LeadSheet) -> list[BarNotes]:
    """All bars in the order in which they are heard."""
    order = sheet.order or tuple(section.label for section in sheet.sections)
    return [bar for label in order for bar in section_bars(sheet.section(label), float(sheet.meter.bar_ql))]


def pitch_class_entropy(bars: Sequence[BarNotes], window_bars: int) -> float:
    """Mean over all windows of so many bars of the entropy, in bits, of their pitch classes counted by note (MusDr's H)."""
    values = []
    for start in range(max(1, len(bars) - window_bars + 1)):
        counts = Counter(pitch % 12 for bar in bars[start : start + window_bars] for _, _, pitch in bar)
        total = sum(counts.values())
        if total:
            values.append(-sum(count / total * math.log2(count / total) for count in counts.values()))
    return float(np.mean(values)) if values else 0.0


def groove_similarity(bars: Sequence[BarNotes], bar_ql: float) -> float:
    """Mean over all pairs of bars of 1 - (differing onset positions / positions), on a grid of sixteenths (MusDr's GS)."""
    steps = max(1, round(bar_ql * _STEPS_PER_QUARTER))
    grids = np.zeros((len(bars), steps), dtype=np.bool_)
    for number, bar in enumerate(bars):
        for onset, _, _ in bar:
            grids[number, min(steps - 1, round(onset * _STEPS_PER_QUARTER))] = True
    pairs = [1 - float(np.mean(grids[one] != grids[other])) for one, other in combinations(range(len(bars)), 2)]
    return float(np.mean(pairs)) if pairs else 1.0


def phrase_repetition(bars: Sequence[BarNotes], phrase_bars: int = 2) -> float:
    """Share of the phrases (so many bars, beginning at whole multiples) that occurred before, at any pitch."""
    seen: set[Hashable] = set()
    known = count = 0
    for start in range(0, len(bars) - phrase_bars + 1, phrase_bars):
        phrase = bars[start : start + phrase_bars]
        first = next((pitch for bar in phrase for _, _, pitch in bar), 0)
        shape = tuple(tuple((onset, length, pitch - first) for onset, length, pitch in bar) for bar in phrase)
        known += shape in seen
        count += 1
        seen.add(shape)
    return known / count if count else 0.0


def repeats_a_phrase(bars: Sequence[BarNotes], least: float = 0.75) -> bool:
    """Whether any phrase of two or four bars, beginning at whole multiples, comes again, at any pitch, exactly or nearly: with an
    edit distance over (onset, pitch above the phrase's first note) of at most 1 - `least` of the longer one's notes."""
    for size in (2, 4):
        phrases = [_shape(bars[start : start + size]) for start in range(0, len(bars) - size + 1, size)]
        for one, other in combinations([phrase for phrase in phrases if phrase], 2):
            longer = max(len(one), len(other))
            if min(len(one), len(other)) >= least * longer and edit_distance(one, other) <= (1 - least) * longer:
                return True
    return False


def _shape(phrase: Sequence[BarNotes]) -> list[tuple[int, float, int]]:
    first = next((pitch for bar in phrase for _, _, pitch in bar), 0)
    return [(number, onset, pitch - first) for number, bar in enumerate(phrase) for onset, _, pitch in bar]


def section_similarities(sheet: LeadSheet) -> dict[str, int]:
    """ "AB" -> E of that pair of sections: round(10 (1 - edit distance / longer)) over their notes, 10 is equal (TunesFormer)."""
    out = {}
    for one, other in combinations(sheet.sections, 2):
        first, second = ([(note.pitch, note.duration_ql) for note in section.notes] for section in (one, other))
        longer = max(len(first), len(second), 1)
        out[one.label + other.label] = round(10 * (1 - edit_distance(first, second) / longer))
    return out


def edit_distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Levenshtein's: insertions, deletions and exchanges from one to the other."""
    row = list(range(len(other) + 1))
    for number, item in enumerate(one, 1):
        previous, row[0] = row[0], number
        for place, wanted in enumerate(other, 1):
            previous, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, previous + (item != wanted))
    return row[-1]


def chord_obedience(requested: Sequence[Hashable], written: Sequence[Hashable]) -> float:
    """Longest common subsequence of the two progressions over the length of the requested one; 1 where none was requested."""
    row = [0] * (len(written) + 1)
    for item in requested:
        before = 0
        for place, chord in enumerate(written, 1):
            before, row[place] = row[place], before + 1 if item == chord else max(row[place], row[place - 1])
    return row[-1] / len(requested) if requested else 1.0


def length_histogram(notes: Sequence[Note]) -> NDArray[np.float64]:
    """Share of notes of each length, classes at 2^(n/2) quarters from a 32nd to two whole notes, shape (13,)."""
    counts = np.zeros(13)
    for note in notes:
        counts[int(np.clip(round(2 * math.log2(float(note.duration_ql))) + 6, 0, 12))] += 1
    return np.asarray(counts / max(1.0, float(counts.sum())), dtype=np.float64)


def interval_histogram(notes: Sequence[Note]) -> NDArray[np.float64]:
    """Share of melodic steps of each size, -12 to 12 semitones (larger ones in the last classes), shape (25,)."""
    counts = np.zeros(25)
    for one, other in pairwise(notes):
        counts[int(np.clip(other.pitch - one.pitch, -12, 12)) + 12] += 1
    return np.asarray(counts / max(1.0, float(counts.sum())), dtype=np.float64)


def divergence_bits(measured: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Kullback-Leibler divergence of the measured shares from the reference's, both smoothed by 0.001 in each class."""
    p, q = ((histogram + 1e-3) / (histogram + 1e-3).sum() for histogram in (measured, reference))
    return float(np.sum(p * np.log2(p / q)))


def overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Area that two histograms share, 0 to 1."""
    return float(np.minimum(one, other).sum())

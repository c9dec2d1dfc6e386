"""Judges a written section with a few musical measures: is the key clear, is there enough and not too much repetition.

Key finding is Krumhansl and Kessler's: the correlation of a pitch-class histogram, weighted by duration, with the 24 rotations of
two profiles (C. L. Krumhansl, Cognitive Foundations of Musical Pitch, 1990, p. 30).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import LeadSection
from llm_music_gen.notation.chords import chord_pcs

_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def key_correlations(histogram: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of a pitch-class histogram (12 weights, C first) with the 12 major, then the 12 minor keys. Shape (24,)."""
    weights = np.asarray(histogram, dtype=np.float64)
    centred = weights - weights.mean()
    norm = float(np.sqrt((centred**2).sum()))
    if norm == 0.0:
        return np.zeros(24)
    result = np.empty(24)
    for offset, profile in ((0, _MAJOR), (12, _MINOR)):
        shape = np.asarray(profile) - np.mean(profile)
        shape /= np.sqrt((shape**2).sum())
        for tonic in range(12):
            result[offset + tonic] = float((centred * np.roll(shape, tonic)).sum()) / norm
    return result


def key_index(key: Key) -> int:
    """Where a key (or its nearest of major and minor) stands in `key_correlations`."""
    return key.tonic_pc + (12 if key.is_minor else 0)


def pitch_class_histogram(section: LeadSection, bar_ql: float) -> NDArray[np.float64]:
    """Melody and chords of a section by duration, shape (12,)."""
    weights = np.zeros(12)
    for note in section.notes:
        weights[note.pitch % 12] += float(note.duration_ql)
    end = section.bars * bar_ql
    onsets = [float(chord.onset_ql) for chord in section.chords] + [end]
    for chord, onset, following in zip(section.chords, onsets[:-1], onsets[1:], strict=True):
        for pc in chord_pcs(chord):
            weights[pc] += following - onset
    return weights


def key_clarity(section: LeadSection, key: Key, bar_ql: float) -> float:
    """How far the wanted key is ahead of the best other one (negative: how far behind), as a difference of correlations."""
    correlations = key_correlations(pitch_class_histogram(section, bar_ql))
    wanted = key_index(key)
    return float(correlations[wanted] - np.delete(correlations, wanted).max())


def distinct_bar_share(bars: Sequence[str]) -> float:
    """Different bars as a share of all bars, 0 to 1."""
    return len(set(bars)) / len(bars) if bars else 0.0


def stepwise_share(section: LeadSection) -> float:
    """Share of melodic steps that are at most a fourth, 0 to 1; 1 where there are fewer than two notes."""
    pitches = [note.pitch for note in section.notes]
    leaps = [abs(after - before) for before, after in pairwise(pitches)]
    return sum(leap <= 5 for leap in leaps) / len(leaps) if leaps else 1.0


def quality(section: LeadSection, bars: Sequence[str], key: Key, bar_ql: float) -> float:
    """A score to choose between attempts, 0 (poor) to 1. Attempts at `GOOD` or above are taken at once."""
    clarity = min(1.0, max(0.0, 0.5 + 2.5 * key_clarity(section, key, bar_ql)))
    distinct = distinct_bar_share(bars)
    variety = min(1.0, distinct / 0.5)
    return 0.5 * clarity + 0.3 * variety + 0.2 * stepwise_share(section)


#: A section of this quality needs no other attempt.
GOOD = 0.7

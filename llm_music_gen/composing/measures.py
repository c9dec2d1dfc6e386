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
#: Mode -> the profile of its nearest relative, and the degrees (in semitones) that change places.
_EXCHANGED = {
    "dorian": (_MINOR, ((8, 9),)),
    "phrygian": (_MINOR, ((1, 2),)),
    "locrian": (_MINOR, ((1, 2), (6, 7))),
    "lydian": (_MAJOR, ((5, 6),)),
    "mixolydian": (_MAJOR, ((10, 11),)),
}


def key_correlations(histogram: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlation of a pitch-class histogram (12 weights, C first) with the 12 major, then the 12 minor keys. Shape (24,)."""
    weights = np.asarray(histogram, dtype=np.float64)
    return np.array([_correlation(weights, np.roll(profile, tonic)) for profile in (_MAJOR, _MINOR) for tonic in range(12)])


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Pearson's; 0 where one of them is constant."""
    one, two = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((one**2).sum() * (two**2).sum()))
    return float((one * two).sum()) / norm if norm else 0.0


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
    """How far the wanted key is ahead of the best other one (negative: how far behind), as a difference of correlations.

    Major and minor compete with all 24 keys. The other modes compete with their own kind on the 11 other tonics, by the profile
    of their nearest relative with the degrees exchanged that make the mode.
    """
    histogram = pitch_class_histogram(section, bar_ql)
    if key.mode in _EXCHANGED:
        correlations = np.array([_correlation(histogram, np.roll(_mode_profile(key.mode), tonic)) for tonic in range(12)])
        wanted = key.tonic_pc
    else:
        correlations, wanted = key_correlations(histogram), key_index(key)
    return float(correlations[wanted] - np.delete(correlations, wanted).max())


def _mode_profile(mode: str) -> NDArray[np.float64]:
    base, exchanges = _EXCHANGED[mode]
    profile = np.array(base)
    for one, other in exchanges:
        profile[[one, other]] = profile[[other, one]]
    return profile


def distinct_bar_share(bars: Sequence[str]) -> float:
    """Different bars as a share of all bars, 0 to 1."""
    return len(set(bars)) / len(bars) if bars else 0.0


def stepwise_share(section: LeadSection) -> float:
    """Share of melodic steps that are at most a fourth, 0 to 1; 1 where there are fewer than two notes."""
    pitches = [note.pitch for note in section.notes]
    leaps = [abs(after - before) for before, after in pairwise(pitches)]
    return sum(leap <= 5 for leap in leaps) / len(leaps) if leaps else 1.0


def repeated_note_share(section: LeadSection) -> float:
    """Share of melodic steps that stay on their pitch, 0 to 1."""
    steps = [after.pitch == before.pitch for before, after in pairwise(section.notes)]
    return sum(steps) / len(steps) if steps else 0.0


def quality(section: LeadSection, bars: Sequence[str], key: Key, bar_ql: float) -> float:
    """A score to choose between attempts, 0 (poor) to 1. Attempts at `GOOD` or above are taken at once."""
    clarity = min(1.0, max(0.0, 0.5 + 2.5 * key_clarity(section, key, bar_ql)))
    variety = min(1.0, distinct_bar_share(bars) / 0.6)
    # Folk melodies repeat a note in about one step of six; beyond twice that it becomes a drone.
    motion = min(1.0, (1.0 - repeated_note_share(section)) / 0.7)
    return 0.45 * clarity + 0.2 * variety + 0.25 * motion**2 + 0.1 * stepwise_share(section)


#: A section of this quality needs no other attempt.
GOOD = 0.8

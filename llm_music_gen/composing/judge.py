"""Chooses between a model's attempts at a section: the composer's own measures, and how far a tune is from what people write.

The ranges are those of folk melodies; outside them a score falls off linearly. Pitch-class entropy is defined as in Wu and Yang's
MusDr (2020), the rest after Yang and Lerch's objective metrics (2020) and MusPy.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from llm_music_gen.composing.measures import quality
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import LeadSection
from llm_music_gen.notation.chords import chord_pcs

#: What scores fully: bits of pitch-class entropy, semitones of range, share of 2-bar phrases that are new.
ENTROPY_BITS, RANGE_SEMITONES, NEW_PHRASES = (2.0, 3.1), (7, 19), (0.3, 1.0)
#: How alike the rhythms of two bars are on average: people's 10th percentile, with room for odd bars, and their 90th.
RHYTHM_LIKENESS = (0.66, 0.92)
#: Notes to a quarter at density 0 and what each unit of density adds: the middle density has people's median, 1.8, and the
#: ends are about their 10th and 90th percentile.
SPARSEST_PER_QUARTER, PER_DENSITY = 0.9, 1.8


def score(section: LeadSection, bars: Sequence[str], key: Key, bar_ql: float, density: float) -> float:
    """0 (poor) to 1. `bars` are the section's bars as text; `density` is the theme's, 0 to 1."""
    musical = quality(section, bars, key, bar_ql)
    fits = (
        chord_tone_share(section, bar_ql),
        within(pitch_class_entropy_bits(section), *ENTROPY_BITS, slope=1.0),
        within(range_semitones(section), *RANGE_SEMITONES, slope=7.0),
        within(new_phrase_share(bars), *NEW_PHRASES, slope=0.3),
    )
    # Half as many notes as wanted is another kind of tune, however good, and so is one rhythm in all bars: no such attempt is
    # good enough to be taken at once.
    rhythm = density_fit(section, bar_ql, density) * within(rhythm_likeness(section, bar_ql), *RHYTHM_LIKENESS, slope=0.06)
    return 0.5 * musical + 0.25 * sum(fits) / len(fits) + 0.25 * rhythm


def within(value: float, low: float, high: float, *, slope: float) -> float:
    """1 inside the range, falling to 0 at a distance of `slope` from it."""
    return max(0.0, 1.0 - max(low - value, value - high, 0.0) / slope)


def pitch_class_entropy_bits(section: LeadSection) -> float:
    """Shannon entropy of the melody's pitch classes by duration: 0 for one note alone, 3.58 for all twelve alike."""
    weights = np.zeros(12)
    for note in section.notes:
        weights[note.pitch % 12] += float(note.duration_ql)
    shares = weights[weights > 0] / max(weights.sum(), 1e-9)
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def range_semitones(section: LeadSection) -> int:
    """From the lowest to the highest note; 0 without notes."""
    pitches = [note.pitch for note in section.notes]
    return max(pitches) - min(pitches) if pitches else 0


def new_phrase_share(bars: Sequence[str]) -> float:
    """Different pairs of neighbouring bars as a share of all pairs; 1 where there are none."""
    pairs = Counter(pairwise(bars))
    return len(pairs) / pairs.total() if pairs else 1.0


def chord_tone_share(section: LeadSection, bar_ql: float) -> float:
    """Chord obedience: how much of the time that notes begin on a beat the melody has a tone of the chord; 1 without chords.

    Two in three is as much as people write.
    """
    onsets = [float(chord.onset_ql) for chord in section.chords]
    heard = obedient = 0
    for note in section.notes:
        onset = float(note.onset_ql)
        index = int(np.searchsorted(onsets, onset, side="right")) - 1
        if index < 0 or not math.isclose(onset % bar_ql % 1.0, 0.0, abs_tol=1e-9):
            continue
        heard += 1
        obedient += note.pitch % 12 in chord_pcs(section.chords[index])
    return min(1.0, 1.5 * obedient / heard) if heard else 1.0


def density_fit(section: LeadSection, bar_ql: float, density: float) -> float:
    """How near the notes to a quarter are to what the theme's density means, 0 to 1; 0 at half or double of it."""
    length = section.bars * bar_ql
    if not section.notes or length <= 0:
        return 0.0
    wanted = SPARSEST_PER_QUARTER + PER_DENSITY * density
    return max(0.0, 1.0 - abs(math.log2(len(section.notes) / length / wanted)))


def rhythm_likeness(section: LeadSection, bar_ql: float) -> float:
    """Groove similarity as in MusDr: the mean over all pairs of bars of the share of sixteenths on which both have an onset or
    neither has one; 1 for fewer than two bars."""
    steps = max(1, round(4 * bar_ql))
    grid = np.zeros((section.bars, steps), dtype=np.bool_)
    for note in section.notes:
        number, place = divmod(float(note.onset_ql), bar_ql)
        grid[min(section.bars - 1, int(number)), min(steps - 1, round(4 * place))] = True
    pairs = [float(np.mean(one == other)) for one, other in combinations(grid, 2)]
    return float(np.mean(pairs)) if pairs else 1.0

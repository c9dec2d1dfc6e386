"""What can be counted in one written melody: the figures in which tunes by machines and by people are compared.

Every section counts once, as written: repeats are a matter of the form, not of who wrote the tune. docs/guide/evaluating.md
defines each figure.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSheet, Note
from llm_music_gen.evaluating import score

#: Steps from note to note in one fingerprint; nine notes.
GRAM_STEPS = 8
KINDS = tuple(f"{meter} {third}" for third in ("major", "minor") for meter in ("duple", "triple", "compound", "other"))
"""Tunes are compared with tunes of their kind: by metre, and by the third of their mode."""
HISTOGRAMS = {"note lengths": 13, "intervals": 25, "scale degrees": 12}
"""Name -> number of classes."""
FIGURES = (
    "phrase_repetition",
    "near_repetition",
    "section_similarity",
    "pitch_class_entropy_1_bar",
    "pitch_class_entropy_4_bars",
    "groove_similarity",
    "notes_per_quarter",
    "pitch_count",
    "pitch_range",
    "mean_interval",
    "mean_onset_interval",
)


@dataclass(frozen=True, slots=True)
class MelodyStatistics:
    """Figures of one melody."""

    kind: str
    """One of `KINDS`."""
    histograms: dict[str, NDArray[np.float64]]
    """Shares by the names of `HISTOGRAMS`."""
    figures: dict[str, float]
    """Values by the names of `FIGURES`; nan where one cannot be had: the similarity of sections where there is but one."""


def melody_statistics(sheet: LeadSheet) -> MelodyStatistics | None:
    """What a tune's melody counts; None for a tune of fewer than nine notes."""
    bar_ql = float(sheet.meter.bar_ql)
    bars = [bar for section in sheet.sections for bar in score.section_bars(section, bar_ql)]
    notes = [note for section in sheet.sections for note in section.notes]
    if len(notes) <= GRAM_STEPS:
        return None
    steps = [after.pitch - before.pitch for section in sheet.sections for before, after in pairwise(section.notes)]
    onsets = [after.onset_ql - before.onset_ql for section in sheet.sections for before, after in pairwise(section.notes)]
    pitches = [note.pitch for note in notes]
    alike = list(score.section_similarities(sheet).values())
    figures = {
        "phrase_repetition": score.phrase_repetition(bars),
        "near_repetition": float(score.repeats_a_phrase(bars)),
        "section_similarity": float(np.mean(alike)) if alike else math.nan,
        "pitch_class_entropy_1_bar": score.pitch_class_entropy(bars, 1),
        "pitch_class_entropy_4_bars": score.pitch_class_entropy(bars, 4),
        "groove_similarity": score.groove_similarity(bars, bar_ql),
        "notes_per_quarter": len(notes) / (len(bars) * bar_ql),
        "pitch_count": float(len(set(pitches))),
        "pitch_range": float(max(pitches) - min(pitches)),
        "mean_interval": float(np.mean(np.abs(steps))),
        "mean_onset_interval": float(np.mean([float(value) for value in onsets])),
    }
    histograms = {
        "note lengths": score.length_histogram(notes),
        "intervals": _shares(np.bincount(np.clip(steps, -12, 12) + 12, minlength=25)),
        "scale degrees": _shares(np.bincount([(pitch - sheet.key.tonic_pc) % 12 for pitch in pitches], minlength=12)),
    }
    return MelodyStatistics(kind_of(sheet), histograms, figures)


def kind_of(sheet: LeadSheet) -> str:
    """duple (2 or 4 beats), triple (3), compound (beats of three) or other; major or minor by the third."""
    return f"{_meter_class(sheet.meter)} {'minor' if sheet.key.is_minor else 'major'}"


def _meter_class(meter: Meter) -> str:
    if meter.numerator in (6, 9, 12) and meter.denominator >= 8:
        return "compound"
    return {2: "duple", 4: "duple", 3: "triple"}.get(meter.numerator, "other")


def fingerprints(sheet: LeadSheet) -> NDArray[np.uint32]:
    """A 32-bit hash of every run of nine notes of a section, the same in every key and at every tempo; in the notes' order."""
    return np.array([gram for section in sheet.sections for gram in _grams(section.notes)], dtype=np.uint32)


def _grams(notes: Sequence[Note]) -> list[int]:
    steps = [(after.pitch - before.pitch, after.duration_ql / before.duration_ql) for before, after in pairwise(notes)]
    return [
        int.from_bytes(hashlib.blake2b(_spelled(steps[at : at + GRAM_STEPS]), digest_size=4).digest(), "big")
        for at in range(len(steps) - GRAM_STEPS + 1)
    ]


def _spelled(steps: Sequence[tuple[int, object]]) -> bytes:
    return " ".join(f"{interval}:{ratio}" for interval, ratio in steps).encode("ascii")


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(counts / max(1, int(counts.sum())), dtype=np.float64)

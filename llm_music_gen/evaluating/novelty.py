"""How much of a melody stands in the tunes that the built-in composer learned from, by hashed runs of nine notes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.score import LeadSheet
from llm_music_gen.evaluating.melody import GRAM_STEPS, fingerprints


@dataclass(frozen=True, slots=True)
class Novelty:
    """What of one melody is known from the training tunes."""

    known_share: float
    """Share of its runs of nine notes that stand in some training tune, in any key and at any tempo."""
    longest_known_notes: int
    """Most notes on end whose every run of nine is known: at least as many as the longest passage that was copied. 0: none."""


def novelty(sheet: LeadSheet, known: NDArray[np.uint32]) -> Novelty:
    """Compare a melody with the sorted fingerprints of the training tunes."""
    longest = hits = total = 0
    for section in sheet.sections:
        grams = fingerprints(_only(sheet, section.label))
        if not len(grams):
            continue
        places = np.minimum(np.searchsorted(known, grams), len(known) - 1)
        found = known[places] == grams
        hits, total = hits + int(found.sum()), total + len(grams)
        run = 0
        for one in found:
            run = run + 1 if one else 0
            longest = max(longest, run)
    return Novelty(hits / total if total else 0.0, longest + GRAM_STEPS if longest else 0)


def _only(sheet: LeadSheet, label: str) -> LeadSheet:
    from dataclasses import replace

    return replace(sheet, sections=(sheet.section(label),), order=())

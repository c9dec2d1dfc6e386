"""Finds the key of notes by the Krumhansl-Kessler profiles (Krumhansl & Kessler 1982), weighted by duration."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import Arrangement

_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


def pitch_class_weights(arrangement: Arrangement) -> NDArray[np.float64]:
    """Sounding time of each pitch class over all pitched parts, shape (12,)."""
    weights = np.zeros(12)
    for part in arrangement.parts:
        if not part.is_drums and part.role not in ("drums", "fx", "percussion"):
            for note in part.notes:
                weights[note.pitch % 12] += note.duration_ql
    return weights


def rank_keys(weights: Iterable[float]) -> list[tuple[float, int, bool]]:
    """(correlation, tonic pitch class, is minor) of all 24 keys, best first."""
    histogram = np.asarray(list(weights), dtype=np.float64)
    ranked = []
    for minor, profile in ((False, _MAJOR), (True, _MINOR)):
        for tonic in range(12):
            rolled = np.roll(histogram, -tonic)
            spread = float(rolled.std() * profile.std())
            fit = float(((rolled - rolled.mean()) * (profile - profile.mean())).mean() / spread) if spread > 0 else 0.0
            ranked.append((fit, tonic, minor))
    return sorted(ranked, key=lambda item: (-item[0], item[1], item[2]))


def finds_key(weights: Iterable[float], key: Key) -> bool:
    """Whether the profiles find `key`, its mode counted as major or minor by its third."""
    _, tonic, minor = rank_keys(weights)[0]
    return tonic == key.tonic_pc and minor == key.is_minor


def is_related(tonic_pc: int, minor: bool, key: Key) -> bool:
    """Whether a found key is the requested one, its relative, or a fifth away in the same mode."""
    apart = (tonic_pc - key.tonic_pc) % 12
    if minor == key.is_minor:
        return apart in (0, 5, 7)
    return apart == (9 if minor else 3)

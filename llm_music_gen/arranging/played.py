"""Notes on the grid, before anyone plays them like a human: the shape in which the players of the band hand over their parts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class GridNote:
    """One note exactly on the grid."""

    onset_ql: Fraction
    """From the start of the song."""
    duration_ql: Fraction
    pitch: int
    velocity: int


def velocity_of(level: int, energy: float) -> int:
    """MIDI velocity of a grid level (1 to 9) at a section's energy (0 to 1)."""
    return max(8, min(124, round(14 * level * (0.72 + 0.28 * energy))))

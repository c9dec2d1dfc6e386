"""Staves: a part of a score cut into bars of engraved notes."""

from __future__ import annotations

from dataclasses import dataclass

from llm_music_gen.notation.engraving import Engraved


@dataclass(frozen=True, slots=True)
class StaffBar:
    """One bar of a staff."""

    notes: tuple[Engraved, ...]
    mark: str = ""
    """Rehearsal mark at its beginning."""
    closes: bool = False
    """Whether a double bar line ends it."""


@dataclass(frozen=True, slots=True)
class Staff:
    """One part of a score."""

    name: str
    program: int
    """General MIDI program, 0 to 127."""
    clef: str
    """treble, bass or percussion."""
    bars: tuple[StaffBar, ...]

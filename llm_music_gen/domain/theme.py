"""Theme: what a song shall be, decided before a note is written."""

from __future__ import annotations

from dataclasses import dataclass

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter


@dataclass(frozen=True, slots=True)
class SectionPlan:
    """One section of the form as it will be heard."""

    label: str
    """Which written material it uses: sections with the same label share a tune ("A", "B", "C")."""
    role: str
    """intro, verse, build, chorus, drop, break, bridge, solo, outro."""
    bars: int
    """Length in bars of the song's metre."""
    energy: float
    """0 (bare) to 1 (everything plays)."""
    character: str = ""
    """A few words for a model or a person: "calm, sparse"."""


@dataclass(frozen=True, slots=True)
class Theme:
    """What a song shall be."""

    title: str
    styles: tuple[str, ...]
    """The user's own style words, as typed."""
    mood: tuple[str, ...]
    """Mood words, the user's or derived."""
    key: Key
    tempo_bpm: float
    """Beats a minute; the beat is the metre's (dotted quarter in 6/8)."""
    meter: Meter
    form: tuple[SectionPlan, ...]
    instruments: tuple[str, ...] = ()
    """Instruments asked for by name; empty leaves the choice to the style."""
    without: tuple[str, ...] = ()
    """Instruments or roles that must not sound."""
    density: float = 0.5
    """How many notes the tune has, 0 (long notes) to 1 (running)."""
    length_frames: int = 0
    """Exact length of the finished audio at 44,100 Hz."""
    hints: tuple[str, ...] = ()
    """Remarks for the user, such as the nearest known style word."""

    @property
    def bars(self) -> int:
        """Bars of the whole form."""
        return sum(section.bars for section in self.form)

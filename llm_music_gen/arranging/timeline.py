"""The song bar by bar: which section it belongs to, which bar of the written tune it plays, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.styles import Style

#: Energy from which a role takes part where the style sheet says nothing.
DEFAULT_LAYERS = {
    "melody": 0.2, "counter": 0.6, "chords": 0.0, "pad": 0.0, "arp": 0.45, "bass": 0.2, "sub": 0.35, "drums": 0.3, "fx": 0.0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ChordSpan:
    """A chord and how long it sounds, within one bar."""

    onset_ql: Fraction
    """From the start of the bar."""
    length_ql: Fraction
    chord: ChordSymbol


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the song."""

    number: int
    onset_ql: Fraction
    length_ql: Fraction
    section: int
    """Index of its section in the form."""
    plan: SectionPlan
    in_section: int
    """0 for the first bar of its section."""
    chords: tuple[ChordSpan, ...] = ()
    """Covers the whole bar."""

    @property
    def is_last_of_section(self) -> bool:
        return self.in_section == self.plan.bars - 1

    def chord_at(self, offset_ql: Fraction) -> ChordSymbol:
        """The chord that sounds at an offset into the bar."""
        current = self.chords[0].chord
        for span in self.chords:
            if span.onset_ql <= offset_ql:
                current = span.chord
        return current


def bars_of(theme: Theme) -> list[Bar]:
    """Every bar of the form, without chords yet."""
    bars: list[Bar] = []
    onset = Fraction(0)
    for index, plan in enumerate(theme.form):
        for number in range(plan.bars):
            bars.append(Bar(len(bars), onset, theme.meter.bar_ql, index, plan, number))
            onset += theme.meter.bar_ql
    return bars


def material(tune: LeadSheet, plan: SectionPlan) -> LeadSection:
    """The written section that a section of the form plays; the first one where its own was not written."""
    try:
        return tune.section(plan.label)
    except KeyError:
        return tune.sections[0]


def plays(style: Style, role: str, plan: SectionPlan) -> bool:
    """Whether a role takes part in a section."""
    if role in style.form.silent.get(plan.role, ()):  # type: ignore[call-overload]
        return False
    threshold = style.form.layers.get(role, DEFAULT_LAYERS.get(role, 0.0))  # type: ignore[call-overload]
    return bool(plan.energy >= threshold)

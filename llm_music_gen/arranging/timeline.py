"""The song bar by bar: which section it belongs to, which bar of the written tune it plays, who takes part."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.styles import Style

#: Energy from which a role takes part where the style sheet says nothing.
DEFAULT_LAYERS = {
    "melody": 0.2, "counter": 0.6, "chords": 0.0, "pad": 0.0, "arp": 0.45, "bass": 0.2, "sub": 0.35, "drums": 0.3, "fx": 0.0,
}  # fmt: skip
#: Share of the bars in which a role plays at least.
_LEAST_SHARE = {"melody": 0.6, "chords": 0.5, "bass": 0.5, "drums": 0.45}
_EXTRA_VOICES = ("counter", "pad", "arp")
_LEAST_EXTRA = 0.35


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
    meter: Meter
    section: int
    """Index of its section in the form."""
    plan: SectionPlan
    in_section: int
    """0 for the first bar of its section."""
    occurrence: int
    """How often the section's material was heard before."""
    roles: frozenset[str]
    """Who plays."""
    chords: tuple[ChordSpan, ...] = ()
    """Covers the whole bar."""

    @property
    def length_ql(self) -> Fraction:
        return self.meter.bar_ql

    @property
    def is_last_of_section(self) -> bool:
        return self.in_section == self.plan.bars - 1

    def plays(self, role: str) -> bool:
        """Whether a role takes part."""
        return role in self.roles

    def chord_at(self, offset_ql: Fraction) -> ChordSymbol:
        """The chord that sounds at an offset into the bar."""
        current = self.chords[0].chord
        for span in self.chords:
            if span.onset_ql <= offset_ql:
                current = span.chord
        return current


def bars_of(theme: Theme, style: Style) -> list[Bar]:
    """Every bar of the form, without chords yet."""
    bars: list[Bar] = []
    onset = Fraction(0)
    heard: dict[str, int] = {}
    for index, (plan, roles) in enumerate(zip(theme.form, _casting(theme, style), strict=True)):
        occurrence = heard.get(plan.label, 0)
        heard[plan.label] = occurrence + 1
        for number in range(plan.bars):
            bars.append(Bar(len(bars), onset, theme.meter, index, plan, number, occurrence, roles))
            onset += theme.meter.bar_ql
    return bars


def material(tune: LeadSheet, plan: SectionPlan) -> LeadSection:
    """The written section that a section of the form plays; the first one where its own was not written."""
    try:
        return tune.section(plan.label)
    except KeyError:
        return tune.sections[0]


def _casting(theme: Theme, style: Style) -> list[frozenset[str]]:
    """Who plays in each section: by energy, but everyone who belongs to the style for a fair share of the song."""
    unwanted = {word.strip().lower() for word in theme.without}
    casting = [_by_energy(style, plan) - unwanted for plan in theme.form]
    heard: dict[str, int] = {}
    for index, plan in enumerate(theme.form):
        occurrence = heard.get(plan.label, 0)
        heard[plan.label] = occurrence + 1
        # A section that comes back is coloured by another voice.
        if occurrence and {"arp", "counter"} <= casting[index] and plan.energy < 0.9:
            casting[index] -= {"arp" if occurrence % 2 else "counter"}
    wanted = [role for role in _LEAST_SHARE if role != "drums" or style.has_drums]
    for role in wanted:
        if role not in unwanted:
            _give_share(casting, role, _LEAST_SHARE[role], theme)
    extra = [role for role in _EXTRA_VOICES if role not in unwanted and style.instruments.get(role)]  # type: ignore[call-overload]
    if extra and sum(plan.bars for plan, roles in zip(theme.form, casting, strict=True) if roles & set(extra)) < (
        _LEAST_EXTRA * theme.bars
    ):
        _give_share(casting, extra[0], _LEAST_EXTRA, theme)
    return [frozenset(roles) for roles in casting]


def _by_energy(style: Style, plan: SectionPlan) -> set[str]:
    silent = style.form.silent.get(plan.role, ())  # type: ignore[call-overload]
    # Layers leave in an ending, but the tune and the bass see it through.
    stays = {"melody", "bass"} - set(silent) if plan.role == "outro" else set()
    thresholds: dict[str, float] = {**DEFAULT_LAYERS, **{str(role): least for role, least in style.form.layers.items()}}
    return stays | {role for role, least in thresholds.items() if plan.energy >= least and role not in silent}


def _give_share(casting: list[set[str]], role: str, share: float, theme: Theme) -> None:
    """Add a role to the liveliest sections in which it is missing until it has its share of the bars."""
    has = sum(plan.bars for plan, roles in zip(theme.form, casting, strict=True) if role in roles)
    missing = [index for index, roles in enumerate(casting) if role not in roles]
    for index in sorted(missing, key=lambda index: (-theme.form[index].energy, index)):
        if has >= share * theme.bars:
            return
        casting[index].add(role)
        has += theme.form[index].bars

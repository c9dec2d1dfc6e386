"""Has a model write the tune: one section after the other, each held to the rules of the score while it is written.

What comes out is well-formed with any model whatever. A section that is musically poor is written again at most twice, from
another seed, and the best attempt stays.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from llm_music_gen.composing.author import Ask, Author, Heard, NoTune
from llm_music_gen.composing.cadence import settled
from llm_music_gen.composing.harmony import harmonised, key_chords, primary_chords
from llm_music_gen.composing.judge import score
from llm_music_gen.composing.local_author import LocalAuthor
from llm_music_gen.composing.measures import GOOD
from llm_music_gen.composing.motif import first_bars, transposed_motif
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.score import LeadSection, LeadSheet
from llm_music_gen.domain.text_model import Exchange, TextModel
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.notation.spec import default_unit
from llm_music_gen.notation.text import parse_section
from llm_music_gen.notation.writer import header_text, section_head

MAX_ATTEMPTS = 3
#: How long a tune may have taken before sections are no longer written again. The built-in composer needs about a second.
ATTEMPTS_BUDGET_S = 300.0
#: Materials of later movements begin with the motif of the material that they replace.
MOTIF_BARS = 1
#: Scale steps by which the second material moves the motif of the first.
SECOND_THEME_STEPS = (2, 3, 4, -2, -3)
_OPEN_ROLES = frozenset({"bridge", "break", "build"})


@dataclass(frozen=True, slots=True)
class Tune:
    """A whole tune as written."""

    unit: Fraction
    """Unit note length, a fraction of a whole note."""
    sections: tuple[WrittenSection, ...]
    sheet: LeadSheet
    exchanges: tuple[Exchange, ...] = ()
    """What the model was asked, and its answers, rejected ones included; empty for a tune that was not just written."""


@dataclass(frozen=True, slots=True)
class MelodyRange:
    """Where the lead plays."""

    low_pitch: int = 57
    high_pitch: int = 84


def write_tune(
    theme: Theme,
    model: TextModel,
    *,
    seed: int,
    temperature: float = 0.75,
    format_name: str = "composer-text",
    melody_range: MelodyRange = MelodyRange(),
    budget_s: float = ATTEMPTS_BUDGET_S,
) -> Work[Tune]:
    """Write every material of the theme's form once. Yields the text as it grows in `detail["abc"]`.

    The same theme, model and seed give the same tune on one machine, unless the model is so slow that writing takes longer than
    `budget_s`: from then on every section's first attempt is taken. Raises ModelError when the model itself fails.
    """
    author = LocalAuthor(model, format_name, temperature)
    return (yield from write_tune_by(author, theme, seed=seed, melody_range=melody_range, budget_s=budget_s))


def write_tune_by(
    author: Author, theme: Theme, *, seed: int, melody_range: MelodyRange = MelodyRange(), budget_s: float = ATTEMPTS_BUDGET_S
) -> Work[Tune]:
    """The same by any author, a server for example. Reports carry `detail["tokens_per_s"]` where that is known.

    Raises NoTune when there is no music in three answers on end, ModelError when the author fails.
    """
    return (yield from _TuneWriter(theme, author, seed, melody_range, budget_s).write())


def sheet_of(theme: Theme, unit: Fraction, sections: Sequence[WrittenSection]) -> LeadSheet:
    """Read what was written. Raises NotationError when a text does not fit the theme's metre.

    A section without chord symbols gets the triad of the key that fits each bar.
    """
    parsed = tuple(
        harmonised(
            parse_section(section.text, label=section.label, key=theme.key, meter=theme.meter, unit=unit, bars=section.bars),
            theme.key,
            theme.meter,
        )
        for section in sections
    )
    return LeadSheet(theme.title, theme.key, theme.meter, theme.tempo_bpm, parsed, tuple(plan.label for plan in theme.form))


def materials(theme: Theme) -> tuple[SectionPlan, ...]:
    """One plan for each material in order of first appearance, as long as its longest appearance."""
    longest: dict[str, SectionPlan] = {}
    for plan in theme.form:
        known = longest.setdefault(plan.label, plan)
        if plan.bars > known.bars:
            longest[plan.label] = replace(known, bars=plan.bars)
    return tuple(longest.values())


@dataclass
class _TuneWriter:
    """Writes material after material; remembers what it wrote, because each one is written in sight of the others."""

    theme: Theme
    author: Author
    seed: int
    melody_range: MelodyRange
    budget_s: float
    written: list[WrittenSection] = field(default_factory=list)
    reached: float = 0.0
    chords: tuple[str, ...] = ()
    began_s: float = field(default_factory=time.monotonic)
    warmth: float = 1.0
    """Factor on the temperature: later attempts are more adventurous."""

    def write(self) -> Work[Tune]:
        theme = self.theme
        self.unit = default_unit(theme.meter)
        self.author.prepare()
        self.closing = self._closing_labels()
        self.plans = materials(theme)
        for number, plan in enumerate(self.plans):
            yield Progress("tune", number / len(self.plans), f"Writing section {plan.label}", {"abc": self._text()})
            self.written.append((yield from self._best_attempt(plan, number)))
        yield Progress("tune", 1.0, "The tune is written", {"abc": self._text()})
        return Tune(self.unit, tuple(self.written), sheet_of(theme, self.unit, self.written), tuple(self.author.exchanges))

    def _closing_labels(self) -> frozenset[str]:
        """Materials that end on the tonic: all but those that only ever lead back to another one."""
        closing = {plan.label for plan in self.theme.form if plan.role not in _OPEN_ROLES}
        return frozenset(closing | {self.theme.form[-1].label})

    def _best_attempt(self, plan: SectionPlan, number: int) -> Work[WrittenSection]:
        best: tuple[float, WrittenSection] | None = None
        for attempt in range(MAX_ATTEMPTS):
            rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number, attempt)))
            opening = self._opening(plan, rng)
            closes = plan.label in self.closing
            # After a first attempt that did not find its key, only the chords that make it plain are offered.
            self.warmth = 1.0 + 0.2 * attempt
            self.chords = key_chords(self.theme.key) if best is None else primary_chords(self.theme.key)
            try:
                text = yield from self._bars(plan, opening, closes, int(rng.integers(2**31)))
            except NoTune:
                if best is None and attempt == MAX_ATTEMPTS - 1:
                    raise
                continue
            if closes:
                text = settled(text, self.theme.key, self.theme.meter, self.unit)
            section = WrittenSection(plan.label, plan.bars, text)
            worth = self._judge(section)
            if best is None or worth > best[0]:
                best = (worth, section)
            if worth >= GOOD or time.monotonic() - self.began_s > self.budget_s:
                break
        assert best is not None  # an attempt was taken, or the last one raised
        return best[1]

    def _opening(self, plan: SectionPlan, rng: np.random.Generator) -> str:
        """The motif with which a material begins: that of its model of the same role, or the first one's, moved."""
        if not self.written or plan.role in _OPEN_ROLES or plan.bars <= MOTIF_BARS:
            return ""
        roles = {other.label: other.role for other in self.plans}
        steps = 0
        source = next((section for section in self.written if roles[section.label] == plan.role), None)
        if source is None:
            source, steps = self.written[0], int(rng.choice(SECOND_THEME_STEPS))
        motif = first_bars(source.text, MOTIF_BARS)
        low, high = self.melody_range.low_pitch, self.melody_range.high_pitch
        return transposed_motif(motif, steps, self.theme.key, self.theme.meter, self.unit, low, high)

    def _bars(self, plan: SectionPlan, opening: str, closes: bool, seed: int) -> Work[str]:
        ask = Ask(
            theme=self.theme, plan=plan, bars=plan.bars, unit=self.unit, earlier=tuple(self.written), before="", opening=opening,
            closes=closes, chords=self.chords, low_pitch=self.melody_range.low_pitch, high_pitch=self.melody_range.high_pitch,
            previous_pitch=None, warmth=self.warmth, seed=seed,
        )  # fmt: skip
        work = self.author.bars(ask)
        while True:
            try:
                heard = next(work)
            except StopIteration as stop:
                text: str = stop.value
                return text
            yield self._progress(plan, heard)

    def _judge(self, section: WrittenSection) -> float:
        parsed = harmonised(self._parse(section.text, section.label), self.theme.key, self.theme.meter)
        bars = section.text.split("|")[:-1]
        return score(parsed, bars, self.theme.key, float(self.theme.meter.bar_ql), self.theme.density)

    def _parse(self, text: str, label: str) -> LeadSection:
        return parse_section(text, label=label, key=self.theme.key, meter=self.theme.meter, unit=self.unit)

    def _progress(self, plan: SectionPlan, heard: Heard) -> Progress:
        done = len(self.written) + min(1.0, heard.text.count("|") / plan.bars)
        self.reached = max(self.reached, min(1.0, done / len(self.plans)))
        current = section_head(plan.label, plan.bars) + heard.text
        pace = {"tokens_per_s": round(heard.tokens_per_s, 1)} if heard.tokens_per_s else {}
        return Progress("tune", self.reached, f"Writing section {plan.label}", {"abc": self._text() + current, **pace})

    def _text(self) -> str:
        """The composer text as far as it is written."""
        text = header_text(self.theme.key, self.theme.meter, self.unit, chords=True)
        return text + "".join(section_head(section.label, section.bars) + section.text + "\n" for section in self.written)

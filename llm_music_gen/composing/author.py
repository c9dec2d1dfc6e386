"""Who writes the bars of a section, and what he is asked: the port between the tune and the models that write it."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from llm_music_gen.composing.harmony import half_close_chord, tonic_chord
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.text_model import Exchange
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import DependencyMissing, ModelError
from llm_music_gen.llm.formats import sampling_for
from llm_music_gen.notation.spec import SectionSpec

#: What a person sets as temperature when he wants a model to be as its makers advise.
USUAL_TEMPERATURE = 0.75
#: A report comes after this many pieces of text or this time, whichever is sooner: then a listener can leave.
PIECES_PER_REPORT, REPORT_EVERY_S = 24, 0.25
_CHORD = re.compile(r'"([^"]+)"')


class NoTune(ModelError):
    """A model answered, but not with music. Asking it the same again rarely helps."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Some bars of a section that are wanted."""

    theme: Theme
    plan: SectionPlan
    bars: int
    """How many; the plan's, or fewer when a section is written in pieces."""
    unit: Fraction
    earlier: Sequence[WrittenSection]
    """Sections that stand already."""
    before: str
    """Bars of this section that stand already."""
    opening: str
    """Bars with which these begin."""
    closes: bool
    """Whether the last one ends on the tonic."""
    chords: tuple[str, ...]
    """The chord symbols to choose from."""
    low_pitch: int
    high_pitch: int
    previous_pitch: int | None
    """The last pitch of what stands before in this section."""
    warmth: float
    """Factor on the temperature: later attempts are more adventurous."""
    seed: int


@dataclass(frozen=True, slots=True)
class Heard:
    """How far the bars have come."""

    text: str
    """With the opening; "" while nothing can be shown."""
    tokens_per_s: float = 0.0
    """0 where it is not known."""


class Author(Protocol):
    """Writes bars that keep the rules of the score."""

    @property
    def name(self) -> str:
        """For people and recipes."""
        ...

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """What was asked and answered so far, rejected answers included."""
        ...

    def prepare(self) -> None:
        """Raise ModelError when this model cannot write music at all."""
        ...

    def bars(self, ask: Ask) -> Generator[Heard, None, str]:
        """The bars as composer text, each closed by `|`, with the opening. Yields at least a few times a second where it can.

        Raises NoTune for an answer without music, ModelError when the model fails.
        """
        ...


def specs(ask: Ask, *, allow_spaces: bool) -> Iterator[SectionSpec]:
    """The rules for the bars, then the same with fewer promises; the last has no chord symbols."""
    theme = ask.theme
    final = tonic_chord(theme.key) if ask.closes else half_close_chord(theme.key)
    symbols = dict.fromkeys((*ask.chords, *_CHORD.findall(ask.opening), final))
    full = SectionSpec(
        key=theme.key, meter=theme.meter, bars=ask.bars, unit=ask.unit, label=ask.plan.label, chords=True,
        chord_symbols=tuple(symbols), final_chord=final, max_chords_per_bar=2, low_pitch=ask.low_pitch,
        high_pitch=ask.high_pitch, previous_pitch=ask.previous_pitch, closes=ask.closes, opening=ask.opening,
        min_onsets=math.ceil(ask.bars * (1.5 + 3.0 * max(0.0, theme.density - 0.5))),
        # Most pieces of a general vocabulary begin with a space; without them a model could only spell letter by letter.
        allow_spaces=allow_spaces,
    )  # fmt: skip
    yield full
    yield replace(full, min_onsets=None)
    yield replace(full, min_onsets=None, opening="")
    yield replace(full, chords=False, chord_symbols=(), final_chord="", min_onsets=None)


def tune_temperature(format_name: str, asked: float) -> float:
    """What a model of this format is sampled with: what its makers advise where the usual is asked for, else in proportion."""
    advised = sampling_for(format_name).temperature
    return asked if advised == USUAL_TEMPERATURE else advised * asked / USUAL_TEMPERATURE


def reason(name: str, error: ModelError | DependencyMissing) -> str:
    """What went wrong, to stand in brackets behind the model's name."""
    return error.message.rstrip(".").removeprefix(f"{name} ")


class ReportClock:
    """Says when it is time for the next report."""

    def __init__(self) -> None:
        self._pieces = 0
        self._reported_s = time.monotonic()

    def due(self) -> bool:
        """After every piece of text: whether to report now."""
        self._pieces += 1
        now_s = time.monotonic()
        if self._pieces % PIECES_PER_REPORT == 1 or now_s - self._reported_s >= REPORT_EVERY_S:
            self._reported_s = now_s
            return True
        return False

"""Decides what a song shall be before a note is written: title, key, tempo, metre, form, density.

`ThemeWriter` is the port: the built-in writer works with the word tables alone; a language model can take its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from llm_music_gen.composing.form import TempoChoice, fixed_tempo, plan_form
from llm_music_gen.composing.lengths import LengthRange
from llm_music_gen.composing.lexicon import Bend, Reading, bend_of, mood_words, read_words
from llm_music_gen.composing.titles import make_title
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import ThemeError
from llm_music_gen.styles import Style, blend


@dataclass(frozen=True, slots=True)
class SongRequest:
    """What a person wishes for one song."""

    words: tuple[str, ...]
    """Styles and moods as typed."""
    length: LengthRange
    key: Key | None = None
    tempo_bpm: float | None = None
    meter: Meter | None = None
    instruments: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    taken_titles: tuple[str, ...] = ()
    """Titles of the same batch, not to be used again."""


@dataclass(frozen=True, slots=True)
class PlannedSong:
    """A theme and the style in which it will be arranged."""

    theme: Theme
    style: Style
    """Blended from the styles that were named and bent by the moods."""
    style_names: tuple[str, ...]


class ThemeWriter(Protocol):
    """Makes themes. An implementer must honour every wish in the request; what is left open is its own to decide."""

    def plan(self, request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> PlannedSong:
        """The same request, styles and random state give the same plan. Raises UsageError when wishes contradict each other."""
        ...


class BuiltInThemeWriter:
    """Plans from style sheets, the lexicon and the title tables, without a language model."""

    def plan(self, request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> PlannedSong:
        """See `ThemeWriter`."""
        return plan_theme(request, styles, rng)


def plan_theme(request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> PlannedSong:
    """Plan one song from words. Raises ThemeError without any style sheet, UsageError for wishes that cannot be met."""
    if not styles:
        raise ThemeError("No style sheets were found.", hint="Install Llm-Music-Gen again.")
    reading = read_words(request.words, {name: style.aliases for name, style in styles.items()})
    bend = bend_of(reading.moods)
    names = reading.styles or (_style_for(reading, styles, rng),)
    style = bend_style(blend([styles[name] for name in names]), bend)
    meter = request.meter or _pick_meter(style, rng)
    key = request.key or _pick_key(style, rng)
    tempo = fixed_tempo(request.tempo_bpm) if request.tempo_bpm is not None else _tempo_choice(style)
    plan = plan_form(request.length, meter, tempo, form_template(style, bend, rng))
    title = make_title(bend.tones, rng, request.taken_titles)
    theme = Theme(
        title=title, styles=request.words, mood=reading.moods, key=key, tempo_bpm=plan.tempo_bpm, meter=meter, form=plan.sections,
        instruments=request.instruments, without=request.without, density=style.density, length_frames=plan.length_frames,
        hints=reading.hints,
    )  # fmt: skip
    return PlannedSong(theme, style, tuple(names))

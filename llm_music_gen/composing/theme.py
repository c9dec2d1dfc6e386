"""Decides what a song shall be before a note is written: title, key, tempo, metre, form, density.

`ThemeWriter` is the port: the built-in writer works with the word tables alone; a language model can take its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from llm_music_gen.composing.form import TempoChoice, fixed_tempo, plan_form
from llm_music_gen.composing.lengths import LengthRange
from llm_music_gen.composing.lexicon import Bend, Reading, bend_of, mood_words, read_words
from llm_music_gen.composing.titles import make_title
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import Work
from llm_music_gen.domain.text_model import Exchange
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import ThemeError
from llm_music_gen.styles import SectionTemplate, Style, blend


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
    title: str = ""
    """Its name, where the person has given one."""


@dataclass(frozen=True, slots=True)
class PlannedSong:
    """A theme and the style in which it will be arranged."""

    theme: Theme
    style: Style
    """Blended from the styles that were named and bent by the moods."""
    style_names: tuple[str, ...]
    moods: tuple[str, ...]
    exchanges: tuple[Exchange, ...] = ()
    """What a model was asked, and its answers."""


class ThemeWriter(Protocol):
    """Makes themes. An implementer must honour every wish in the request; what is left open is its own to decide."""

    def plan(self, request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> PlannedSong:
        """The same request, styles and random state give the same plan. Raises UsageError when wishes contradict each other."""
        ...

    def planning(self, request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> Work[PlannedSong]:
        """The same as work: with a report a few times a second where it takes long."""
        ...


class BuiltInThemeWriter:
    """Plans from style sheets, the lexicon and the title tables, without a language model."""

    def plan(self, request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> PlannedSong:
        """See `ThemeWriter`."""
        return plan_theme(request, styles, rng)

    def planning(self, request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> Work[PlannedSong]:
        """See `ThemeWriter`."""
        yield from ()
        return plan_theme(request, styles, rng)


def plan_theme(request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> PlannedSong:
    """Plan one song from words. Raises ThemeError without any style sheet, UsageError for wishes that cannot be met."""
    if not styles:
        raise ThemeError("No style sheets were found.", hint="Install Llm-Music-Gen again.")
    reading = read_words(request.words, {name: style.aliases for name, style in styles.items()})
    names = reading.styles or (_style_for(reading, styles, rng),)
    style, bend = resolve_style(styles, names, reading.moods)
    meter = request.meter or Meter.parse(_draw(style.meters, rng))
    key = request.key or _pick_key(style, rng)
    tempo = _tempo_choice(style) if request.tempo_bpm is None else fixed_tempo(request.tempo_bpm)
    template = style.form.templates[int(rng.integers(len(style.form.templates)))]
    plan = plan_form(request.length, meter, tempo, _sections(template, bend))
    theme = Theme(
        title=make_title(bend.tones, rng, request.taken_titles), styles=request.words, mood=reading.moods, key=key,
        tempo_bpm=plan.tempo_bpm, meter=meter, form=plan.sections, instruments=request.instruments, without=request.without,
        density=style.density, length_frames=plan.length_frames, hints=reading.hints,
    )  # fmt: skip
    return PlannedSong(theme, style, tuple(names), reading.moods)


def resolve_style(styles: Mapping[str, Style], names: Sequence[str], moods: Sequence[str]) -> tuple[Style, Bend]:
    """The styles blended, then bent by the moods. Raises ThemeError for a style or mood that is not there."""
    missing = [name for name in names if name not in styles] + [mood for mood in moods if mood not in mood_words()]
    if missing:
        raise ThemeError(f"The word {missing[0]!r} is not known here.", hint='"llm-music-gen styles" lists those that are.')
    bend = bend_of(moods)
    style = blend([styles[name] for name in names]).bent(
        tempo=bend.tempo, density=bend.density, energy=bend.energy, tilt_db=bend.tilt_db, reverb=bend.reverb, modes=bend.modes
    )
    return style, bend


def _style_for(reading: Reading, styles: Mapping[str, Style], rng: np.random.Generator) -> str:
    """A style for words that name none: one that carries the moods, or any."""
    carriers = [base for mood in reading.moods for base in mood_words()[mood].base if base in styles]
    choices = carriers or sorted(styles)
    return choices[int(rng.integers(len(choices)))]


def _draw(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """One name, each as likely as its weight."""
    names = list(weights)
    shares = np.array([weights[name] for name in names], dtype=np.float64)
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def _pick_key(style: Style, rng: np.random.Generator) -> Key:
    """A mode by weight, on a tonic that players of the style like."""
    mode = _draw(style.modes, rng)
    liked = [Key.parse(tonic) for tonic in style.tonics]
    # "a" and "Am" say that the tonic is liked for minor modes; "C" for the others.
    fitting = [key.tonic_pc for key in liked if key.is_minor == Key("C", mode).is_minor] or [key.tonic_pc for key in liked]
    tonics = fitting or list(range(12))
    return Key.from_pc(tonics[int(rng.integers(len(tonics)))], mode)


def _tempo_choice(style: Style) -> TempoChoice:
    return TempoChoice(style.tempo_min_bpm, style.tempo_max_bpm, style.tempo_default_bpm)


def _sections(template: Sequence[SectionTemplate], bend: Bend) -> tuple[SectionPlan, ...]:
    """A style's form as plans, each with a few words on its character."""
    mood = ", ".join(bend.characters)
    return tuple(
        SectionPlan(part.label, part.role, part.bars, part.energy, ", ".join(filter(None, (_feeling(part.energy), mood))))
        for part in template
    )


def _feeling(energy: float) -> str:
    return "sparse" if energy < 0.25 else "calm" if energy < 0.5 else "lively" if energy < 0.75 else "full"

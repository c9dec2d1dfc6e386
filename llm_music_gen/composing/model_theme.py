"""Has a language model imagine the theme, and keeps what it says within what the style can bear.

The word tables plan first. What the model answers then takes the place of what the user left open; whatever is unusable in it is
repaired or left as the tables had it, with a remark. A model that fails altogether costs a remark, never the song.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from llm_music_gen.composing.author import ReportClock, reason
from llm_music_gen.composing.form import TempoChoice, fixed_tempo, plan_form
from llm_music_gen.composing.lexicon import mood_words
from llm_music_gen.composing.theme import PlannedSong, SongRequest, plan_theme, resolve_style
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import Progress, Work, finish
from llm_music_gen.domain.text_model import Exchange
from llm_music_gen.domain.theme import SectionPlan
from llm_music_gen.errors import DependencyMissing, ModelError, NotationError, StyleError, UsageError
from llm_music_gen.llm.formats import Message, spoken
from llm_music_gen.llm.json_constraint import Choice, Fields, Items, Shape, Text, Whole
from llm_music_gen.llm.pace import Pace
from llm_music_gen.styles import Style
from llm_music_gen.styles.sounds import GM_NAMES, instrument_named

MAX_TITLE, MAX_SECTIONS, MAX_MOODS, MAX_INSTRUMENTS = 48, 12, 3, 5
MIN_BARS, MAX_BARS = 4, 16
MAX_ANSWER_CHARACTERS = 100_000
ROLES = ("intro", "verse", "build", "chorus", "drop", "break", "bridge", "solo", "outro")
_LABELS = ("A", "B", "C", "D", "E", "F")
_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_REFUSAL = re.compile(r"\b(i'?m sorry|i cannot|i can'?t|as an ai|language model|unable to)\b", re.IGNORECASE)


class Chat(Protocol):
    """Somebody who answers in JSON: a model in this process, or a server."""

    @property
    def name(self) -> str:
        """For people and recipes."""
        ...

    def answering(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> Generator[str, None, None]:
        """The answer as it comes, JSON of this shape wherever that can be enforced; "" now and then while nothing comes.

        Raises ModelError or DependencyMissing.
        """
        ...


@dataclass
class ModelThemeWriter:
    """Themes by a model (`composing.theme.ThemeWriter`)."""

    chat: Chat

    def plan(self, request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> PlannedSong:
        """The word tables' plan with what the model says. Raises only what the word tables raise."""
        return finish(self.planning(request, styles, rng))

    def planning(self, request: SongRequest, styles: Mapping[str, Style], rng: np.random.Generator) -> Work[PlannedSong]:
        """The same, with a report a few times a second, so that whoever waits can leave."""
        base = plan_theme(request, styles, rng)
        messages = theme_messages(request, base)
        answer, pace, clock = "", Pace(), ReportClock()
        try:
            pieces = self.chat.answering(messages, theme_shape(base), seed=int(rng.integers(2**31)))
            with closing(pieces):
                for piece in pace.counted(pieces):
                    answer += piece
                    if clock.due():
                        yield Progress("theme", 0.5, f"{self.chat.name} imagines the song", pace.detail)
            planned = planned_from(answer, request, base, styles)
        except (ModelError, DependencyMissing) as error:
            remark = f"{self.chat.name} gave no theme ({reason(self.chat.name, error)}); the word tables decided."
            planned = replace(base, theme=replace(base.theme, hints=(*base.theme.hints, remark)))
        asked = "\n\n".join(f"{message.speaker}: {message.text}" for message in messages)
        return replace(planned, exchanges=(Exchange("theme", self.chat.name, asked, answer),))


def theme_shape(base: PlannedSong) -> Shape:
    """The JSON that is asked for: what fits the style is all that can be said."""
    style = base.style
    modes = tuple(style.modes) or (base.theme.key.mode,)
    low, high = _tempo_bounds(style)
    section = Fields(
        (
            ("role", Choice(ROLES)),
            ("label", Choice(_LABELS)),
            ("bars", Choice(("4", "8", "12", "16"))),
            ("energy", Whole(0, 100)),
            ("character", Text(40)),
        )
    )
    return Fields(
        (
            ("title", Text(MAX_TITLE)),
            ("mood", Items(Choice(tuple(sorted(mood_words()))), 1, MAX_MOODS)),
            ("key", Choice(tuple(f"{tonic} {mode}" for tonic in _TONICS for mode in modes))),
            ("tempo_bpm", Whole(low, high)),
            ("meter", Choice(tuple(style.meters))),
            ("form", Items(section, 2, MAX_SECTIONS)),
            ("instruments", Items(Choice(GM_NAMES[:112]), 0, MAX_INSTRUMENTS)),
        )
    )


def theme_messages(request: SongRequest, base: PlannedSong) -> tuple[Message, ...]:
    """What the model is asked."""
    low, high = _tempo_bounds(base.style)
    wishes = [f"Styles: {', '.join(request.words)}.", f"Length: {request.length}."]
    if request.key:
        wishes.append(f"The key is {request.key}.")
    if request.meter:
        wishes.append(f"The metre is {request.meter}.")
    if request.tempo_bpm:
        wishes.append(f"The tempo is {request.tempo_bpm:g} beats a minute.")
    if request.instruments:
        wishes.append(f"It has: {', '.join(request.instruments)}.")
    if request.without:
        wishes.append(f"It must not have: {', '.join(request.without)}.")
    if request.taken_titles:
        wishes.append(f"Titles not to be used: {', '.join(request.taken_titles[-20:])}.")
    task = (
        "Imagine one instrumental song and answer with one JSON object only, with the keys title (a short poetic title), mood "
        f"(1 to {MAX_MOODS} words), key, tempo_bpm ({low} to {high}), meter, form (2 to {MAX_SECTIONS} sections, each with role, "
        "label: the same letter for the same tune, bars, energy 0 to 100, character), instruments "
        f"(0 to {MAX_INSTRUMENTS} General MIDI names)."
    )
    system = "You are a composer who plans instrumental songs. You answer with JSON and nothing else."
    return (Message("system", system), Message("user", " ".join([task, *wishes])))


def planned_from(answer: str, request: SongRequest, base: PlannedSong, styles: Mapping[str, Style]) -> PlannedSong:
    """The plan with everything usable from an answer. Raises ModelError when there is nothing usable in it."""
    data = _json_object(answer)
    reader = _Reader(data, request, base, styles)
    planned = reader.planned()
    if not reader.used:
        raise ModelError("nothing in its answer can be used.")
    return planned


def _json_object(answer: str) -> Mapping[str, Any]:
    """The first JSON object in a text, which may have prose or a code fence around it. Raises ModelError."""
    text = spoken(answer[:MAX_ANSWER_CHARACTERS])
    start = text.find("{")
    if start >= 0:
        try:
            data, _ = json.JSONDecoder().raw_decode(text[start:])
        except (ValueError, RecursionError):
            data = None
        if isinstance(data, dict):
            return data
    raise ModelError("its answer is empty." if not text.strip() else "its answer is no JSON.")


@dataclass
class _Reader:
    """Takes an answer apart. `used` names what was taken, `repaired` what had to be put right."""

    data: Mapping[str, Any]
    request: SongRequest
    base: PlannedSong
    styles: Mapping[str, Style]
    used: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    def planned(self) -> PlannedSong:
        base, request = self.base, self.request
        moods = self._moods()
        style, _ = resolve_style(self.styles, base.style_names, moods) if moods != base.moods else (base.style, None)
        title, key, meter, instruments = self._title(), self._key(), self._meter(), self._instruments()
        tempo, template = self._tempo(style), self._form()
        try:
            form = plan_form(request.length, meter, tempo, template)
        except UsageError:  # a metre or form that does not fit the length
            self.repaired.append("form")
            meter = base.theme.meter
            form = plan_form(request.length, meter, _style_tempo(style, request), base.theme.form)
        hints = base.theme.hints
        if self.repaired:
            hints = (*hints, f"The model's {', '.join(dict.fromkeys(self.repaired))} did not fit and was put right.")
        theme = replace(
            base.theme, title=title, mood=moods, key=key, meter=meter, instruments=instruments, tempo_bpm=form.tempo_bpm,
            form=form.sections, length_frames=form.length_frames, density=style.density, hints=hints,
        )  # fmt: skip
        return replace(base, theme=theme, style=style, moods=moods)

    def _take(self, name: str) -> Any:
        return self.data.get(name)

    def _moods(self) -> tuple[str, ...]:
        """The user's own moods; where there are none, those of the model that are known."""
        said = self._take("mood")
        words = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        known = dict.fromkeys(word.strip().lower() for word in words if isinstance(word, str))
        moods = tuple(word for word in known if word in mood_words())[:MAX_MOODS]
        if self.base.moods or not moods:
            return self.base.moods
        self.used.append("mood")
        return moods

    def _title(self) -> str:
        said = self._take("title")
        title = (
            " ".join("".join(c if c.isprintable() else " " for c in said).split()).strip("\"'") if isinstance(said, str) else ""
        )
        if not title or not any(c.isalnum() for c in title):
            return self.base.theme.title
        if _REFUSAL.search(title) or title in self.request.taken_titles or len(title) > 3 * MAX_TITLE:
            self.repaired.append("title")
            return self.base.theme.title
        self.used.append("title")
        return title if len(title) <= MAX_TITLE else title[:MAX_TITLE].rsplit(" ", 1)[0]

    def _key(self) -> Key:
        said = self._take("key")
        if self.request.key or not isinstance(said, str):
            return self.base.theme.key
        try:
            key = Key.parse(said)
        except NotationError:
            self.repaired.append("key")
            return self.base.theme.key
        if key.mode not in self.base.style.modes:
            self.repaired.append("key")
            key = Key.from_pc(key.tonic_pc, self.base.theme.key.mode)
        self.used.append("key")
        return key

    def _meter(self) -> Meter:
        said = self._take("meter")
        if self.request.meter or not isinstance(said, str):
            return self.base.theme.meter
        if said not in self.base.style.meters:
            self.repaired.append("metre")
            return self.base.theme.meter
        self.used.append("meter")
        return Meter.parse(said)

    def _tempo(self, style: Style) -> TempoChoice:
        said = self._take("tempo_bpm")
        if self.request.tempo_bpm is not None or isinstance(said, bool) or not isinstance(said, int | float):
            return _style_tempo(style, self.request)
        low, high = style.tempo_min_bpm, style.tempo_max_bpm
        wanted = min(max(float(said), low), high) if said == said else style.tempo_default_bpm
        if wanted != said:
            self.repaired.append("tempo")
        self.used.append("tempo")
        return TempoChoice(max(low, wanted - 4), min(high, wanted + 4), wanted)

    def _form(self) -> Sequence[SectionPlan]:
        said = self._take("form")
        if not isinstance(said, list):
            return self.base.theme.form
        sections = [section for section in map(_section, said[:MAX_SECTIONS]) if section is not None]
        if len(said) > MAX_SECTIONS or len(sections) < min(len(said), MAX_SECTIONS):
            self.repaired.append("form")
        if len(sections) < 2:
            return self.base.theme.form
        self.used.append("form")
        return sections

    def _instruments(self) -> tuple[str, ...]:
        said = self._take("instruments")
        if self.request.instruments or not isinstance(said, list):
            return self.request.instruments
        unwanted = {name.lower() for name in self.request.without}
        names: dict[str, None] = {}
        for word in said[: 4 * MAX_INSTRUMENTS]:
            try:
                name = instrument_named(word[:60].strip().lower()).name if isinstance(word, str) else ""
            except StyleError:
                name = ""
            if not name:
                self.repaired.append("choice of instruments")
            elif name not in unwanted:
                names[name] = None
        if names:
            self.used.append("instruments")
        return tuple(names)[:MAX_INSTRUMENTS]


def _section(said: Any) -> SectionPlan | None:
    """One section of the answer with everything inside its bounds; None for what is no section."""
    if not isinstance(said, dict):
        return None
    role, label = str(said.get("role", "")).strip().lower(), str(said.get("label", "")).strip().upper()[:1]
    if role not in ROLES or not ("A" <= label <= "Z"):
        return None
    bars, energy = _number(said.get("bars"), 8.0), _number(said.get("energy"), 50.0)
    energy = energy if 0 <= energy <= 1 and energy != int(energy) else energy / 100
    character = str(said.get("character", ""))
    character = " ".join("".join(c if c.isprintable() else " " for c in character).split())[:40]
    return SectionPlan(
        label, role, int(min(max(round(bars), MIN_BARS), MAX_BARS)), round(min(max(energy, 0.0), 1.0), 2), character
    )


def _number(value: Any, otherwise: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise
    return number if abs(number) < 1e6 else otherwise


def _style_tempo(style: Style, request: SongRequest) -> TempoChoice:
    if request.tempo_bpm is not None:
        return fixed_tempo(request.tempo_bpm)
    return TempoChoice(style.tempo_min_bpm, style.tempo_max_bpm, style.tempo_default_bpm)


def _tempo_bounds(style: Style) -> tuple[int, int]:
    return int(style.tempo_min_bpm), int(style.tempo_max_bpm)

"""A model in this process as author: every token that it writes obeys the rules of the score."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import dataclass, field, replace

from llm_music_gen.composing.author import Ask, Heard, ReportClock, specs, tune_temperature
from llm_music_gen.composing.prompts import section_prompt
from llm_music_gen.domain.text_model import Exchange, TextModel
from llm_music_gen.errors import ModelError, NotationError
from llm_music_gen.llm.formats import sampling_for
from llm_music_gen.llm.pace import Pace
from llm_music_gen.notation.constraint import AbcConstraint, AbcVocabulary
from llm_music_gen.notation.text import parse_section

_log = logging.getLogger(__name__)
#: Room in the context that is kept free for each bar to be written.
TOKENS_PER_BAR = 40


@dataclass
class LocalAuthor:
    """Asks a loaded model (`composing.author.Author`)."""

    model: TextModel
    format_name: str = "composer-text"
    temperature: float = 0.75
    exchanges: list[Exchange] = field(default_factory=list)
    _vocabulary: AbcVocabulary | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The model's file name."""
        return self.model.name

    def prepare(self) -> None:
        """See `Author`."""
        self._prepared()

    def _prepared(self) -> AbcVocabulary:
        if self._vocabulary is None:
            try:
                self._vocabulary = AbcVocabulary(self.model.pieces(), self.model.end_tokens())
            except NotationError as error:
                raise ModelError(error.message, hint=error.hint) from error
        return self._vocabulary

    def bars(self, ask: Ask) -> Generator[Heard, None, str]:
        """See `Author`. Where the model runs out of room the bars are written in halves."""
        try:
            return (yield from self._written(ask))
        except ModelError:
            if ask.bars == 1:
                raise
        half = ask.bars // 2
        first = yield from self.bars(replace(ask, bars=half, closes=False, opening=ask.opening if half > 1 else ""))
        pitch = ask.previous_pitch if not first else _last_pitch(ask, first)
        rest = replace(
            ask, bars=ask.bars - half, before=ask.before + first, opening="", previous_pitch=pitch, seed=ask.seed + 1
        )  # fmt: skip
        return first + (yield from self.bars(rest))

    def _written(self, ask: Ask) -> Generator[Heard, None, str]:
        constraint = self._constraint(ask)
        opening = constraint.spec.opening
        asked, prompt = self._prompt(ask, opening)
        sampling = replace(
            sampling_for(self.format_name),
            temperature=tune_temperature(self.format_name, self.temperature) * ask.warmth,
            seed=ask.seed,
            max_tokens=max(1, self.model.context_tokens - len(prompt)),
        )
        text, pace, clock = opening, Pace(), ReportClock()
        for piece in pace.counted(self.model.generate(prompt, sampling, constraint=constraint)):
            text += piece
            if clock.due():
                yield Heard(ask.before + text, pace.tokens_per_s)
        _log.info("%s: %.1f tokens a second", self.model.name, pace.tokens_per_s)
        self.exchanges.append(Exchange(f"tune {ask.plan.label}", self.model.name, asked, text[len(opening) :]))
        return text.replace(" ", "").rstrip("\n")

    def _constraint(self, ask: Ask) -> AbcConstraint:
        """The rules for these bars. A vocabulary that cannot write chord symbols writes without them."""
        complaint: NotationError | None = None
        for spec in specs(ask, allow_spaces=self.format_name != "composer-text"):
            try:
                return AbcConstraint(spec, self._prepared())
            except NotationError as error:
                complaint = error
        raise ModelError(f"{self.model.name} cannot write music: {complaint}", hint="Choose another model.")

    def _prompt(self, ask: Ask, opening: str) -> tuple[str, list[int]]:
        """The longest prompt, as text and tokens, that leaves room for the bars.

        It shows all earlier sections, or the first and the last, or fewer."""
        room = self.model.context_tokens - TOKENS_PER_BAR * ask.bars
        earlier = list(ask.earlier)
        choices = [earlier[-keep:] for keep in range(len(earlier), 0, -1)]
        if len(earlier) > 2:
            choices.insert(1, [earlier[0], earlier[-1]])
        for shown in [*choices, []]:
            prompt = section_prompt(ask.theme, self.format_name, ask.plan, shown, ask.before + opening, unit=ask.unit)
            tokens = prompt.tokens(self.model)
            if len(tokens) <= room:
                break
        return prompt.text, tokens


def _last_pitch(ask: Ask, text: str) -> int | None:
    notes = parse_section(text, label="A", key=ask.theme.key, meter=ask.theme.meter, unit=ask.unit).notes
    return notes[-1].pitch if notes else None

"""A model on a server as author. A server offers no mask: it gets the rules as a grammar, and its answer is checked and mended.

Whatever comes back, the bars keep the promises of the score; an answer without music is refused (`NoTune`).
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field, replace

from llm_music_gen.composing.author import Ask, Heard, NoTune, ReportClock, specs, tune_temperature
from llm_music_gen.composing.prompts import section_prompt, section_question
from llm_music_gen.domain.text_model import Exchange
from llm_music_gen.errors import ModelError, NotationError
from llm_music_gen.llm.formats import format_of_name, spoken
from llm_music_gen.llm.openai_server import MAX_ANSWER_TOKENS, OpenAiServer
from llm_music_gen.llm.pace import Pace
from llm_music_gen.notation.automaton import SectionAutomaton
from llm_music_gen.notation.gbnf import section_grammar
from llm_music_gen.notation.mending import Mended, mended
from llm_music_gen.notation.spec import SectionSpec

_log = logging.getLogger(__name__)
#: Room that an answer gets: its bars, and what a model says around them.
TOKENS_PER_BAR, TOKENS_AROUND = 60, 1000


@dataclass
class ServerAuthor:
    """Asks a server (`composing.author.Author`)."""

    server: OpenAiServer
    temperature: float = 0.75
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Model and address."""
        return self.server.name

    def prepare(self) -> None:
        """A server shows only in its answers what it can."""

    def bars(self, ask: Ask) -> Generator[Heard, None, str]:
        """See `Author`. Raises ModelError for a server that is silent, breaks off or answers something else."""
        yield from self._named()
        spec, grammar = _rules(ask)
        asked, answer = "", ""
        pace, clock = Pace(), ReportClock()
        asked, pieces = self._question(ask, spec, grammar)
        with closing(pieces):
            for piece in pace.counted(pieces):
                answer += piece
                if clock.due():
                    yield Heard(spec.opening, pace.tokens_per_s)
        self.exchanges.append(Exchange(f"tune {ask.plan.label}", self.name, asked, answer))
        done = self._mended(answer, spec)
        _log.info("%s: %.1f tokens a second, %d%% kept", self.name, pace.tokens_per_s, round(100 * done.kept))
        return spec.opening + done.text

    def _named(self) -> Generator[Heard, None, None]:
        """Find out once which model it is, because some have a format of their own."""
        if self.server.model:
            return
        for names in self.server.listing():
            if names is None:
                yield Heard("")
            elif names:
                self.server = replace(self.server, model=names[0])
            else:
                raise ModelError(f"{self.name} has no model.", hint="Load one there.")

    def _question(self, ask: Ask, spec: SectionSpec, grammar: str) -> tuple[str, Generator[str, None, None]]:
        """What is asked, for people, and the answer as it comes."""
        kind = format_of_name(self.server.model)
        warmth = tune_temperature(kind or "chat", self.temperature) * ask.warmth
        most = min(MAX_ANSWER_TOKENS, TOKENS_AROUND + TOKENS_PER_BAR * ask.bars)
        if kind:
            prompt = section_prompt(ask.theme, kind, ask.plan, ask.earlier, ask.before + spec.opening, unit=ask.unit)
            stop = prompt.stop or ("\n",)  # composer text has a section on a line
            pieces = self.server.go_on(
                prompt.text, grammar=grammar, temperature=warmth, seed=ask.seed, max_tokens=most, stop=stop
            )
            return prompt.text, pieces
        messages = section_question(ask.theme, ask.plan, ask.bars, ask.earlier, ask.before + spec.opening, unit=ask.unit)
        pieces = self.server.write(messages, grammar=grammar, temperature=warmth, seed=ask.seed, max_tokens=most)
        return "\n\n".join(f"{message.speaker}: {message.text}" for message in messages), pieces

    def _mended(self, answer: str, spec: SectionSpec) -> Mended:
        try:
            return mended(spoken(answer), spec)
        except NotationError as error:
            raise NoTune(f"{self.name} wrote no tune.", hint="Choose another of its models.") from error


def _rules(ask: Ask) -> tuple[SectionSpec, str]:
    """The first rules that can be kept, and as a grammar the first that fit into one ("" if none do)."""
    chosen: SectionSpec | None = None
    for spec in specs(ask, allow_spaces=False):
        try:
            automaton = SectionAutomaton(spec)
            start = automaton.start()
        except NotationError:
            continue
        chosen = chosen or spec
        try:
            return spec, section_grammar(automaton, start)
        except NotationError:
            continue
    if chosen is None:
        raise ModelError(f"{ask.bars} bars of {ask.theme.meter} cannot be written.", hint="Choose another metre.")
    return chosen, ""

"""Bar-wise continuation: one small grammar a bar, each starting from the last good bar."""

from __future__ import annotations

from llm_music_gen.errors import NotationError
from llm_music_gen.notation.automaton import SectionAutomaton, State
from llm_music_gen.notation.gbnf import section_grammar
from llm_music_gen.notation.spec import SectionSpec


class BarwiseGuide:
    """Guides a model that takes grammars but no mask: ask for `next_grammar`, generate, `accept` the answer, until `finished`.

    Keeps every promise of the spec that the mask keeps. Raises NotationError when the spec's promises are too many.
    """

    def __init__(self, spec: SectionSpec) -> None:
        self.spec = spec
        self.text = ""
        """What was accepted so far, without the spec's opening."""
        self._automaton = SectionAutomaton(spec)
        self._state = self._automaton.start()

    @property
    def finished(self) -> bool:
        """Whether the last bar line stands."""
        return self._automaton.finished(self._state)

    def next_grammar(self) -> str:
        """GBNF of the next bar with its bar line."""
        return section_grammar(self._automaton, self._state, bars=1)

    def accept(self, text: str) -> None:
        """Advance by the text of whole bars. Raises NotationError, and stays where it was, if the text does not fit."""
        state: State | None = self._state
        for position, character in enumerate(text):
            state = self._automaton.step(state, character) if state is not None else None
            if state is None:
                raise NotationError(f"The bar does not fit at character {position + 1}.", hint="Generate it under the grammar.")
        assert state is not None
        self._state = state
        self.text += text

"""The token mask: which tokens of any vocabulary keep the composer text well-formed and completable."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import NotationError
from llm_music_gen.notation.automaton import SectionAutomaton, State
from llm_music_gen.notation.memo import Graph
from llm_music_gen.notation.rhythm import Mode
from llm_music_gen.notation.spec import SectionSpec
from llm_music_gen.notation.vocabulary import AbcVocabulary

MAX_MASKS = 4_000
__all__ = ["AbcConstraint", "AbcVocabulary"]


class AbcConstraint:
    """Guides the writing of one section (`domain.text_model.TokenConstraint`).

    `vocabulary` is prepared once per model (`AbcVocabulary(model.pieces(), model.end_tokens())`) and remembers its masks between
    sections and songs. Writing goes on after `spec.opening`; `text` holds what was written since. The section is finished with
    its last bar line; after that only end tokens are permitted. Raises NotationError when the vocabulary cannot keep a promise.
    """

    def __init__(self, spec: SectionSpec, vocabulary: AbcVocabulary) -> None:
        self.spec = spec
        self.vocabulary = vocabulary
        self.automaton = SectionAutomaton(spec, vocabulary.alphabet)
        self.text = ""
        self._state = self.automaton.start()
        self._recent = vocabulary.masks

    @classmethod
    def for_pieces(cls, spec: SectionSpec, pieces: Sequence[bytes], end_tokens: Iterable[int] = ()) -> AbcConstraint:
        """A constraint with a vocabulary of its own."""
        return cls(spec, AbcVocabulary(pieces, end_tokens))

    @property
    def state(self) -> State:
        """Where the section stands."""
        return self._state

    @property
    def finished(self) -> bool:
        """Whether the last bar line stands."""
        return self.automaton.finished(self._state)

    def allowed(self) -> NDArray[np.bool_]:
        """Mask over the vocabulary, shape (n_vocab,)."""
        if self.finished:
            return self.vocabulary.end_mask()
        return self.vocabulary.full_mask(self._permitted())

    def accept(self, token_id: int) -> None:
        """Advance by one token. Raises NotationError for a token that `allowed` did not permit."""
        if self.finished and token_id in self.vocabulary.end_tokens:
            return
        piece = self.vocabulary.text_of.get(token_id)
        state: State | None = self._state if piece is not None else None
        for character in piece or "":
            state = self.automaton.step(state, character) if state is not None else None
        if state is None or piece is None:
            raise NotationError(
                f"Token {token_id} does not fit the score at this point.", hint="Sample from allowed tokens only."
            )
        self._state = state
        self.text += piece

    def _permitted(self) -> NDArray[np.bool_]:
        rhythm, melody, memory = self._state
        vocabulary, automaton = self.vocabulary, self.automaton
        if memory.coupled:
            shared = State(automaton.rhythm.canonical(rhythm), melody, memory)
            by_both = self._recall((automaton.spec, shared), lambda: vocabulary.literal.permitted(Graph(automaton.step), shared))
            return by_both & ~vocabulary.crosses_bar
        quoted = rhythm.mode == Mode.CHORD
        rhythm_classes = vocabulary.literal if quoted else vocabulary.rhythm
        melody_classes = vocabulary.literal if quoted else vocabulary.melody
        shared_rhythm = automaton.rhythm.canonical(rhythm)
        by_rhythm = self._recall(
            (automaton.rhythm, shared_rhythm), lambda: rhythm_classes.permitted(automaton.rhythm.graph, shared_rhythm)
        )
        by_melody = self._recall((automaton.melody, melody), lambda: melody_classes.permitted(automaton.melody.graph, melody))
        permitted = by_rhythm & by_melody
        return permitted & ~vocabulary.crosses_bar if rhythm.hold else permitted

    def _recall(self, key: tuple[Hashable, ...], work_out: Callable[[], NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """A mask from memory, or worked out and remembered."""
        known = self._recent.get(key)
        if known is None:
            known = self._recent[key] = work_out()
            if len(self._recent) > MAX_MASKS:
                self._recent.popitem(last=False)
        else:
            self._recent.move_to_end(key)
        return known

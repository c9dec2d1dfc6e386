"""The port between language models and the rooms that use them, and the constraint that guides sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are drawn."""

    temperature: float = 0.75
    top_k: int = 0
    """0 = off."""
    top_p: float = 1.0
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    seed: int = 0
    max_tokens: int = 1024


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question to a model and what it answered, as kept beside the song."""

    purpose: str
    """theme, or tune and the section's label."""
    model: str
    prompt: str
    answer: str


class TokenConstraint(Protocol):
    """Says which tokens may come next. One instance guides one generation; it remembers where it is."""

    def allowed(self) -> NDArray[np.bool_]:
        """Mask over the vocabulary, shape (n_vocab,). Never all False unless `finished`. Not to be written to."""
        ...

    def accept(self, token_id: int) -> None:
        """Advance by one token that `allowed` permitted. Raises NotationError for one it did not."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the text is complete; generation stops here."""
        ...


class TextModel(Protocol):
    """A loaded language model. Not thread-safe; close it when done."""

    @property
    def name(self) -> str:
        """File name or address, for people and recipes."""
        ...

    @property
    def architecture(self) -> str:
        """As in GGUF `general.architecture`, or "" when unknown."""
        ...

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""
        ...

    def pieces(self) -> Sequence[bytes]:
        """The bytes that each token id writes; b"" for control tokens. Length n_vocab."""
        ...

    def end_tokens(self) -> frozenset[int]:
        """Token ids that end an answer."""
        ...

    def tokenize(self, text: str, *, special: bool = False, add_bos: bool = False) -> list[int]:
        """Text -> token ids."""
        ...

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        *,
        constraint: TokenConstraint | None = None,
        stop: Sequence[str] = (),
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Yield text as it is written. With a constraint, every token obeys it and generation ends when it is finished.

        Raises ModelError when the model fails, the context is full, or the constraint raises.
        """
        ...

    def close(self) -> None:
        """Free the memory."""
        ...

"""A language model that writes what the test scripted: a small real `TextModel`, inspectable afterwards.

Its vocabulary is one token a byte plus an end token, or any pieces the test gives. With a constraint it writes the script as far
as the constraint allows, then what a seeded random choice among the allowed tokens gives, like a model that knows no better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from llm_music_gen.domain.text_model import Sampling, TokenConstraint
from llm_music_gen.errors import ModelError

BYTES = tuple(bytes([value]) for value in range(256))


@dataclass
class Call:
    """One generation that was asked for."""

    prompt: str
    sampling: Sampling
    stop: tuple[str, ...]
    constrained: bool
    written: str = ""


@dataclass
class ScriptedModel:
    """Answers with `answers` in turn, the last one again and again; random where there are none."""

    answers: Sequence[str | ModelError] = ()
    name: str = "scripted.gguf"
    architecture: str = "scripted"
    context_tokens: int = 4096
    vocabulary: tuple[bytes, ...] = BYTES
    calls: list[Call] = field(default_factory=list)
    closed: bool = False

    def pieces(self) -> Sequence[bytes]:
        return (*self.vocabulary, b"")

    def end_tokens(self) -> frozenset[int]:
        return frozenset({len(self.vocabulary)})

    def tokenize(self, text: str, *, special: bool = False, add_bos: bool = False) -> list[int]:
        """The longest piece that fits, from left to right."""
        data, tokens = text.encode("utf-8"), []
        while data:
            fitting = [token for token, piece in enumerate(self.vocabulary) if piece and data.startswith(piece)]
            if not fitting:
                raise ModelError(f"No token of {self.name} writes {data[:8]!r}.")
            token = max(fitting, key=lambda candidate: len(self.vocabulary[candidate]))
            tokens.append(token)
            data = data[len(self.vocabulary[token]) :]
        return tokens

    def generate(
        self,
        prompt: Sequence[int],
        sampling: Sampling,
        *,
        constraint: TokenConstraint | None = None,
        stop: Sequence[str] = (),
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        if self.closed:
            raise ModelError(f"The model {self.name} was closed.")
        call = Call(self._text(prompt), sampling, tuple(stop), constraint is not None)
        self.calls.append(call)
        answer = self.answers[min(len(self.calls), len(self.answers)) - 1] if self.answers else ""
        if isinstance(answer, ModelError):
            raise answer
        tokens = (
            self._constrained(answer, sampling, constraint) if constraint else iter(self.tokenize(answer)[: sampling.max_tokens])
        )
        for token in tokens:
            if cancelled is not None and cancelled():
                return
            call.written += self._text([token])
            yield self._text([token])

    def _free(self, answer: str, sampling: Sampling, stop: Sequence[str]) -> list[int]:
        cuts = [answer.find(text) for text in stop if text in answer]
        return self.tokenize(answer[: min(cuts, default=len(answer))])[: sampling.max_tokens]

    def _constrained(self, answer: str, sampling: Sampling, constraint: TokenConstraint) -> Iterator[int]:
        random = np.random.default_rng(sampling.seed)
        script, on_script = iter(self.tokenize(answer)), bool(answer)
        for _ in range(sampling.max_tokens):
            if constraint.finished:
                return
            allowed = constraint.allowed()
            token = next(script, None) if on_script else None
            if token is None or not allowed[token]:
                on_script = False
                token = int(random.choice(np.flatnonzero(allowed)))
            constraint.accept(token)
            yield token
        if not constraint.finished:
            raise ModelError(f"{self.name} has written {sampling.max_tokens} tokens without finishing; allow it more.")

    def _text(self, tokens: Sequence[int]) -> str:
        pieces = self.pieces()
        return b"".join(pieces[token] for token in tokens).decode("utf-8", errors="replace")

    def close(self) -> None:
        self.closed = True

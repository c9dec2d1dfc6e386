"""Asks a model in this process for JSON: the question in the model's own format, the answer held to the shape as it is written.

Because the answer ends when its last bracket closes, models that forget to end theirs (ILM3) need no bias on their end token.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.llm.formats import CHAT_FORMATS, Message, Prompt, chat_prompt, sampling_for
from llm_music_gen.llm.json_constraint import JsonConstraint, JsonVocabulary, Shape


@dataclass
class LocalChat:
    """A loaded model that answers questions in JSON."""

    model: TextModel
    format_name: str
    _vocabulary: JsonVocabulary | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The model's file name."""
        return self.model.name

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        """JSON of this shape. Raises ModelError when the model fails or its context is too small for question and answer."""
        return "".join(self.answering(messages, shape, seed=seed))

    def answering(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> Generator[str, None, None]:
        """The same as it is written."""
        if self._vocabulary is None:
            self._vocabulary = JsonVocabulary(self.model.pieces(), self.model.end_tokens())
        tokens = question(self.format_name, messages).tokens(self.model)
        sampling = replace(sampling_for(self.format_name), seed=seed, max_tokens=max(1, self.model.context_tokens - len(tokens)))
        constraint = JsonConstraint(shape, self._vocabulary)
        yield from self.model.generate(tokens, sampling, constraint=constraint)


def question(format_name: str, messages: Sequence[Message]) -> Prompt:
    """The prompt in the model's own format; models without one get the texts, one below the other."""
    if format_name in CHAT_FORMATS:
        return chat_prompt(format_name, messages)
    text = "\n\n".join(message.text for message in messages)
    return Prompt(text + "\n\n", special=False, add_bos=True)

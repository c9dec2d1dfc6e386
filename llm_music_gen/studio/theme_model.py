"""The model that imagines themes: a GGUF file, loaded when it is first asked, or a server.

Beside the model that writes the tunes it stays in memory only where both fit; otherwise one is freed for the other.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from llm_music_gen.composing.model_theme import Chat, ModelThemeWriter
from llm_music_gen.composing.theme import BuiltInThemeWriter, ThemeWriter
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.chat import LocalChat
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_constraint import Shape
from llm_music_gen.llm.memory import available_bytes
from llm_music_gen.llm.openai_server import OpenAiServer
from llm_music_gen.studio.writer_model import Writer, WriterModel, server_of

__all__ = ["FileChat", "imagined_by", "server_of"]


@dataclass
class FileChat:
    """A GGUF file that answers questions."""

    model: WriterModel
    beside: Writer
    """Who writes the tunes."""
    _chat: LocalChat | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.model.path.name

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        """The whole answer. Raises like `answering`."""
        return "".join(self.answering(messages, shape, seed=seed))

    def answering(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> Generator[str, None, None]:
        """See `composing.model_theme.Chat`."""
        twin = self.beside if isinstance(self.beside, WriterModel) and self.beside.path == self.model.path else None
        available = available_bytes()
        both = twin is not None or available is None or self.model.needed_bytes() + self.beside.needed_bytes() <= available
        if not both and not self.model.is_loaded:
            self.beside.close()
        model = (twin or self.model).loaded()
        if self._chat is None or self._chat.model is not model:
            self._chat = LocalChat(model, self.model.format_name)
        try:
            yield from self._chat.answering(messages, shape, seed=seed)
        finally:
            if not both:
                self._chat = None
                self.model.close()


def imagined_by(model: WriterModel | None, server: OpenAiServer | None, beside: Writer) -> ThemeWriter:
    """Who makes the themes: the file where one is named, else the server, else the word tables.

    Raises ModelError for a file that cannot hold a conversation.
    """
    chat: Chat
    if model is not None:
        if model.format_name == "composer-text":
            raise ModelError(f"{model.path.name} writes tunes, not themes.", hint="Choose a chat model for the themes.")
        chat = FileChat(model, beside)
    elif server is not None:
        chat = server
    else:
        return BuiltInThemeWriter()
    return ModelThemeWriter(chat)

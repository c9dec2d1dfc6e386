"""The model that imagines themes: a GGUF file, loaded when it is first asked, or a server.

Beside the model that writes the tunes it stays in memory only where both fit; otherwise one is freed for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from llm_music_gen.composing.model_theme import Chat, ModelThemeWriter
from llm_music_gen.composing.theme import BuiltInThemeWriter, ThemeWriter
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.chat import LocalChat
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_constraint import Shape
from llm_music_gen.llm.memory import available_bytes
from llm_music_gen.llm.openai_server import OpenAiServer
from llm_music_gen.settings import Settings
from llm_music_gen.studio.writer_model import WriterModel


@dataclass
class FileChat:
    """A GGUF file that answers questions."""

    model: WriterModel
    beside: WriterModel
    """What writes the tunes."""
    _chat: LocalChat | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.model.path.name

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        """See `composing.model_theme.Chat`."""
        same = self.model.path == self.beside.path
        available = available_bytes()
        both = same or available is None or self.model.needed_bytes() + self.beside.needed_bytes() <= available
        if not both and not self.model.is_loaded:
            self.beside.close()
        model = (self.beside if same else self.model).loaded()
        if self._chat is None or self._chat.model is not model:
            self._chat = LocalChat(model, self.model.format_name)
        try:
            return self._chat.answer(messages, shape, seed=seed)
        finally:
            if not both:
                self._chat = None
                self.model.close()


def imagined_by(model: WriterModel | None, server: OpenAiServer | None, beside: WriterModel) -> ThemeWriter:
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


def server_of(settings: Settings, address: str) -> OpenAiServer | None:
    """The server at an address, or the setting's. Raises UsageError for what is no address."""
    url = address or settings.server
    return OpenAiServer(url, settings.server_model) if url else None

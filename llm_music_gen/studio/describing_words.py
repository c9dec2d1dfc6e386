"""A model's words for the facts: it may say them more nicely, and nothing else. What it says is checked, twice at most."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from llm_music_gen.describing.caption import caption
from llm_music_gen.describing.claims import Fault, faults
from llm_music_gen.describing.facts import Facts
from llm_music_gen.errors import ModelError, StudioError
from llm_music_gen.llm.chat import LocalChat
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_constraint import Fields, Shape, Text
from llm_music_gen.llm.openai_server import OpenAiServer
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.writer_model import WriterModel

_log = logging.getLogger(__name__)
MOST_CHARACTERS = 1_200
#: How often a caption that says something else is sent back.
TIMES_SENT_BACK = 2
SHAPE: Shape = Fields((("caption", Text(MOST_CHARACTERS)),))
_RULES = (
    "You describe sounds for people in one paragraph of plain English, at most 120 words. You are given sentences that hold "
    "every fact. Say them in your own words. Name every kind of sound that they name. Keep at least two numbers with their "
    "units exactly as they are written. Invent nothing: no other kind of sound, place, number, instrument, mood or reason. "
    'Say that moods are estimates. Answer with JSON only: {"caption": "..."}.'
)


class Chat(Protocol):
    """Whoever answers questions: a model in this process, or a server."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        """JSON of this shape. Raises ModelError."""
        ...


@dataclass
class FileChat:
    """A GGUF file, loaded for the first caption."""

    model: WriterModel
    _chat: LocalChat | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.model.path.name

    def answer(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> str:
        """See `Chat`."""
        if self._chat is None:
            self._chat = LocalChat(self.model.loaded(), self.model.format_name)
        return self._chat.answer(messages, shape, seed=seed)


def chat_for(paths: StudioPaths, settings: Settings, model: str = "") -> Chat | None:
    """The model or server that words captions: the one named, else the settings' theme model or server, else none.

    Raises ModelError for a model that is not there or does not talk, UsageError for what is no address.
    """
    name = model or settings.theme_model
    if name:
        chosen = WriterModel.choose(name, settings, paths.models_dir)
        if chosen.format_name == "composer-text":
            raise ModelError(f"{chosen.path.name} writes tunes, not sentences.", hint="Choose a chat model.")
        return FileChat(chosen)
    return OpenAiServer(settings.server, settings.server_model) if settings.server else None


def worded(facts: Facts, chat: Chat | None, *, seed: int = 0) -> tuple[str, str, str]:
    """(caption, who wrote it, what should be said about that). Without a model, and where a model keeps saying what the facts do
    not, the caption is the studio's own."""
    own = caption(facts)
    if chat is None:
        return own, "studio", ""
    messages = [Message("system", _RULES), Message("user", own)]
    wrong: list[Fault] = []
    for turn in range(1 + TIMES_SENT_BACK):
        try:
            answer = chat.answer(messages, SHAPE, seed=seed + turn)
        except StudioError as error:
            _log.warning("the caption could not be worded by %s: %s", chat.name, error)
            return own, "studio", f"{chat.name} did not answer ({error}); the words are the studio's own."
        text = caption_in(answer)
        wrong = faults(text, facts) if text else [Fault(answer[:40], "no caption")]
        if not wrong:
            return text, chat.name, ""
        complaint = "; ".join(str(fault) for fault in wrong[:6])
        messages += [Message("assistant", answer), Message("user", f"That is not right: {complaint}. Say only what was given.")]
    _log.info("the caption by %s was dropped: %s", chat.name, "; ".join(map(str, wrong)))
    return own, "studio", f"{chat.name} said what was not measured ({wrong[0]}); the words are the studio's own."


def caption_in(answer: str) -> str:
    """The caption of an answer, in one line; "" where there is none."""
    start = answer.find("{")
    try:
        data, _ = json.JSONDecoder().raw_decode(answer[start:]) if start >= 0 else ({}, 0)
    except (ValueError, RecursionError):
        return ""
    text = data.get("caption") if isinstance(data, dict) else None
    return " ".join(text.split())[:MOST_CHARACTERS] if isinstance(text, str) else ""

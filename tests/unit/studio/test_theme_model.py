"""Who imagines the themes, and that two models stay in memory together only where both fit."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.model_theme import ModelThemeWriter
from llm_music_gen.composing.theme import BuiltInThemeWriter, SongRequest
from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_constraint import Fields, Text
from llm_music_gen.llm.openai_server import OpenAiServer
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.settings import Settings
from llm_music_gen.studio import theme_model
from llm_music_gen.studio.theme_model import FileChat, imagined_by, server_of
from llm_music_gen.studio.writer_model import WriterModel
from llm_music_gen.styles import load_styles
from tests.fakes.model_server import Handler, scripted_server, wait_for_the_end
from tests.fakes.scripted_model import ScriptedModel

SHAPE = Fields((("title", Text(8)),))
ASK = (Message("user", "A title"),)


class Scripted(WriterModel):
    """A file of 100 bytes of memory."""

    def loaded(self) -> TextModel:
        if self._loaded is None:
            self._loaded = ScriptedModel(['{"title": "Rain"}'], name=self.path.name)
        return self._loaded

    @property
    def format_name(self) -> str:
        return "chatml"

    def needed_bytes(self) -> int:
        return 0 if self.is_loaded else 100


@pytest.mark.parametrize(("free", "stay"), [(1000, True), (None, True), (150, False)])
def test_both_models_stay_only_where_both_fit(monkeypatch: pytest.MonkeyPatch, free: int | None, stay: bool) -> None:
    monkeypatch.setattr(theme_model, "available_bytes", lambda: free)
    talks, writes = Scripted(Path("talks.gguf"), Settings()), Scripted(Path("writes.gguf"), Settings())
    if stay:
        writes.loaded()
    assert FileChat(talks, writes).answer(ASK, SHAPE, seed=0) == '{"title": "Rain"}'
    assert (talks.is_loaded, writes.is_loaded) == (stay, stay)


def test_one_file_for_both_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme_model, "available_bytes", lambda: 1000)
    talks, writes = Scripted(Path("one.gguf"), Settings()), Scripted(Path("one.gguf"), Settings())
    FileChat(talks, writes).answer(ASK, SHAPE, seed=0)
    assert not talks.is_loaded and writes.is_loaded


def test_the_word_tables_imagine_where_nobody_else_is_named() -> None:
    beside = Scripted(Path("w.gguf"), Settings())
    assert isinstance(imagined_by(None, None, beside), BuiltInThemeWriter)
    assert server_of(Settings(), "") is None
    assert isinstance(imagined_by(None, server_of(Settings(server="http://127.0.0.1:9/v1"), ""), beside), ModelThemeWriter)


def test_the_built_in_composer_holds_no_conversation() -> None:
    composer = WriterModel(built_in_composer(), Settings())
    with pytest.raises(ModelError, match="writes tunes, not themes"):
        imagined_by(composer, None, composer)


def test_a_server_that_is_not_there_costs_a_remark() -> None:
    writer = ModelThemeWriter(OpenAiServer("http://127.0.0.1:9/v1", "tiny"))
    planned = writer.plan(SongRequest(("Chill",), parse_length("1")), load_styles(), np.random.default_rng(0))
    assert planned.theme.title and "the word tables decided" in planned.theme.hints[-1]


def test_who_leaves_while_a_silent_server_imagines_closes_the_connection() -> None:
    closed = threading.Event()

    def mute(handler: Handler, _: object) -> None:
        if wait_for_the_end(handler):
            closed.set()

    with scripted_server() as server:
        writer = ModelThemeWriter(server.behaves(mute))
        work = writer.planning(SongRequest(("Chill",), parse_length("1")), load_styles(), np.random.default_rng(0))
        report = next(work)
        while not server.requests:
            report = next(work)
        next(work)
        work.close()
        assert closed.wait(5)
    assert report.stage == "theme" and "imagines" in report.message

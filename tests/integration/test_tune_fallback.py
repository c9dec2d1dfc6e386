"""A model of the user's own that fails while it writes costs a remark, not the song."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.theme import SongRequest, plan_theme
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.settings import Settings
from llm_music_gen.studio.song import tune_stage
from llm_music_gen.studio.writer_model import WriterModel
from llm_music_gen.styles import load_styles
from tests.fakes.scripted_model import ScriptedModel


class Failing(WriterModel):
    """Loads, and then breaks off."""

    loads = 0

    def loaded(self) -> TextModel:
        self.loads += 1
        return ScriptedModel([ModelError("It broke off.")])

    @property
    def format_name(self) -> str:
        return "chatml"


class Shop:
    """As much of a workshop as the tune needs."""

    temperature = 0.75

    def __init__(self, writer: WriterModel) -> None:
        self.writer = writer


def test_it_is_asked_again_and_then_the_built_in_composer_writes() -> None:
    styles = load_styles()
    planned = plan_theme(SongRequest(("folk",), parse_length("10s")), styles, np.random.default_rng(0))
    writer = Failing(Path("mine.gguf"), Settings())
    planned, tune, wrote = finish(tune_stage(planned, 1, cast(Any, Shop(writer))))
    assert writer.loads == 2
    assert isinstance(wrote, WriterModel) and wrote.path == built_in_composer()
    assert tune.sheet.sections and tune.exchanges
    assert planned.theme.hints[-1] == "mine.gguf failed (It broke off); the built-in composer wrote the tune."


def test_the_built_in_composer_has_nobody_behind_it() -> None:
    styles = load_styles()
    planned = plan_theme(SongRequest(("folk",), parse_length("10s")), styles, np.random.default_rng(0))
    with pytest.raises(ModelError, match="broke off"):
        finish(tune_stage(planned, 1, cast(Any, Shop(Failing(built_in_composer(), Settings())))))

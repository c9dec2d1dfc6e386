"""Who writes the tunes: chosen, measured, tried and loaded as the settings say."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.errors import ModelError, UsageError
from llm_music_gen.llm.backend import thread_count
from llm_music_gen.llm.offload import Gpu
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.settings import Settings
from llm_music_gen.studio import writer_model
from llm_music_gen.studio.writer_model import ServerWriter, WriterModel, names_server, server_of, server_writer
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model
from tests.fakes.scripted_model import ScriptedModel


@dataclass
class Loading:
    """What was asked of the loader, in order."""

    free_bytes: int | None = None
    gpu: Gpu | None = None
    steps: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def tried(self, path: Path, **options: Any) -> None:
        self.steps.append(("tried", options))

    def loaded(self, path: Path, **options: Any) -> TextModel:
        self.steps.append(("loaded", options))
        return ScriptedModel()


@pytest.fixture
def loading(monkeypatch: pytest.MonkeyPatch) -> Loading:
    loads = Loading()
    monkeypatch.setattr(writer_model, "available_bytes", lambda: loads.free_bytes)
    monkeypatch.setattr(writer_model, "usable_gpu", lambda: loads.gpu)
    monkeypatch.setattr(writer_model, "try_model", loads.tried)
    monkeypatch.setattr(writer_model, "load_model", loads.loaded)
    return loads


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return write_model(tmp_path / "own.gguf", character_vocabulary(), Shape(layers=3, width=32, hidden=32))


def test_a_model_is_tried_and_then_loaded_once_as_the_settings_say(loading: Loading, own: Path) -> None:
    writer = WriterModel(own, Settings(thread_fraction=0.5, context_tokens=512))
    assert writer.loaded() is writer.loaded()
    options = {"threads": thread_count(0.5), "gpu_layers": 0}
    assert loading.steps == [("tried", options), ("loaded", {**options, "context_tokens": 512})]


def test_what_does_not_fit_is_neither_tried_nor_loaded(loading: Loading, own: Path) -> None:
    loading.free_bytes = 1000
    with pytest.raises(ModelError, match=r"own\.gguf needs"):
        WriterModel(own, Settings()).loaded()
    assert loading.steps == []


@pytest.mark.parametrize(("asked", "layers"), [(-1, 4), (2, 2), (0, 0)])
def test_layers_go_to_the_graphics_card_and_are_not_needed_here(loading: Loading, own: Path, asked: int, layers: int) -> None:
    loading.gpu = Gpu(8 * 2**30)
    needed = WriterModel(own, Settings()).needed_bytes()
    loading.free_bytes = needed * (4 - layers) // 4
    WriterModel(own, Settings(gpu_layers=asked)).loaded()
    assert [options["gpu_layers"] for _, options in loading.steps] == [layers, layers]


def test_the_built_in_composer_stays_on_the_processor_and_is_not_tried(loading: Loading) -> None:
    loading.gpu = Gpu(8 * 2**30)
    WriterModel(built_in_composer(), Settings()).loaded()
    [(step, options)] = loading.steps
    assert step == "loaded" and options["gpu_layers"] == 0 and options["context_tokens"] == 4096


def test_a_server_is_meant_by_its_word_only() -> None:
    assert names_server("server") and names_server("server:chatmusician")
    assert not names_server("server.gguf") and not names_server("")


def test_one_of_the_servers_models_can_be_named() -> None:
    settings = Settings(server="http://127.0.0.1:11434/v1", server_model="ilm3")
    assert server_writer("server", settings, "").server.model == "ilm3"
    assert server_writer("server:chatmusician", settings, "").name == "chatmusician at 127.0.0.1:11434"
    named = server_of(settings, "http://127.0.0.1:1234/v1")
    assert named is not None and (named.base_url, named.model) == ("http://127.0.0.1:1234/v1", "ilm3")


def test_a_server_takes_no_memory_and_needs_an_address() -> None:
    writer = server_writer("server", Settings(), "http://127.0.0.1:9/v1")
    assert isinstance(writer, ServerWriter) and (writer.needed_bytes(), writer.is_loaded, writer.is_built_in) == (0, False, False)
    writer.make_ready()
    with pytest.raises(UsageError, match="not known where the server is"):
        server_writer("server", Settings(), "")

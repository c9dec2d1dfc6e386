"""Small real models, written once a session, and both bindings to load them with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.llm.backend import binding_names, installed_bindings, load_model
from tests.fakes.gguf_writer import (
    Shape,
    bpe_vocabulary,
    character_vocabulary,
    chatml_vocabulary,
    sentencepiece_vocabulary,
    write_model,
)

VOCABULARIES = {
    "characters": character_vocabulary,
    "bpe": lambda: bpe_vocabulary(20_000),
    "chatml": chatml_vocabulary,
    "sentencepiece": sentencepiece_vocabulary,
}
ModelFile = Callable[[str], Path]
Load = Callable[..., TextModel]


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    """Path of the random model with the vocabulary of that name."""
    folder = tmp_path_factory.mktemp("models")

    def path(name: str) -> Path:
        file = folder / f"{name}.gguf"
        return file if file.exists() else write_model(file, VOCABULARIES[name](), Shape(layers=1, width=32, hidden=64))

    return path


@pytest.fixture(params=binding_names())
def binding(request: pytest.FixtureRequest) -> str:
    """Each binding in turn; skipped where it is not installed."""
    name = str(request.param)
    if name not in installed_bindings():
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def load(binding: str, model_file: ModelFile) -> Iterator[Load]:
    """Loads a model by its vocabulary's name through the binding under test, and closes it afterwards."""
    opened: list[TextModel] = []

    def loader(name: str, context_tokens: int = 512, threads: int = 1) -> TextModel:
        model = load_model(model_file(name), binding=binding, threads=threads, context_tokens=context_tokens)
        opened.append(model)
        return model

    yield loader
    for model in opened:
        model.close()

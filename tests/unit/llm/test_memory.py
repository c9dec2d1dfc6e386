"""What a model needs in memory, known before it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.gguf import read_gguf_header
from llm_music_gen.llm.memory import available_bytes, check_fits, needed_bytes
from tests.fakes.gguf_writer import Shape, character_vocabulary, write_model


def test_the_cache_grows_with_the_context_up_to_what_the_model_knows(tmp_path: Path) -> None:
    header = read_gguf_header(write_model(tmp_path / "m.gguf", character_vocabulary(), Shape(layers=2, width=64, hidden=64)))
    short, longer = needed_bytes(header, 100), needed_bytes(header, 200)
    assert longer - short == 100 * 2 * 64 * 2 * 2  # tokens x layers x width x (keys, values) x 2 bytes
    assert short > header.size_bytes
    assert needed_bytes(header, 10**9) == needed_bytes(header, header.context_tokens)


def test_a_model_that_does_not_fit_is_refused_in_one_sentence(tmp_path: Path) -> None:
    header = read_gguf_header(write_model(tmp_path / "m.gguf", character_vocabulary()))
    check_fits(header, 2048, None)
    check_fits(header, 2048, 10**12)
    with pytest.raises(ModelError, match=r"m\.gguf needs .* GB of memory"):
        check_fits(header, 2048, 1000)


def test_this_computer_says_what_is_free_or_nothing() -> None:
    free = available_bytes()
    assert free is None or 2**20 < free < 2**50

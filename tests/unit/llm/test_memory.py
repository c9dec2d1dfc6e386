"""What a model needs in memory, known before it is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.gguf import read_gguf_header
from llm_music_gen.llm.memory import available_bytes, cache_bytes, check_fits, needed_bytes, suitable_context
from llm_music_gen.llm.offload import Gpu, layers_to_try
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


def test_layers_on_the_graphics_card_are_not_needed_here(tmp_path: Path) -> None:
    header = read_gguf_header(write_model(tmp_path / "m.gguf", character_vocabulary(), Shape(layers=3)))
    needed = needed_bytes(header, 2048)
    check_fits(header, 2048, needed // 2 + 1, gpu_layers=2)
    check_fits(header, 2048, 0, gpu_layers=4)
    with pytest.raises(ModelError, match="of memory"):
        check_fits(header, 2048, needed // 2 - 1, gpu_layers=2)


def test_the_context_is_as_long_as_a_song_needs_and_its_cache_can_be(tmp_path: Path) -> None:
    small = read_gguf_header(write_model(tmp_path / "m.gguf", character_vocabulary()))
    assert suitable_context(small) == 4096
    # ChatMusician: 32 layers, 32 heads of 128, no sharing: 2 GiB for 4,096 tokens. ILM3: 48 layers, 2 KV heads of 128.
    musician = replace(small, metadata={**small.metadata, **_sizes(32, 4096, 32, 32)})
    assert cache_bytes(musician, 4096) == 2 * 2**30 and suitable_context(musician) == 2048
    ilm3 = replace(small, metadata={**small.metadata, **_sizes(48, 4096, 32, 2)})
    assert suitable_context(ilm3) == 4096


def _sizes(layers: int, width: int, heads: int, kv_heads: int) -> dict[str, int]:
    return {
        "llama.block_count": layers,
        "llama.embedding_length": width,
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": kv_heads,
        "llama.context_length": 32_768,
    }


GIB = 2**30


@pytest.mark.parametrize(
    ("asked", "gpu", "begin"),
    [
        (-1, None, 0),
        (20, None, 0),
        (0, Gpu(8 * GIB), 0),
        (-1, Gpu(None), 33),
        (-1, Gpu(24 * GIB), 33),
        (-1, Gpu(4 * GIB), 17),
        (-1, Gpu(GIB // 2), 0),
        (20, Gpu(GIB // 2), 20),
        (99, Gpu(None), 33),
    ],
)
def test_as_many_layers_go_to_the_card_as_its_memory_takes(asked: int, gpu: Gpu | None, begin: int) -> None:
    """A model of 32 layers that needs 6.6 GiB: 0.2 GiB a layer, and 600 MiB are left to the card."""
    assert layers_to_try(asked, 32, int(6.6 * GIB), gpu) == begin

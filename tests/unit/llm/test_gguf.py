"""The header reader on real files and on hostile ones."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.gguf import read_gguf_header, split_parts
from llm_music_gen.llm.gguf_tables import FILE_TYPES, TENSOR_BLOCKS
from tests.fakes.broken_gguf import HOSTILE, start, text
from tests.fakes.gguf_writer import CHATML_TEMPLATE, Shape, character_vocabulary, chatml_vocabulary, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shape = Shape(dtype="q8_0", metadata={"general.basename": "Tiny", "llm_music_gen.format": "composer-text-1"})
    return write_model(tmp_path_factory.mktemp("gguf") / "tiny.gguf", chatml_vocabulary(), shape)


def test_a_header_tells_what_the_model_is(model: Path) -> None:
    header = read_gguf_header(model)
    assert (header.architecture, header.layers, header.context_tokens) == ("llama", 2, 2048)
    assert (header.quantization, header.vocabulary_size, header.version) == ("Q8_0", 2000, 3)
    assert header.size_bytes == model.stat().st_size
    assert header.chat_template == CHATML_TEMPLATE
    assert header.text("llm_music_gen.format") == "composer-text-1"
    assert header.parameters == sum(int(np.prod(tensor.shape)) for tensor in gguf.GGUFReader(model).tensors)
    assert "tokenizer.ggml.tokens" not in header.metadata


def test_arrays_come_when_asked_for(model: Path) -> None:
    header = read_gguf_header(model, arrays=["tokenizer.ggml.tokens"])
    assert header.metadata["tokenizer.ggml.tokens"] == chatml_vocabulary().tokens


def test_the_tables_are_those_of_the_gguf_package() -> None:
    assert {int(kind): size for kind, size in gguf.GGML_QUANT_SIZES.items()} == TENSOR_BLOCKS
    known = {int(kind): kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in gguf.LlamaFileType if kind != 1024}
    assert known.items() <= FILE_TYPES.items()


def fails_cheaply(path: Path) -> str:
    """The error's sentence; it must have cost little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(ModelError) as caught:
            read_gguf_header(path)
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 300
    return message


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "no_model_in_it"])
def test_a_hostile_file_gives_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.gguf"
    path.write_bytes(HOSTILE[name])
    assert path.name in fails_cheaply(path)


def test_what_the_file_really_is_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    for name, words in {
        "web_page": "web page",
        "lfs_pointer": "git lfs pull",
        "big_endian": "big-endian",
        "empty": "empty",
    }.items():
        path.write_bytes(HOSTILE[name])
        assert words in fails_cheaply(path)


def test_a_file_cut_off_anywhere_is_incomplete(tmp_path: Path, model: Path) -> None:
    whole = model.read_bytes()
    path = tmp_path / "cut.gguf"
    for size in [*range(4, 300, 7), *np.linspace(300, len(whole) - 1, 40).astype(int)]:
        path.write_bytes(whole[:size])
        assert "incomplete" in fails_cheaply(path) or size < 8


def test_a_sparse_file_full_of_claims_costs_little(tmp_path: Path) -> None:
    """A terabyte of nothing that claims to be lists of empty texts."""
    path = tmp_path / "sparse.gguf"
    with path.open("wb") as file:
        file.write(start(keys=4) + text(b"a") + struct.pack("<IIQ", 9, 8, 1_000_000))
        file.truncate(2**36)
    assert "damaged" in fails_cheaply(path)


def test_folders_links_and_missing_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "folder.gguf").mkdir()
    assert "folder" in fails_cheaply(tmp_path / "folder.gguf")
    assert "no model file" in fails_cheaply(tmp_path / "missing.gguf")
    link = tmp_path / "link.gguf"
    try:
        link.symlink_to(tmp_path / "gone.gguf")
    except OSError:
        pytest.skip("no links here")
    assert "link" in fails_cheaply(link)


def test_a_split_model_is_one_and_names_its_missing_part(tmp_path: Path) -> None:
    first = write_model(tmp_path / "big-00001-of-00003.gguf", character_vocabulary())
    third = tmp_path / "big-00003-of-00003.gguf"
    third.write_bytes(first.read_bytes())
    assert "big-00002-of-00003.gguf" in fails_cheaply(third)
    (tmp_path / "big-00002-of-00003.gguf").write_bytes(first.read_bytes())
    header = read_gguf_header(third)
    assert header.path == first
    assert header.size_bytes == 3 * first.stat().st_size
    assert len(header.files) == 3
    third.write_bytes(first.read_bytes()[:-1])
    assert "big-00003-of-00003.gguf" in fails_cheaply(first)


def test_a_renamed_part_is_recognised(tmp_path: Path) -> None:
    path = write_model(tmp_path / "part.gguf", character_vocabulary(), Shape(metadata={"split.count": 4}))
    assert "one of 4 parts" in fails_cheaply(path)


def test_ordinary_names_are_not_taken_for_parts() -> None:
    assert split_parts(Path("a-00001-of-00000.gguf")) == (Path("a-00001-of-00000.gguf"),)
    assert split_parts(Path("a-1-of-2.gguf")) == (Path("a-1-of-2.gguf"),)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_bytes_give_a_header_or_a_sentence(
    model: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = bytearray(model.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(4, 4000))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(whole)
    try:
        header = read_gguf_header(path)
    except ModelError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(header.quantization, str) and header.layers >= 0

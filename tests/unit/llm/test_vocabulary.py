from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.vocabulary import byte_level_table, read_vocabulary
from tests.fakes.gguf_writer import (
    Vocabulary,
    byte_characters,
    character_vocabulary,
    chatml_vocabulary,
    sentencepiece_vocabulary,
    write_model,
)


def test_byte_level_characters_are_all_256_bytes() -> None:
    assert byte_level_table() == {character: byte for byte, character in enumerate(byte_characters())}


def test_characters_are_themselves_and_control_tokens_write_nothing(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(write_model(tmp_path / "m.gguf", character_vocabulary("AB |\n")))
    assert vocabulary.pieces == (b"", b"", b"A", b"B", b" ", b"|", b"\n")
    assert vocabulary.end_tokens == {1}


def test_sentencepiece_marks_spaces_and_names_bytes(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(write_model(tmp_path / "m.gguf", sentencepiece_vocabulary()))
    assert vocabulary.pieces[12968] == b" Human"
    assert vocabulary.pieces[3 + 0x0A] == b"\n"
    assert vocabulary.pieces[:3] == (b"", b"", b"")
    assert vocabulary.end_tokens == {2}


def test_end_tokens_are_known_by_name_too(tmp_path: Path) -> None:
    """ILM3 declares one end token and closes its turns with another."""
    vocabulary = read_vocabulary(write_model(tmp_path / "m.gguf", chatml_vocabulary(400)))
    assert vocabulary.end_tokens == {397, 399}


def test_other_tokenizers_are_refused_in_a_sentence(tmp_path: Path) -> None:
    path = write_model(tmp_path / "m.gguf", Vocabulary("bert", ("a", "b"), (1, 1), 0, 1))
    with pytest.raises(ModelError, match="'bert' tokenizer"):
        read_vocabulary(path)

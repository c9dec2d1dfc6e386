"""The character vocabulary holds every text the composer meets and survives GGUF's byte-level spelling."""

from __future__ import annotations

import pytest

from training.tokenizer import CHARACTERS, END, VOCABULARY_SIZE, byte_level, decode, encode


def test_encoding_and_decoding_are_inverse() -> None:
    text = 'M:4/4\nL:1/8\nK:F#m\n%chords\nP:A8\n"F#m7b5/C"(3^A,_bz3/4c\'-|\n'
    assert decode(encode(text)) == text
    assert decode([*encode(text), END]) == text


def test_ids_are_dense_and_the_end_is_the_last() -> None:
    assert encode("".join(CHARACTERS)) == list(range(VOCABULARY_SIZE - 1))
    assert END == VOCABULARY_SIZE - 1


def test_characters_outside_the_vocabulary_are_refused() -> None:
    with pytest.raises(KeyError):
        encode("é")


def test_byte_level_spelling_is_that_of_gpt2() -> None:
    assert (byte_level(" "), byte_level("\n"), byte_level("A|")) == ("Ġ", "Ċ", "A|")
    assert len({byte_level(character) for character in CHARACTERS}) == len(CHARACTERS)

"""The character vocabulary: every printable ASCII character and the newline, and one token that ends a tune."""

from __future__ import annotations

from collections.abc import Iterable

#: Token strings by id. The end token also begins a tune: it is what a model has seen before the first header line.
CHARACTERS = ("\n", *(chr(code) for code in range(32, 127)))
END_TEXT = "<|end|>"
END = len(CHARACTERS)
VOCABULARY_SIZE = len(CHARACTERS) + 1
_IDS = {character: index for index, character in enumerate(CHARACTERS)}


def encode(text: str) -> list[int]:
    """Token ids of a text without its end. Raises KeyError for characters outside the vocabulary."""
    return [_IDS[character] for character in text]


def decode(ids: Iterable[int]) -> str:
    """The text of token ids; the end token gives nothing."""
    return "".join(CHARACTERS[index] for index in ids if index != END)


def byte_level(text: str) -> str:
    """A token's string as the GPT-2 byte-level vocabulary of GGUF spells it (space and newline are moved to visible letters)."""
    return "".join(character if 33 <= ord(character) <= 126 else chr(256 + _moved(ord(character))) for character in text)


def _moved(byte: int) -> int:
    """How many bytes below this one GPT-2's table moves out of the way, which is where it puts this one."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    return sum(1 for below in range(byte) if below not in visible)

"""Reads a model's vocabulary from its GGUF file: what each token writes and which ones end an answer.

For bindings that do not give it out. The rules are llama.cpp's `llama_token_to_piece` and its list of end-of-generation tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.errors import ModelError
from llm_music_gen.llm.gguf import GgufHeader, Value, read_gguf_header

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
_TOKENS, _TYPES = "tokenizer.ggml.tokens", "tokenizer.ggml.token_type"
_END_KEYS = ("eos_token_id", "eot_token_id", "eom_token_id")
#: Control tokens that end an answer whatever the file declares.
_END_TEXTS = frozenset(
    {
        "<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>", "<turn|>",
        "<|endoftext|>", "<|end_of_text|>", "<|eom_id|>", "< EOT >", "_<EOT>", "<EOT>", "<end_of_utterance>", "[EOT]", "[EOS]",
        "<｜end▁of▁sentence｜>",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the tokens of a model write."""

    pieces: tuple[bytes, ...]
    """The bytes each token writes; b"" for control tokens."""
    end_tokens: frozenset[int]
    """Ids that end an answer."""


def read_vocabulary(path: Path) -> Vocabulary:
    """Read the vocabulary of `path`.

    Raises ModelError for a damaged file or a tokenizer of another kind than byte-level BPE and SentencePiece.
    """
    header = read_gguf_header(path, arrays=(_TOKENS, _TYPES))
    texts = [str(text) for text in _array(header, _TOKENS)]
    types = [int(kind) for kind in _array(header, _TYPES)] or [_NORMAL] * len(texts)
    if len(types) != len(texts):
        raise ModelError(f"{path.name} is damaged: it has {len(texts)} tokens and {len(types)} token types.")
    model = header.text("tokenizer.ggml.model")
    if model == "gpt2":
        table = byte_level_table()
        pieces = tuple(_bpe_piece(text, kind, table) for text, kind in zip(texts, types, strict=True))
    elif model == "llama":
        pieces = tuple(_sentencepiece(text, kind) for text, kind in zip(texts, types, strict=True))
    else:
        raise ModelError(f"{path.name} has a {model or 'nameless'!r} tokenizer, which this binding cannot be guided with.")
    declared = {header.number(f"tokenizer.ggml.{key}") for key in _END_KEYS if f"tokenizer.ggml.{key}" in header.metadata}
    named = {token for token, text in enumerate(texts) if text in _END_TEXTS and types[token] in (_CONTROL, _USER_DEFINED)}
    return Vocabulary(pieces, frozenset(token for token in declared | named if 0 <= token < len(texts)))


def _array(header: GgufHeader, key: str) -> tuple[str | int | float | bool, ...]:
    value: Value | None = header.metadata.get(key)
    return value if isinstance(value, tuple) else ()


def byte_level_table() -> dict[str, int]:
    """Character -> byte of byte-level BPE (GPT-2's `bytes_to_unicode`, the other way round)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + index): byte for index, byte in enumerate(others)}


def _bpe_piece(text: str, kind: int, table: dict[str, int]) -> bytes:
    if kind == _USER_DEFINED:
        return text.encode("utf-8")
    if kind in (_UNKNOWN, _CONTROL, _UNUSED):
        return b""
    return b"".join(bytes([table[character]]) if character in table else character.encode("utf-8") for character in text)


def _sentencepiece(text: str, kind: int) -> bytes:
    if kind in (_UNKNOWN, _CONTROL, _UNUSED):
        return b""
    if kind == _BYTE:
        try:
            return bytes([int(text[3:5], 16)])
        except ValueError:
            raise ModelError(f"The vocabulary is damaged: {text[:16]!r} names no byte.") from None
    return (text if kind == _USER_DEFINED else text.replace("▁", " ")).encode("utf-8")

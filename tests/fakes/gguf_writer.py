"""Writes small but real GGUF files with random weights: what llama.cpp loads in the tests and benchmarks.

Architecture LLaMA. Four vocabularies: characters (like the built-in composer), byte-level BPE of any size, ChatML on top of it
(like ILM3), and SentencePiece with 32,000 pieces laid out like LLaMA 2's (like ChatMusician). Same arguments, same bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6

CHATML_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
ABC_CHARACTERS = "ABCDEFGabcdefgz|:[]()\"'^_=,/0123456789<>-# \nKLMPQX%hiadmnsujoTV5~{}.!+"


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer as GGUF stores it."""

    model: str
    """`gpt2` (byte-level BPE) or `llama` (SentencePiece)."""
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    bos_id: int
    eos_id: int
    scores: tuple[float, ...] = ()
    merges: tuple[str, ...] = ()
    chat_template: str = ""
    add_bos: bool | None = None
    """Whether texts begin with the beginning token; None: as SentencePiece models do and BPE models do not."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a LLaMA-layout network. Parameters: about vocabulary x width x 2 + layers x (4 width^2 + 3 width x hidden)."""

    layers: int = 2
    width: int = 64
    heads: int = 4
    hidden: int = 128
    context: int = 2048
    dtype: str = "f32"
    """`f32`, `f16` or `q8_0`."""
    logit_scale: float = 2.0
    """Spread of the output logits: 0.1 is nearly uniform, 5 is opinionated."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """More key-value pairs, as str, int, float, bool or list."""


TINY = Shape()
#: About 100 and 1,000 million parameters with a vocabulary of 32,000.
SMALL_BENCHMARK = Shape(layers=8, width=768, heads=12, hidden=2048, context=1024, dtype="q8_0")
LARGE_BENCHMARK = Shape(layers=20, width=2048, heads=16, hidden=5632, context=1024, dtype="q8_0")


def byte_characters() -> list[str]:
    """The printable character that byte-level BPE writes for each of the 256 bytes."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    spare = itertools.count(256)
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def character_vocabulary(characters: str | None = None) -> Vocabulary:
    """One token a character plus `<s>` and `</s>`; about 100 tokens by default (printable ASCII and newline)."""
    text = "\n" + "".join(map(chr, range(32, 127))) if characters is None else characters
    table = byte_characters()
    tokens = ["<s>", "</s>", *(table[ord(character)] for character in dict.fromkeys(text))]
    return Vocabulary(
        model="gpt2",
        tokens=tuple(tokens),
        types=(CONTROL, CONTROL) + (NORMAL,) * (len(tokens) - 2),
        bos_id=0,
        eos_id=1,
        merges=(f"{tokens[2]} {tokens[2]}",),
    )


def bpe_vocabulary(size: int = 130_000) -> Vocabulary:
    """Byte-level BPE with `size` tokens, about 2,000 of them pairs of ABC characters; merges lead to every longer one.

    Ends in three control tokens.
    """
    controls = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokens, merges = byte_characters(), []
    for prefix, letter in itertools.islice(_growing_words(), size - len(tokens) - len(controls)):
        tokens.append(prefix + letter)
        merges.append(f"{prefix} {letter}")
    return Vocabulary(
        model="gpt2",
        tokens=(*tokens, *controls),
        types=(NORMAL,) * len(tokens) + (CONTROL,) * len(controls),
        bos_id=len(tokens),
        eos_id=len(tokens) + 2,
        merges=tuple(merges),
    )


def _growing_words() -> Iterator[tuple[str, str]]:
    """(known word, letter) pairs: first every pair of ABC characters, then words that ABC has no use for."""
    words = list(dict.fromkeys(ABC_CHARACTERS.replace("\n", "").replace(" ", "")))
    letters = words
    while True:
        grown = [(word, letter) for word in words for letter in letters]
        yield from grown
        words, letters = [word + letter for word, letter in grown], list("oklnpqrtvwxyhHNORSWY")


def chatml_vocabulary(size: int = 2_000) -> Vocabulary:
    """BPE with ChatML's special tokens and template."""
    return replace(bpe_vocabulary(size), chat_template=CHATML_TEMPLATE)


#: Ids that the prompt `Human: hi </s> Assistant: ` has in LLaMA 2's vocabulary.
LLAMA2_IDS = {12968: "▁Human", 4007: "▁Ass", 22137: "istant", 7251: "▁hi", 29901: ":", 29871: "▁"}
_STEPS = ["▁H", "um", "an", "▁Hum", "▁A", "ss", "ist", "ant", "▁h", "is", "nt"]


def sentencepiece_vocabulary(size: int = 32_000) -> Vocabulary:
    """SentencePiece of `size` pieces: `<unk> <s> </s>`, 256 bytes, pieces, with `LLAMA2_IDS` in place where they fit."""
    tokens: list[str] = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    pinned = {token_id: piece for token_id, piece in LLAMA2_IDS.items() if token_id < size}
    characters = [chr(code) for code in range(33, 127)] + ([] if 29871 in pinned else ["▁"])
    wanted = itertools.chain(_STEPS, characters, _abc_fragments(), _syllables())
    known = set(pinned.values())
    while len(tokens) < size:
        piece = pinned.get(len(tokens))
        if piece is None:
            piece = next(candidate for candidate in wanted if candidate not in known)
            known.add(piece)
        tokens.append(piece)
        types.append(NORMAL)
    # Longer pieces merge first; among equals the earlier one.
    ranked = enumerate(zip(tokens, types, strict=True))
    scores = tuple(len(piece) - index / size if kind == NORMAL else 0.0 for index, (piece, kind) in ranked)
    return Vocabulary("llama", tuple(tokens), tuple(types), bos_id=1, eos_id=2, scores=scores)


def _abc_fragments() -> Iterator[str]:
    notes = [f"{accidental}{letter}" for accidental in ("", "^", "_", "=") for letter in "ABCDEFGabcdefg"] + ["z"]
    lengths = ["2", "3", "4", "6", "8", "/", "/2", "3/2", "/4"]
    yield from (note + length for note in notes for length in lengths)
    yield from (first + second for first in "ABCDEFGabcdefgz" for second in "ABCDEFGabcdefgz|-2'")
    yield from (f'"{root}{quality}"' for root in "ABCDEFG" for quality in ("", "m", "7", "m7"))
    yield from ("(3", "|\n", '|"', "||", "P:", "K:", "M:", "L:", "▁|", "▁A", "▁z", '▁"')


def _syllables() -> Iterator[str]:
    """Words, each with a letter that no ABC has."""
    syllables = ["".join(letters) for letters in itertools.product("bcdfghjklmnprstvwyz", "aeiou", "lnrtkp")]
    for count in itertools.count(1):
        for parts in itertools.product(syllables, repeat=count):
            yield "".join(parts)
            yield "▁" + "".join(parts)


def write_model(path: Path, vocabulary: Vocabulary, shape: Shape = TINY, *, seed: int = 0) -> Path:
    """Write a GGUF with random weights to `path` and return it. Needs little memory however large the model is."""
    writer = gguf.GGUFWriter(path, "llama")
    _add_metadata(writer, vocabulary, shape)
    tensors = _tensors(vocabulary, shape)
    kinds = {"f32": gguf.GGMLQuantizationType.F32, "f16": gguf.GGMLQuantizationType.F16, "q8_0": gguf.GGMLQuantizationType.Q8_0}
    for name, dimensions, _ in tensors:
        kind = kinds[shape.dtype] if len(dimensions) == 2 else gguf.GGMLQuantizationType.F32
        count = int(np.prod(dimensions))
        if kind == gguf.GGMLQuantizationType.Q8_0:
            writer.add_tensor_info(
                name, (dimensions[0], dimensions[1] // 32 * 34), np.dtype(np.uint8), count // 32 * 34, raw_dtype=kind
            )
        else:
            size = np.dtype(np.float32 if kind == gguf.GGMLQuantizationType.F32 else np.float16)
            writer.add_tensor_info(name, dimensions, size, count * size.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = np.random.default_rng(seed)
    for _, dimensions, deviation in tensors:
        writer.write_tensor_data(_weights(random, dimensions, deviation, shape.dtype))
    writer.close()
    return path


def _add_metadata(writer: gguf.GGUFWriter, vocabulary: Vocabulary, shape: Shape) -> None:
    writer.add_name("Random weights for tests")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(vocabulary.tokens))
    writer.add_file_type({"f32": 0, "f16": 1, "q8_0": 7}[shape.dtype])
    writer.add_tokenizer_model(vocabulary.model)
    if vocabulary.model == "gpt2":
        writer.add_tokenizer_pre("default")
    writer.add_token_list(list(vocabulary.tokens))
    writer.add_token_types(list(vocabulary.types))
    if vocabulary.scores:
        writer.add_token_scores(list(vocabulary.scores))
    if vocabulary.merges:
        writer.add_token_merges(list(vocabulary.merges))
    writer.add_bos_token_id(vocabulary.bos_id)
    writer.add_eos_token_id(vocabulary.eos_id)
    writer.add_add_bos_token(vocabulary.model == "llama" if vocabulary.add_bos is None else vocabulary.add_bos)
    if vocabulary.chat_template:
        writer.add_chat_template(vocabulary.chat_template)
    for key, value in shape.metadata.items():
        _add_value(writer, key, value)


def _add_value(writer: gguf.GGUFWriter, key: str, value: object) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        assert isinstance(value, Sequence)
        writer.add_array(key, value)


def _tensors(vocabulary: Vocabulary, shape: Shape) -> list[tuple[str, tuple[int, ...], float]]:
    """Name, dimensions and standard deviation (0 for a vector of ones) of every tensor."""
    width, hidden, words = shape.width, shape.hidden, len(vocabulary.tokens)
    narrow = width**-0.5
    tensors: list[tuple[str, tuple[int, ...], float]] = [("token_embd.weight", (words, width), 1.0)]
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        tensors += [
            (block + "attn_norm.weight", (width,), 0.0),
            *((f"{block}attn_{part}.weight", (width, width), narrow) for part in ("q", "k", "v", "output")),
            (block + "ffn_norm.weight", (width,), 0.0),
            (block + "ffn_gate.weight", (hidden, width), narrow),
            (block + "ffn_up.weight", (hidden, width), narrow),
            (block + "ffn_down.weight", (width, hidden), hidden**-0.5),
        ]
    return [*tensors, ("output_norm.weight", (width,), 0.0), ("output.weight", (words, width), narrow * shape.logit_scale)]


def _weights(random: np.random.Generator, dimensions: tuple[int, ...], deviation: float, dtype: str) -> NDArray[Any]:
    if len(dimensions) == 1:
        return np.ones(dimensions, dtype=np.float32)
    if dtype != "q8_0":
        values = random.standard_normal(dimensions, dtype=np.float32) * np.float32(deviation)
        return np.asarray(values, dtype=np.float32 if dtype == "f32" else np.float16)
    # A Q8_0 block: a float16 scale, then 32 signed bytes, here uniform (standard deviation 73).
    blocks = np.empty((dimensions[0], dimensions[1] // 32, 34), dtype=np.uint8)
    blocks[..., :2] = np.frombuffer(np.float16(deviation / 73).tobytes(), dtype=np.uint8)
    blocks[..., 2:] = random.integers(-127, 128, (*blocks.shape[:2], 32), dtype=np.int8).view(np.uint8)
    return blocks.reshape(dimensions[0], -1)

"""Writes a Whisper model of one layer with random weights in ggml's format, which whisper.cpp loads like any other."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

_STATE, _AUDIO, _TEXT, _MELS = 32, 1_500, 64, 80
_ATTENTION = ("query", "key", "value", "out")


def write_whisper(path: Path, vocabulary: int) -> None:
    """7 MB. A vocabulary of 51864 is an English model, one more a model of many languages."""
    chance = np.random.default_rng(1)
    with path.open("wb") as file:
        _numbers(file, 0x67676D6C, vocabulary, _AUDIO, _STATE, 1, 1, _TEXT, _STATE, 1, 1, _MELS, 1, _MELS, 201)
        file.write(chance.random((_MELS, 201)).astype("<f4").tobytes())
        _numbers(file, 256)
        for byte in range(256):
            _numbers(file, 1)
            file.write(bytes([byte]))
        for name, shape in _tensors(vocabulary):
            half = name.endswith("weight") and len(shape) > 1
            _numbers(file, len(shape), len(name), int(half), *reversed(shape))
            file.write(name.encode("ascii"))
            file.write((0.02 * chance.standard_normal(shape)).astype("<f2" if half else "<f4").tobytes())


def _tensors(vocabulary: int) -> list[tuple[str, tuple[int, ...]]]:
    return [
        ("encoder.positional_embedding", (_AUDIO, _STATE)),
        ("encoder.conv1.weight", (_STATE, _MELS, 3)), ("encoder.conv1.bias", (_STATE, 1)),
        ("encoder.conv2.weight", (_STATE, _STATE, 3)), ("encoder.conv2.bias", (_STATE, 1)),
        *_norm("encoder.ln_post"), *_block("encoder.blocks.0", ("attn",)),
        ("decoder.positional_embedding", (_TEXT, _STATE)), ("decoder.token_embedding.weight", (vocabulary, _STATE)),
        *_norm("decoder.ln"), *_block("decoder.blocks.0", ("attn", "cross_attn")),
    ]  # fmt: skip


def _block(name: str, attentions: tuple[str, ...]) -> list[tuple[str, tuple[int, ...]]]:
    tensors = [*_norm(f"{name}.mlp_ln")]
    for attention in attentions:
        tensors += _norm(f"{name}.{attention}_ln")
        tensors += [(f"{name}.{attention}.{part}.weight", (_STATE, _STATE)) for part in _ATTENTION]
        tensors += [(f"{name}.{attention}.{part}.bias", (_STATE,)) for part in _ATTENTION if part != "key"]
    for layer, shape in (("0", (4 * _STATE, _STATE)), ("2", (_STATE, 4 * _STATE))):
        tensors += [(f"{name}.mlp.{layer}.weight", shape), (f"{name}.mlp.{layer}.bias", shape[:1])]
    return tensors


def _norm(name: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(f"{name}.weight", (_STATE,)), (f"{name}.bias", (_STATE,))]


def _numbers(file: BinaryIO, *numbers: int) -> None:
    file.write(struct.pack(f"<{len(numbers)}i", *numbers))

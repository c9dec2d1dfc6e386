"""Writes the composer as GGUF, in float16 or 8-bit blocks, for llama.cpp's `llama` architecture with a GPT-2 vocabulary."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from training.model import NORM_EPSILON, ROPE_BASE, Composer
from training.tokenizer import CHARACTERS, END, END_TEXT, byte_level

#: Name of the text format in the file's metadata, so that the studio can tell its own composer from other models.
TEXT_FORMAT = "composer-text-1"
FORMAT_KEY = "llm_music_gen.format"
_BLOCK_NAMES = {
    "query": "attn_q", "key": "attn_k", "value": "attn_v", "output": "attn_output",
    "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down",
}  # fmt: skip


def tensors(model: Composer) -> dict[str, np.ndarray]:
    """GGUF tensor names and float32 values."""
    found = {"token_embd.weight": model.embedding.weight, "output_norm.weight": model.norm.weight}
    for index, block in enumerate(model.blocks):
        found[f"blk.{index}.attn_norm.weight"] = block.attention_norm.weight
        found[f"blk.{index}.ffn_norm.weight"] = block.feed_forward_norm.weight
        for ours, theirs in _BLOCK_NAMES.items():
            found[f"blk.{index}.{theirs}.weight"] = getattr(block, ours).weight
    return {name: value.detach().float().cpu().numpy() for name, value in found.items()}


def write_gguf(model: Composer, path: Path, kind: str = "f16", notes: dict[str, str] | None = None) -> None:
    """Write `model` to `path`. `kind` is "f16" or "q8_0" (rows must be multiples of 32); `notes` become string metadata.

    Raises ValueError for another kind or for rows that 8-bit blocks do not fit.
    """
    if kind not in ("f16", "q8_0"):
        raise ValueError(f"{kind!r} is not a kind of GGUF weights: f16 or q8_0")
    beside = path.with_suffix(".part")
    writer = gguf.GGUFWriter(beside, "llama")
    shape = model.shape
    writer.add_name("Llm-Music-Gen built-in composer")
    writer.add_license("GPL-3.0-or-later")
    writer.add_description("Writes melodies with chord symbols as composer text. See MODEL_CARD.md.")
    writer.add_string(FORMAT_KEY, TEXT_FORMAT)
    for key, value in (notes or {}).items():
        writer.add_string(key, value)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_layer_norm_rms_eps(NORM_EPSILON)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if kind == "f16" else gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    _add_vocabulary(writer)
    for name, values in tensors(model).items():
        _add_tensor(writer, name, values, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    beside.replace(path)


def _add_vocabulary(writer: gguf.GGUFWriter) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([*(byte_level(character) for character in CHARACTERS), END_TEXT])
    writer.add_token_types([gguf.TokenType.NORMAL] * len(CHARACTERS) + [gguf.TokenType.CONTROL])
    # llama.cpp wants at least one merge; two spaces in a row never stand in composer text.
    space = byte_level(" ")
    writer.add_token_merges([f"{space} {space}"])
    writer.add_bos_token_id(END)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(False)


def _add_tensor(writer: gguf.GGUFWriter, name: str, value: np.ndarray, kind: str) -> None:
    if value.ndim == 1:
        writer.add_tensor(name, value.astype(np.float32))
    elif kind == "f16":
        writer.add_tensor(name, value.astype(np.float16))
    else:
        if value.shape[-1] % 32:
            raise ValueError(f"{name} has rows of {value.shape[-1]} values; 8-bit blocks need multiples of 32")
        packed = gguf.quants.quantize(value, gguf.GGMLQuantizationType.Q8_0)
        writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)

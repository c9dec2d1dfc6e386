"""A small LLaMA: RMSNorm, SwiGLU and interleaved rotary positions, exactly as llama.cpp's `llama` architecture computes them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.tokenizer import VOCABULARY_SIZE

ROPE_BASE = 10000.0
NORM_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network."""

    layers: int = 6
    width: int = 192
    heads: int = 6
    feed_forward: int = 512
    context: int = 1024
    vocabulary: int = VOCABULARY_SIZE

    @property
    def head_width(self) -> int:
        """Values per attention head."""
        return self.width // self.heads


class Block(nn.Module):  # type: ignore[misc]
    """Attention and a gated feed-forward layer, each on a normalised input and added to the stream."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.shape = shape
        self.attention_norm = nn.RMSNorm(shape.width, eps=NORM_EPSILON)
        self.query = nn.Linear(shape.width, shape.width, bias=False)
        self.key = nn.Linear(shape.width, shape.width, bias=False)
        self.value = nn.Linear(shape.width, shape.width, bias=False)
        self.output = nn.Linear(shape.width, shape.width, bias=False)
        self.feed_forward_norm = nn.RMSNorm(shape.width, eps=NORM_EPSILON)
        self.gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, stream: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """`stream` is (batch, length, width); `cosine` and `sine` are (length, head width / 2)."""
        stream = stream + self.dropout(self._attend(self.attention_norm(stream), cosine, sine))
        normed = self.feed_forward_norm(stream)
        hidden = functional.silu(self.gate(normed)) * self.up(normed)
        return stream + self.dropout(self.down(hidden))

    def _attend(self, normed: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        batch, length, width = normed.shape
        split = (batch, length, self.shape.heads, self.shape.head_width)
        query = rotate(self.query(normed).view(split).transpose(1, 2), cosine, sine)
        key = rotate(self.key(normed).view(split).transpose(1, 2), cosine, sine)
        value = self.value(normed).view(split).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.output(mixed.transpose(1, 2).reshape(batch, length, width))


def rotate(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn neighbouring pairs of values by their position's angle; `heads` is (batch, heads, length, head width)."""
    even, odd = heads[..., 0::2], heads[..., 1::2]
    cosine, sine = cosine.to(heads.dtype), sine.to(heads.dtype)
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1).flatten(-2)


class Composer(nn.Module):  # type: ignore[misc]
    """Characters in, logits of the next character out. The output matrix is the embedding (llama.cpp falls back to it)."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape, dropout) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=NORM_EPSILON)
        self.dropout = nn.Dropout(dropout)
        frequencies = ROPE_BASE ** (-torch.arange(0, shape.head_width, 2).float() / shape.head_width)
        angles = torch.outer(torch.arange(shape.context).float(), frequencies)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        nn.init.normal_(self.embedding.weight, std=0.02)
        for block in self.blocks:
            for linear in (block.query, block.key, block.value, block.gate, block.up):
                nn.init.normal_(linear.weight, std=self.shape.width**-0.5)
            for linear in (block.output, block.down):
                nn.init.normal_(linear.weight, std=(2 * self.shape.layers * linear.in_features) ** -0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """`ids` (batch, length) to logits (batch, length, vocabulary)."""
        length = ids.shape[1]
        stream = self.dropout(self.embedding(ids))
        for block in self.blocks:
            stream = block(stream, self.cosine[:length], self.sine[:length])
        return functional.linear(self.norm(stream), self.embedding.weight)

    def set_dropout(self, share: float) -> None:
        """Change how much is dropped in training."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = share

    def parameter_count(self) -> int:
        """Number of trained values."""
        return sum(parameter.numel() for parameter in self.parameters())

"""How many layers of a model to put on the GPU: as many as were asked for, fewer when they do not fit."""

from __future__ import annotations


def gpu_attempts(gpu_layers: int, block_count: int) -> list[int]:
    """Numbers of GPU layers to try in turn: as asked (-1 for all of `block_count` and the output), then halved down to none."""
    layers = gpu_layers if gpu_layers >= 0 else block_count + 1
    attempts = []
    while layers > 0:
        attempts.append(layers)
        layers //= 2
    return [*attempts, 0]

"""How many layers of a model to put on the GPU: as many as were asked for, fewer when they do not fit."""

from __future__ import annotations

from dataclasses import dataclass

#: As a number of layers: as many as fit.
AS_MANY_AS_FIT = -1
#: Memory of the card that is left to the screen and to computing buffers.
RESERVE_BYTES = 600 * 2**20


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card on which models can compute."""

    free_bytes: int | None
    """Of its memory; None where the binding cannot say."""


def layers_to_try(asked: int, layers: int, model_bytes: int, gpu: Gpu | None) -> int:
    """The number of GPU layers with which to begin: what was asked for, or as many of `layers` (and the output) as there is
    memory for. `model_bytes` is the whole need, cache included. 0 without a card.
    """
    if gpu is None or asked == 0:
        return 0
    if asked > 0:
        return min(asked, layers + 1)
    if gpu.free_bytes is None:
        return layers + 1
    a_layer = max(1, model_bytes // (layers + 1))
    return max(0, min(layers + 1, (gpu.free_bytes - RESERVE_BYTES) // a_layer))


def gpu_attempts(gpu_layers: int, block_count: int) -> list[int]:
    """Numbers of GPU layers to try in turn: as asked (-1 for all of `block_count` and the output), then halved down to none."""
    layers = gpu_layers if gpu_layers >= 0 else block_count + 1
    attempts = []
    while layers > 0:
        attempts.append(layers)
        layers //= 2
    return [*attempts, 0]

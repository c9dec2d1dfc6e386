"""A store of synthesised sounds as mel power. Scenes to train with are mixed from it, which is quick: the powers of sounds that
have nothing to do with each other add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.features import mel_power
from training.ears.families import KINDS
from training.ears.shaping import RATE_HZ

CLIP_S = 15
#: The share of clips that is kept from training, for the thresholds.
VALIDATION_SHARE = 0.2

#: kind -> clips of mel power, shape (clips, frames, MELS), the mean power of each 1.
Bank = dict[str, NDArray[np.float32]]


def build(folder: Path, clips: int, seed: int) -> Bank:
    """`clips` of every kind, from its training families in turn. Kept in a file of `folder` and read from there the next time."""
    bank: Bank = {}
    folder.mkdir(parents=True, exist_ok=True)
    for number, (kind, (_, families, _)) in enumerate(KINDS.items()):
        path = folder / f"{kind}-{clips}-{seed}.npy"
        if not path.is_file():
            random = np.random.default_rng([seed, number])
            made = [mel_power(families[clip % len(families)](random, CLIP_S * RATE_HZ)) for clip in range(clips)]
            np.save(path, np.stack([clip / (clip.sum(axis=1).mean() + 1e-12) for clip in made]).astype(np.float32))
        bank[kind] = np.load(path)
    return bank


def halves(bank: Bank) -> tuple[Bank, Bank]:
    """Clips to train with, and others for the thresholds."""
    first = {kind: clips[: int(len(clips) * (1 - VALIDATION_SHARE))] for kind, clips in bank.items()}
    return first, {kind: clips[len(first[kind]) :] for kind, clips in bank.items()}

"""The event model that ships: statistics of a window of log-mel, then a small network, in numpy alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.labels import LABELS
from llm_music_gen.describing.events.statistics import statistics
from llm_music_gen.errors import ModelError

WEIGHTS = Path(__file__).with_name("ears.npz")


@dataclass(frozen=True)
class ShippedModel:
    """`model.EventModel`: a network of fully connected layers over `statistics`; several of them vote."""

    name: str
    thresholds: dict[str, float]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    """(weights of shape (voters, in, out), bias of shape (voters, 1, out)) each."""

    def probabilities(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `model.EventModel`."""
        return self.judged(statistics(log_mel))

    def judged(self, measured: NDArray[np.float32]) -> NDArray[np.float32]:
        """Statistics of shape (windows, n) -> probabilities of shape (windows, OUTPUTS)."""
        value = np.clip((measured - self.mean) / self.scale, -5.0, 5.0)[None]
        for number, (weights, bias) in enumerate(self.layers):
            value = value @ weights + bias
            if number < len(self.layers) - 1:
                value = np.maximum(value, 0.0)
        events = 1 / (1 + np.exp(-np.clip(value[..., : len(LABELS)], -30, 30)))
        scenes = np.exp(value[..., len(LABELS) :] - value[..., len(LABELS) :].max(axis=-1, keepdims=True))
        scenes /= scenes.sum(axis=-1, keepdims=True)
        return np.asarray(np.concatenate([events, scenes], axis=-1).mean(axis=0), dtype=np.float32)


@lru_cache(maxsize=1)
def shipped_model() -> ShippedModel:
    """The model that comes with the studio. Raises ModelError where its file is missing or broken."""
    return read_model(WEIGHTS)


def read_model(path: Path) -> ShippedModel:
    """The model in a file that `training.ears.train` wrote. Raises ModelError for anything else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            count = int(file["layers"])
            layers = tuple((file[f"weights_{n}"].astype(np.float32), file[f"bias_{n}"].astype(np.float32)) for n in range(count))
            thresholds = {str(k): float(v) for k, v in json.loads(str(file["thresholds"])).items()}
            mean, scale = file["mean"].astype(np.float32), file["scale"].astype(np.float32)
            name = str(file["name"])
    except (OSError, EOFError, BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path.name} is no event model of the studio ({error}).", hint="Install the studio again.") from error
    return ShippedModel(name, {label: thresholds.get(label, 0.5) for label in LABELS}, mean, scale, layers)

"""Draws the next token from logits: the same code, whatever the binding, so a seed means the same everywhere.

The chain is llama.cpp's: mask, repeat penalty, top-k, top-p, min-p, temperature, draw.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.text_model import Sampling
from llm_music_gen.errors import ModelError

#: How many of the latest tokens, the prompt's included, the repeat penalty looks at (llama.cpp's `repeat_last_n`).
PENALTY_WINDOW = 64


class TokenSampler:
    """Draws the tokens of one generation. Same sampling settings and same logits: same tokens."""

    def __init__(self, sampling: Sampling, prompt: Iterable[int] = ()) -> None:
        self._sampling = sampling
        self._random = np.random.default_rng(sampling.seed)
        self._recent: deque[int] = deque(prompt, maxlen=PENALTY_WINDOW)

    def draw(self, logits: NDArray[np.float32], allowed: NDArray[np.bool_] | None = None) -> int:
        """Return the next token id. `logits` and `allowed` have shape (n_vocab,) and are left alone.

        Raises ModelError when nothing is allowed or the logits are not numbers.
        """
        if allowed is None:
            candidates = None
            values = logits
        else:
            candidates = np.flatnonzero(allowed)
            if not len(candidates):
                raise ModelError("The constraint leaves the model no token to continue with.")
            values = logits[candidates]
        if self._sampling.repeat_penalty != 1.0:
            values = self._penalised(values, candidates)
        kept = self._kept(values)
        choice = int(kept[0]) if len(kept) == 1 else int(kept[self._draw_index(values[kept])])
        token = choice if candidates is None else int(candidates[choice])
        self.note(token)
        return token

    def note(self, token: int) -> None:
        """Remember a token that was written without being drawn."""
        self._recent.append(token)

    def _penalised(self, values: NDArray[np.float32], candidates: NDArray[np.intp] | None) -> NDArray[np.float32]:
        """Divide positive, multiply negative logits of recent tokens (Keskar et al. 2019, CTRL)."""
        recent = np.unique(np.fromiter(self._recent, dtype=np.intp))
        if candidates is not None:
            recent = np.flatnonzero(np.isin(candidates, recent, assume_unique=True))
        values = values.copy()
        penalty = np.float32(self._sampling.repeat_penalty)
        values[recent] = np.where(values[recent] > 0, values[recent] / penalty, values[recent] * penalty)
        return values

    def _kept(self, values: NDArray[np.float32]) -> NDArray[np.intp]:
        """Indices into `values` that survive the filters; at least the best one, ties to the lowest token id."""
        sampling = self._sampling
        best = int(np.argmax(values))
        maximum = float(values[best])
        if not math.isfinite(maximum):
            raise ModelError("The model's output is not a number; its file is probably damaged.")
        if sampling.temperature <= 0 or sampling.top_k == 1:
            return np.array([best])
        floor = maximum + math.log(sampling.min_p) if sampling.min_p > 0 else -math.inf
        if 0 < sampling.top_k < len(values):
            floor_k = float(np.partition(values, len(values) - sampling.top_k)[len(values) - sampling.top_k])
        else:
            floor_k = -math.inf
        kept = np.flatnonzero(values >= max(floor, floor_k))
        if sampling.top_p < 1.0:
            # The total is over what top-k left, as in llama.cpp; what min-p drops besides lies below the cut or beyond it.
            pool = values if floor_k == -math.inf else values[values >= floor_k]
            total = float(np.exp(pool - np.float32(maximum)).sum(dtype=np.float64))
            order = kept[np.argsort(-values[kept], kind="stable")]
            shares = np.cumsum(np.exp(values[order] - np.float32(maximum)), dtype=np.float64) / total
            kept = np.sort(order[: int(np.searchsorted(shares, sampling.top_p)) + 1])
        return kept

    def _draw_index(self, values: NDArray[np.float32]) -> int:
        with np.errstate(over="ignore"):  # a temperature near 0 leaves only the best
            scaled = (values.astype(np.float64) - float(values.max())) / self._sampling.temperature
        cumulative = np.cumsum(np.exp(scaled))
        drawn = self._random.random() * cumulative[-1]
        return min(int(np.searchsorted(cumulative, drawn, side="right")), len(values) - 1)

"""Compares melodies with those that people wrote: tunes that were held out when the built-in composer was trained.

`humans.npz` comes from `python -m training reference`. Songs are compared with humans in the same kinds of metre and
mode, in the same shares: a jig is no model for a song in 4/4. "Half against half" is the same measure between random halves of
the humans, which is as much as can be reached.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.evaluating.melody import FIGURES, HISTOGRAMS, KINDS, MelodyStatistics
from llm_music_gen.evaluating.score import divergence_bits, overlap

PERCENTILES = (10, 25, 50, 75, 90)
#: Those whose percentiles a set of songs has to keep: how much comes again, and how much sections are alike.
STRUCTURE = (
    "phrase_repetition",
    "section_similarity",
    "groove_similarity",
    "pitch_class_entropy_1_bar",
    "pitch_class_entropy_4_bars",
)
_SPLITS = 20
#: Fewer humans in a kind of metre than this say nothing.
_LEAST_HUMANS = 10
_DISTANCE_CLASSES = 32


@dataclass(frozen=True, slots=True)
class Humans:
    """Statistics of the held-out tunes, one row each, and what the training tunes have."""

    kind: NDArray[np.uint8]
    histograms: dict[str, NDArray[np.float64]]
    """Name -> shape (tunes, classes)."""
    figures: NDArray[np.float64]
    """Shape (tunes, len(FIGURES)); nan where a tune has no such figure."""
    novelty: NDArray[np.float64]
    """Shape (tunes, 2): share of known runs, longest known passage in notes."""
    known: NDArray[np.uint32]
    """Sorted fingerprints of the training tunes."""


@lru_cache(maxsize=1)
def humans() -> Humans:
    """What ships with the studio."""
    with resources.files(__package__).joinpath("humans.npz").open("rb") as file, np.load(file, allow_pickle=False) as kept:
        return Humans(
            kind=kept["kind"],
            histograms={name: _normalised(kept[name.replace(" ", "_")].astype(np.float64)) for name in HISTOGRAMS},
            figures=kept["figures"].astype(np.float64),
            novelty=kept["novelty"].astype(np.float64),
            known=np.cumsum(kept["known_steps"], dtype=np.uint32),
        )


def compared(melodies: Sequence[MelodyStatistics], people: Humans, seed: int = 0) -> dict[str, Any]:
    """Per histogram: divergence in bits, overlap, the overlap of half against half, and their ratio; per figure: percentiles and
    how many songs lie between them; per feature: the overlap area of distances (MGEval). Empty without melodies to compare."""
    kinds = [KINDS.index(one.kind) for one in melodies]
    counts = np.bincount(people.kind, minlength=len(KINDS))
    used = [one for one, kind in zip(melodies, kinds, strict=True) if counts[kind] >= _LEAST_HUMANS]
    if not used:
        return {}
    weights = _weights([KINDS.index(one.kind) for one in used], people.kind, counts)
    halves = _halves(people, seed)
    histograms = {}
    for name in HISTOGRAMS:
        mine = np.mean([one.histograms[name] for one in used], axis=0)
        whole = _mean(people.histograms[name], weights)
        between = float(
            np.mean([overlap(*(_mean(people.histograms[name][half], weights[half]) for half in pair)) for pair in halves])
        )
        shared = overlap(mine, whole)
        histograms[name] = {
            "divergence_bits": round(divergence_bits(mine, whole), 4),
            "overlap": round(shared, 4),
            "half_against_half": round(between, 4),
            "ratio": round(shared / between, 4),
        }
    return {
        "compared_songs": len(used),
        "histograms": histograms,
        "figures": {
            name: _figure([one.figures[name] for one in used], people.figures[:, place], weights)
            for place, name in enumerate(FIGURES)
        },
        "distances": _distances(used, people, weights, halves),
    }


def structure_kept(comparison: Mapping[str, Any]) -> dict[str, bool]:
    """For each figure of structure: median between the humans' 25th and 75th percentile, and at least 75 % of the songs between
    their 10th and 90th."""
    figures = comparison.get("figures", {})
    return {
        name: figures[name]["humans"][1] <= figures[name]["median"] <= figures[name]["humans"][3]
        and figures[name]["within"] >= 0.75
        for name in STRUCTURE
        if name in figures and figures[name]["median"] is not None
    }


def _figure(values: Sequence[float], theirs: NDArray[np.float64], weights: NDArray[np.float64]) -> dict[str, Any]:
    known = np.array([value for value in values if not math.isnan(value)])
    there = ~np.isnan(theirs)
    marks = _percentiles(theirs[there], weights[there])
    if not len(known):
        return {"humans": _rounded(marks), "median": None, "within": None}
    # Figures of counts come in steps: on the edge is within.
    within = float(np.mean((known >= marks[0] - 1e-6) & (known <= marks[-1] + 1e-6)))
    return {"humans": _rounded(marks), "median": round(float(np.median(known)), 4), "within": round(within, 4)}


def _distances(
    used: Sequence[MelodyStatistics],
    people: Humans,
    weights: NDArray[np.float64],
    halves: Sequence[tuple[NDArray[np.int64], ...]],
) -> dict[str, Any]:
    """Yang and Lerch's: how far the distances between songs and humans are spread as those among humans."""
    out = {}
    columns = {name: (np.array([one.histograms[name] for one in used]), people.histograms[name]) for name in HISTOGRAMS}
    for place, name in enumerate(FIGURES):
        columns[name] = (np.array([[one.figures[name]] for one in used]), people.figures[:, [place]])
    for name, (mine, theirs) in columns.items():
        ours = mine[~np.isnan(mine).any(axis=1)]
        there = np.asarray(~np.isnan(theirs).any(axis=1), dtype=np.bool_)
        if not len(ours):
            continue
        among = _apart(theirs[there], theirs[there])
        pairs = np.outer(weights[there], weights[there])
        np.fill_diagonal(pairs, 0.0)
        shared = _area(_apart(ours, theirs[there]), np.tile(weights[there], (len(ours), 1)), among, pairs)
        one, other = (half[there[half]] for half in halves[0])
        reach = _area(_apart(theirs[one], theirs[other]), np.outer(weights[one], weights[other]), among, pairs)
        out[name] = {"overlap": round(shared, 4), "half_against_half": round(reach, 4), "ratio": round(shared / reach, 4)}
    return out


def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distances, shape (rows of one, rows of other)."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=np.float64)


def _area(
    one: NDArray[np.float64], one_weights: NDArray[np.float64], other: NDArray[np.float64], other_weights: NDArray[np.float64]
) -> float:
    edges = np.linspace(0.0, max(float(one.max()), float(other.max()), 1e-9), _DISTANCE_CLASSES + 1)
    first, second = (
        np.histogram(values, edges, weights=weights)[0] for values, weights in ((one, one_weights), (other, other_weights))
    )
    return overlap(first / first.sum(), second / second.sum())


def _halves(people: Humans, seed: int) -> list[tuple[NDArray[np.int64], ...]]:
    """Random halves, each with half of every kind of metre."""
    rng = np.random.default_rng(seed)
    out: list[tuple[NDArray[np.int64], ...]] = []
    for _ in range(_SPLITS):
        order = rng.permutation(len(people.kind))
        order = order[np.argsort(people.kind[order], kind="stable")]
        out.append((order[::2], order[1::2]))
    return out


def _weights(kinds: Sequence[int], theirs: NDArray[np.uint8], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much each human tune counts, so that kinds of metre have the songs' shares."""
    share = np.bincount(kinds, minlength=len(counts)) / len(kinds)
    return np.asarray((share / np.maximum(counts, 1))[theirs], dtype=np.float64)


def _mean(rows: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights @ rows / weights.sum(), dtype=np.float64)


def _normalised(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares that add up to one again after half precision."""
    return np.asarray(rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-9), dtype=np.float64)


def _percentiles(values: NDArray[np.float64], weights: NDArray[np.float64]) -> list[float]:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return [float(values[order][min(len(values) - 1, int(np.searchsorted(reached, mark / 100)))]) for mark in PERCENTILES]


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 4) for value in values]

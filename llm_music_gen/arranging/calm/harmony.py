"""Chords over a tonic that never stops: a walk in which neighbours share tones and every few chords come home."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Chapter

#: Chords as scale degrees from 0; all of them lie well over the tonic.
_POOL: tuple[tuple[int, ...], ...] = (
    (0, 4, 1), (0, 1, 4), (0, 3, 4), (0, 4, 2), (0, 4, 6, 1), (0, 3, 5), (4, 6, 1), (5, 0, 2), (1, 3, 5, 0), (0, 3, 6),
    (3, 5, 0, 1), (2, 4, 6), (5, 0, 4),
)  # fmt: skip
_HOME: tuple[int, ...] = (0, 4, 1)
#: Tension of an interval over the tonic, in semitones: fifths rest, minor seconds do not.
_TENSION = {0: 0, 7: 0, 2: 1, 5: 1, 9: 1, 4: 2, 10: 2, 3: 2, 11: 3, 8: 3, 1: 4, 6: 4}
_FEWEST_COMMON = 2


@dataclass(frozen=True, slots=True)
class HeldChord:
    """A chord of the walk."""

    start_s: float
    length_s: float
    pcs: tuple[int, ...]
    home: bool
    """Whether it is the tonic's own: a place to breathe."""


def chord_walk(chapter: Chapter, shortest_s: float, longest_s: float, rng: np.random.Generator) -> list[HeldChord]:
    """The chords of a chapter, from its start to its end."""
    chords: list[HeldChord] = []
    time_s, until_home, current = chapter.start_s, int(rng.integers(4, 8)), _HOME
    # The deeper, the fewer chords may be visited.
    cap = 3 if chapter.depth < 0.35 else 2 if chapter.depth < 0.7 else 1
    lasting: list[tuple[int, ...]] = []
    while time_s < chapter.end_s - 1.0:
        home = until_home <= 0 or not chords
        current = _HOME if home else _next(current, chapter.key, cap, lasting, rng)
        length_s = float(rng.uniform(shortest_s, longest_s)) * (1.35 if home else 1.0)
        if chapter.end_s - time_s - length_s < shortest_s:
            length_s = chapter.end_s - time_s
        chords.append(HeldChord(time_s, length_s, _pcs(current, chapter.key), home))
        lasting = [*lasting, current][-3:]
        until_home = int(rng.integers(4, 8)) if home else until_home - 1
        time_s += length_s
    return chords


def _next(
    current: tuple[int, ...], key: Key, cap: int, recent: list[tuple[int, ...]], rng: np.random.Generator
) -> tuple[int, ...]:
    here = set(_pcs(current, key))
    choices, weights = [], []
    for chord in _POOL:
        pcs = _pcs(chord, key)
        if chord == current or set(pcs) == here or _tension(pcs, key) > cap:
            continue
        if len(here & set(pcs)) < min(_FEWEST_COMMON, len(pcs) - 1):
            continue
        moved = len(set(pcs) - here)
        choices.append(chord)
        weights.append(np.exp(-moved / 1.5) * (0.3 if chord in recent else 1.0))
    if not choices:
        return _HOME
    shares = np.array(weights) / np.sum(weights)
    return choices[int(rng.choice(len(choices), p=shares))]


def _pcs(chord: tuple[int, ...], key: Key) -> tuple[int, ...]:
    scale = key.scale_pcs
    return tuple(dict.fromkeys(scale[degree % len(scale)] for degree in chord))


def _tension(pcs: tuple[int, ...], key: Key) -> int:
    return max(_TENSION[(pc - key.tonic_pc) % 12] for pc in pcs)

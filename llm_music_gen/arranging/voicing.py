"""Voicings that lead smoothly: among the positions of a chord the one that moves least, no voice by more than an octave."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from llm_music_gen.arranging.harmony import chord_pcs
from llm_music_gen.domain.score import ChordSymbol

#: Below this, close intervals turn to mud.
_LOW_LIMIT = 48
_WIDEST = 21

Voicing = tuple[int, ...]


def voiced(
    chord: ChordSymbol, previous: Voicing | None, register: tuple[int, int], voices: int, kinds: Sequence[str] = ("close",)
) -> Voicing:
    """Pitches of a chord from the bottom up, `voices` of them where the chord and register allow."""
    candidates = _positions(chord_pcs(chord), register, voices, tuple(kinds))
    middle = sum(register) / 2

    def cost(voicing: Voicing) -> float:
        home = abs(sum(voicing) / len(voicing) - middle)
        if previous is None:
            return home
        if len(previous) == len(voicing):
            moves = [abs(new - old) for new, old in zip(voicing, previous, strict=True)]
        else:
            moves = [abs(voicing[0] - previous[0]), abs(voicing[-1] - previous[-1])]
        held = len(set(voicing) & set(previous))
        return (
            sum(moves)
            - 1.5 * held
            + 8.0 * sum(move > 7 for move in moves)
            + 100.0 * sum(move > 12 for move in moves)
            + 0.15 * home
        )

    return min(candidates, key=cost)


@lru_cache(maxsize=4096)
def _positions(pcs: tuple[int, ...], register: tuple[int, int], voices: int, kinds: tuple[str, ...]) -> tuple[Voicing, ...]:
    low, high = register
    found: list[Voicing] = []
    for kind in kinds:
        tones = _tones(pcs, voices, kind)
        for turn in range(len(tones)):
            order = tones[turn:] + tones[:turn]
            for bottom in range(low, high + 1):
                if bottom % 12 != order[0]:
                    continue
                voicing = _opened(_stacked(bottom, order), kind)
                if (
                    voicing[-1] <= high + 5
                    and voicing[0] >= low - 2
                    and voicing[-1] - voicing[0] <= _WIDEST + 7
                    and _clear(voicing)
                ):
                    found.append(voicing)
    if not found:
        bottom = next(pitch for pitch in range(low, low + 12) if pitch % 12 == pcs[0])
        found.append(_stacked(bottom, pcs[:voices]))
    return tuple(dict.fromkeys(found))


def _tones(pcs: tuple[int, ...], voices: int, kind: str) -> tuple[int, ...]:
    """Which tones of the chord sound: always the third and seventh, then root, ninth and fifth."""
    if kind == "rootless" and len(pcs) > 3:
        wanted = pcs[1:]
    elif kind == "shell":
        wanted = (pcs[0], pcs[1], pcs[3]) if len(pcs) > 3 else pcs
    elif kind == "open5":
        wanted = (pcs[0], pcs[2] if len(pcs) > 2 else pcs[1])
    else:
        wanted = pcs
    if len(wanted) > voices:
        rank = {0: 2, 1: 0, 2: 4, 3: 1, 4: 3}
        places = sorted(sorted(range(len(wanted)), key=lambda place: rank.get(pcs.index(wanted[place]), 5))[:voices])
        wanted = tuple(wanted[place] for place in places)
    # A missing voice doubles the root, then the fifth.
    doubles = (pcs[0], pcs[2] if len(pcs) > 2 else pcs[0])
    while len(wanted) < voices and kind not in ("shell", "open5", "rootless"):
        wanted = (*wanted, doubles[len(wanted) % 2])
    return wanted


def _stacked(bottom: int, order: Sequence[int]) -> Voicing:
    pitches = [bottom]
    for pc in order[1:]:
        step = (pc - pitches[-1]) % 12
        pitches.append(pitches[-1] + (step or 12))
    return tuple(pitches)


def _opened(voicing: Voicing, kind: str) -> Voicing:
    if kind == "drop2" and len(voicing) >= 4:
        return tuple(sorted((*voicing[:-2], voicing[-2] - 12, voicing[-1])))
    if kind == "spread" and len(voicing) >= 3:
        return tuple(sorted((voicing[0], voicing[1] + 12, *voicing[2:])))
    return voicing


def _clear(voicing: Voicing) -> bool:
    return all(upper - lower >= 3 or lower >= _LOW_LIMIT for lower, upper in pairwise(voicing))

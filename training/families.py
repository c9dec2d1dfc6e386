"""Which tunes are variants of each other, and the split into training, validation and held-out tunes that keeps them together.

Two tunes are of one family when their titles say the same or when enough of their melodic n-grams agree. N-grams are of intervals
or of distances from the tonic, so transposition does not hide a variant; two views are taken, note by note and on a grid of
beats, so that neither another metre sign nor ornaments do.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from training.score import Tune, bar_ticks

NOTE_NGRAM = 10
GRID_NGRAM = 12
#: Share of the shorter tune's n-grams that another must hold to be its variant.
OVERLAP = 0.12
#: An n-gram in more tunes than this is common stock and says nothing.
COMMON = 25
_FILLER = {
    "the", "a", "an", "of", "and", "in", "to", "s", "reel", "jig", "hornpipe", "strathspey", "waltz", "march", "polka", "setting",
    "1st", "2nd", "3rd", "4th", "1", "2", "3", "4", "i", "ii", "iii", "o", "or", "new", "old", "favorite", "slipjig", "air",
    "song",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Split:
    """Tunes by use; no family stands on two sides."""

    training: tuple[Tune, ...]
    validation: tuple[Tune, ...]
    held_out: tuple[Tune, ...]
    families: int

    @property
    def held_out_hash(self) -> str:
        """SHA-256 over the sorted source names of the held-out tunes, one a line."""
        return hashlib.sha256("".join(f"{name}\n" for name in sorted(tune.source for tune in self.held_out)).encode()).hexdigest()


def fingerprints(tune: Tune) -> set[int]:
    """Hashes of the tune's melodic n-grams, both views, the same in every transposition."""
    return _note_ngrams(tune) | _grid_ngrams(tune)


def _stable_hash(values: tuple[object, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(values).encode(), digest_size=8).digest(), "big")


def _note_ngrams(tune: Tune) -> set[int]:
    pitches: list[int] = []
    tied = False
    for element in tune.elements():
        if element.pitch is not None and not tied:
            pitches.append(element.pitch.midi)
        tied = element.tie
    steps = [after - before for before, after in pairwise(pitches)]
    return {_stable_hash(("n", *steps[index : index + NOTE_NGRAM])) for index in range(len(steps) - NOTE_NGRAM + 1)}


def _grid_ngrams(tune: Tune) -> set[int]:
    """The melody sampled at a sixth (compound) or an eighth (other) of each bar, as distances from the tonic."""
    slots = 6 if tune.meter.numerator % 3 == 0 else 8
    length = bar_ticks(tune.meter)
    grams: set[int] = set()
    for section in tune.sections:
        sampled: list[int] = []
        for bar in section.bars:
            onset, index = 0, 0
            for element in bar:
                while index < slots and index * length < (onset + element.ticks) * slots:
                    sampled.append(-1 if element.pitch is None else (element.pitch.midi - tune.key.tonic_pc) % 12)
                    index += 1
                onset += element.ticks
        for start in range(0, len(sampled) - GRID_NGRAM + 1, slots // 2):
            gram = sampled[start : start + GRID_NGRAM]
            if len(set(gram)) > 3:
                grams.add(_stable_hash(("g", slots, *gram)))
    return grams


def title_key(title: str) -> str:
    """What is left of a title without articles, dance names and numbers; empty where nothing telling is left."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"['’`.]", "", title.lower()))
    telling = sorted({word for word in words if word not in _FILLER})
    key = " ".join(telling)
    return key if len(key) >= 5 else ""


def cluster(tunes: Sequence[Tune]) -> list[list[int]]:
    """Families as lists of indices, in order of their first tune."""
    parent = list(range(len(tunes)))

    def find(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def join(one: int, other: int) -> None:
        one, other = find(one), find(other)
        parent[max(one, other)] = min(one, other)

    prints = [fingerprints(tune) for tune in tunes]
    holders: dict[int, list[int]] = defaultdict(list)
    by_title: dict[str, int] = {}
    for index, tune in enumerate(tunes):
        for gram in prints[index]:
            holders[gram].append(index)
        key = title_key(tune.title)
        if key:
            join(by_title.setdefault(key, index), index)
    shared: Counter[tuple[int, int]] = Counter()
    for indices in holders.values():
        if 1 < len(indices) <= COMMON:
            shared.update((one, other) for place, one in enumerate(indices) for other in indices[place + 1 :])
    for (one, other), count in shared.items():
        if count >= 4 and count >= OVERLAP * min(len(prints[one]), len(prints[other])):
            join(one, other)
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(len(tunes)):
        groups[find(index)].append(index)
    return [groups[root] for root in sorted(groups)]


def split(tunes: Sequence[Tune], held_out: int = 420, validation: int = 100, chord_share: float = 0.12) -> Split:
    """Deal whole families, in an order drawn from their names, to held-out, validation and training tunes.

    `chord_share` of the held-out and validation tunes are ones with chord symbols. Families of more than 8 tunes are always
    trained on: holding one out would make its tune count for too much.
    """
    families = cluster(tunes)
    ordered = sorted(families, key=lambda family: hashlib.sha256(tunes[family[0]].source.encode()).hexdigest())
    sides: dict[str, list[int]] = {"held_out": [], "validation": [], "training": []}
    wanted = {
        (side, chords): count * (chord_share if chords else 1 - chord_share)
        for side, count in (("held_out", held_out), ("validation", validation))
        for chords in (True, False)
    }
    for family in ordered:
        chords = any(tunes[index].has_chords for index in family)
        for side in ("held_out", "validation"):
            if len(family) <= 8 and wanted[side, chords] > 0:
                wanted[side, chords] -= len(family)
                break
        else:
            side = "training"
        sides[side].extend(family)
    picked = {side: tuple(tunes[index] for index in sorted(indices)) for side, indices in sides.items()}
    return Split(picked["training"], picked["validation"], picked["held_out"], len(families))

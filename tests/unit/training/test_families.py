"""Variants of a tune stay on one side of the split, and the split is the same every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from llm_music_gen.domain.key import Key
from training.abc_reader import read_abc
from training.augment import transpose
from training.families import cluster, split, title_key
from training.score import Tune


def random_tune(seed: int, title: str = "") -> Tune:
    rng = np.random.default_rng(seed)
    bars = "|".join("".join(rng.choice(list("DEFGABcdefga"), 8)) for _ in range(16))
    return read_abc(f"X:1\nT:{title or f'Untitled {seed} qqq{seed}'}\nM:4/4\nL:1/8\nK:D\n{bars}|]", f"book/{seed}")


def test_a_tune_in_another_key_is_of_the_same_family() -> None:
    tunes = [random_tune(seed) for seed in range(6)]
    variant = replace(transpose(tunes[2], Key.parse("F")), title="Under Another Name", source="book/variant")
    assert [2, 6] in cluster([*tunes, variant])


def test_tunes_of_one_title_are_of_one_family_and_strangers_are_not() -> None:
    tunes = [random_tune(1, "The Humours of Glin"), random_tune(2, "Humours of Glin -- Reel"), random_tune(3)]
    assert cluster(tunes) == [[0, 1], [2]]


def test_titles_without_a_telling_word_say_nothing() -> None:
    assert title_key("The New Reel, 2nd setting") == ""
    assert title_key("Kilkenny Girl, The") == title_key("The Kilkenny Girl")


def test_no_family_stands_on_two_sides_and_the_split_repeats() -> None:
    tunes: list[Tune] = []
    for seed in range(60):
        tune = random_tune(seed)
        tunes += [tune, replace(transpose(tune, Key.parse("C")), source=f"other/{seed}")]
    first, again = split(tunes, held_out=20, validation=10), split(list(tunes), held_out=20, validation=10)
    assert first == again and first.held_out_hash == again.held_out_hash and len(first.held_out_hash) == 64
    sides = [{tune.source.split("/")[1] for tune in side} for side in (first.training, first.validation, first.held_out)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert sum(map(len, (first.training, first.validation, first.held_out))) == len(tunes)
    assert len(first.held_out) >= 18

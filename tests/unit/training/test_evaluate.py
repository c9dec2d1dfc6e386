"""The measurements add up."""

from __future__ import annotations

import numpy as np
import pytest

from training.abc_reader import read_abc
from training.evaluate import Score, table, xz_bits

TUNE = read_abc("X:1\nM:4/4\nL:1/8\nK:G\nG2BG DGBG|A2cA EAcA|B2dB GBdB|c2Bc A2FA|G2BG DGBG|A2cA EAcA|d2dc BGAF|G4 G4|]")
OTHER = read_abc("X:2\nM:4/4\nL:1/8\nK:D\nd2fd Adfd|e2ge Begc|f2af dfaf|g2fg e2ce|d2fd Adfd|e2ge Bege|a2ag fdec|d4 d4|]")


def test_bits_per_character_are_those_of_all_characters_together() -> None:
    assert Score(np.array([10.0, 50.0]), np.array([10, 20])).bits_per_character == pytest.approx(2.0)


def test_the_interval_holds_the_mean_and_narrows_with_more_tunes() -> None:
    rng = np.random.default_rng(1)
    few = Score(rng.uniform(50, 150, 20), np.full(20, 100))
    many = Score(rng.uniform(50, 150, 2000), np.full(2000, 100))
    for score in (few, many):
        low, high = score.interval()
        assert low < score.bits_per_character < high
    assert np.diff(many.interval())[0] < np.diff(few.interval())[0]


def test_the_interval_of_a_difference_is_paired() -> None:
    bits = np.random.default_rng(2).uniform(50, 150, 200)
    worse, better = Score(bits + 10, np.full(200, 100)), Score(bits, np.full(200, 100))
    low, high = worse.interval(minus=better)
    assert low == pytest.approx(0.1) and high == pytest.approx(0.1)


def test_xz_needs_fewer_bits_for_what_stands_in_the_prefix() -> None:
    assert 0 <= xz_bits([TUNE, OTHER], [TUNE]) < xz_bits([OTHER], [TUNE])


def test_the_table_has_a_row_for_each_kind_of_tune() -> None:
    score = Score(np.array([80.0, 90.0]), np.array([70, 72]))
    lines = table(score, [TUNE], [OTHER, OTHER], baseline=None)
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["all", "without chords"]

"""Measures of scores and levels against examples worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.score import Note
from llm_music_gen.evaluating import score
from llm_music_gen.evaluating.levels import measure_levels

RATE_HZ = 44_100
FOUR = ((0.0, 1.0, 60), (1.0, 1.0, 62), (2.0, 1.0, 64), (3.0, 1.0, 65))
ONE = ((0.0, 4.0, 60),)


def test_pitch_class_entropy_of_four_equal_classes_is_two_bits() -> None:
    assert score.pitch_class_entropy([FOUR], 1) == pytest.approx(2.0)
    assert score.pitch_class_entropy([FOUR, ONE], 1) == pytest.approx(1.0)


def test_groove_similarity_counts_differing_sixteenths() -> None:
    assert score.groove_similarity([FOUR, FOUR], 4.0) == 1.0
    assert score.groove_similarity([FOUR, ONE], 4.0) == pytest.approx(1 - 3 / 16)


def test_a_phrase_repeated_a_tone_higher_is_repeated() -> None:
    higher = tuple((onset, length, pitch + 2) for onset, length, pitch in FOUR)
    assert score.phrase_repetition([FOUR, FOUR, higher, higher]) == 0.5
    assert score.phrase_repetition([FOUR, FOUR, ONE, FOUR]) == 0.0


def test_a_phrase_with_one_note_changed_nearly_repeats() -> None:
    bent = (*FOUR[:3], (3.0, 1.0, 67))
    assert score.repeats_a_phrase([FOUR, FOUR, FOUR, bent])
    backwards = tuple((onset, length, 130 - pitch) for onset, length, pitch in FOUR)
    assert not score.repeats_a_phrase([FOUR, FOUR, ONE, backwards])


def test_distances_and_obedience() -> None:
    assert score.edit_distance("kitten", "sitting") == 3
    assert score.chord_obedience(["C", "F", "G", "C"], ["C", "Am", "F", "C"]) == 0.75


def test_histograms_and_their_distance() -> None:
    notes = [Note(Fraction(0), Fraction(1), 60), Note(Fraction(1), Fraction(1), 62), Note(Fraction(2), Fraction(2), 60)]
    assert score.length_histogram(notes)[[6, 8]] == pytest.approx([2 / 3, 1 / 3])
    assert score.interval_histogram(notes)[[10, 14]] == pytest.approx([0.5, 0.5])
    halves, whole = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    assert score.overlap(halves, whole) == 0.5
    assert score.divergence_bits(halves, halves) == pytest.approx(0.0)
    assert score.divergence_bits(whole, halves) == pytest.approx(1.0, abs=0.02)


def test_levels_of_white_noise_with_one_click() -> None:
    noise = 0.01 * np.random.default_rng(1).standard_normal((44_100 * 4, 1)).astype(np.float32)
    samples = np.repeat(noise, 2, axis=1)
    measured = measure_levels(samples, 44_100)
    assert measured.tilt_db_per_octave == pytest.approx(0.0, abs=0.3)
    assert measured.low_percent == pytest.approx(100 * 150 / 22_050, abs=0.2)
    assert measured.lowest_correlation == pytest.approx(1.0)
    assert measured.low_side_db < -80 and measured.clicks == 0
    samples[100_000] = 0.9
    assert measure_levels(samples, 44_100).clicks == 1


def _stereo(mono: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.repeat(mono[:, None], 2, axis=1).astype(np.float32)


def test_hits_of_drums_and_saw_waves_are_no_clicks_but_a_step_among_them_is() -> None:
    rng = np.random.default_rng(0)
    mono = np.zeros(RATE_HZ * 2)
    for start in range(0, len(mono), RATE_HZ // 2):
        at_s = np.arange(RATE_HZ // 4) / RATE_HZ
        mono[start : start + len(at_s)] += 0.8 * np.sin(2 * np.pi * 55 * at_s) * np.exp(-12 * at_s)
        mono[start + 10_000 : start + 14_000] += 0.5 * rng.standard_normal(4_000) * np.exp(-np.arange(4_000) / 800)
    saw = 0.4 * (2 * (np.arange(RATE_HZ * 2) * 55 / RATE_HZ % 1.0) - 1)
    assert measure_levels(_stereo(mono), RATE_HZ).clicks == 0
    assert measure_levels(_stereo(saw), RATE_HZ).clicks == 0
    mono[52_000:] += 0.3
    assert measure_levels(_stereo(mono), RATE_HZ).clicks == 1


def test_width_above_the_bass_is_no_width_of_the_bass() -> None:
    at_s = np.arange(RATE_HZ * 2) / RATE_HZ
    bass, wide, low = (np.sin(2 * np.pi * hz * at_s) for hz in (60, 140, 50))
    wide_above = _channels(bass + wide, bass - wide)
    assert measure_levels(wide_above, RATE_HZ).low_side_db < -40
    apart = _channels(bass + 0.1 * low, bass - 0.1 * low)
    assert measure_levels(apart, RATE_HZ).low_side_db == pytest.approx(-20, abs=0.5)
    no_bass = _channels(wide, wide + 1e-4 * low)
    assert measure_levels(no_bass, RATE_HZ).low_side_db < -60


def _channels(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float32]:
    return (np.stack([left, right], axis=1) / 2).astype(np.float32)

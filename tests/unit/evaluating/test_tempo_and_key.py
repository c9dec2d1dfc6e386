"""Tempo and key of signals whose tempo and key are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.evaluating.keys import constant_q_key, harmonic_profile_key, key_relation
from llm_music_gen.evaluating.tempo import fourier_tempogram_bpm, interval_histogram_bpm, tempo_found

RATE_HZ = 44_100


def _clicks(bpm: float, length_s: float = 12.0) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    mono = np.zeros(int(length_s * RATE_HZ), dtype=np.float32)
    hit = (rng.standard_normal(4_000) * np.exp(-np.arange(4_000) / 600)).astype(np.float32)
    for number in range(int(length_s * bpm / 60)):
        start = int(number * 60 / bpm * RATE_HZ)
        piece = hit[: len(mono) - start]
        mono[start : start + len(piece)] += piece * (1.0 if number % 2 == 0 else 0.7)
    return mono


def _chords(roots: list[tuple[int, str]], a4_hz: float = 440.0) -> NDArray[np.float32]:
    at = np.arange(RATE_HZ) / RATE_HZ
    out = []
    for root, mode in roots:
        pitches = (root - 12, root, root + (3 if mode == "minor" else 4), root + 7)
        hz = [a4_hz * 2 ** ((pitch - 69) / 12) for pitch in pitches]
        out.append(sum(np.sin(2 * np.pi * many * one * at) / many for one in hz for many in (1, 2, 3)))
    return np.concatenate(out).astype(np.float32)


@pytest.mark.parametrize("bpm", [72.0, 97.0, 128.0, 174.0])
@pytest.mark.parametrize("estimator", [fourier_tempogram_bpm, interval_histogram_bpm])
def test_both_estimators_find_the_tempo_of_clicks(estimator, bpm: float) -> None:  # type: ignore[no-untyped-def]
    assert tempo_found(estimator(_clicks(bpm), RATE_HZ), bpm)


@pytest.mark.parametrize("estimator", [fourier_tempogram_bpm, interval_histogram_bpm])
def test_silence_has_no_tempo(estimator) -> None:  # type: ignore[no-untyped-def]
    assert estimator(np.zeros(RATE_HZ * 6, dtype=np.float32), RATE_HZ) is None


def test_a_tempo_that_is_a_tenth_off_is_not_found() -> None:
    assert not tempo_found(110.0, 100.0)
    assert tempo_found(103.0, 100.0) and tempo_found(50.5, 100.0) and not tempo_found(None, 100.0)


@pytest.mark.parametrize("estimator", [constant_q_key, harmonic_profile_key])
def test_both_estimators_find_the_key_of_a_cadence(estimator) -> None:  # type: ignore[no-untyped-def]
    for tonic, name in ((60, "C"), (63, "Eb"), (67, "G")):
        cadence = [(tonic, "major"), (tonic + 5, "major"), (tonic + 7, "major"), (tonic, "major")]
        assert estimator(_chords(cadence), RATE_HZ) == Key(name)
    assert estimator(_chords([(57, "minor"), (62, "minor"), (64, "major"), (57, "minor")]), RATE_HZ) == Key("A", "minor")


def test_the_harmonic_profile_corrects_the_tuning() -> None:
    cadence = [(60, "major"), (65, "major"), (67, "major"), (60, "major")]
    assert harmonic_profile_key(_chords(cadence, a4_hz=449.0), RATE_HZ) == Key("C")


def test_relations_of_keys() -> None:
    assert [key_relation(Key.parse(name), Key("C")) for name in ("C", "Am", "G", "F", "Cm", "D")] == [
        "same", "relative", "fifth", "fifth", "parallel", "other",
    ]  # fmt: skip
    assert key_relation(Key("C"), Key("A", "minor")) == "relative"

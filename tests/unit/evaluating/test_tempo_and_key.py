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


def _loop(bpm: float, swing: float, noise: float, length_s: float = 15.0) -> NDArray[np.float32]:
    """Kick, snare and swung hats with human timing, over a held chord and noise."""
    rng = np.random.default_rng(2)
    count = int(length_s * RATE_HZ)
    at_s = np.arange(count) / RATE_HZ
    mono = 0.1 * sum(np.sin(2 * np.pi * hz * at_s) for hz in (110, 165, 220)) + noise * rng.standard_normal(count)
    beat_s = 60 / bpm
    ring_s = np.arange(8_000) / RATE_HZ
    kick = 0.9 * np.sin(2 * np.pi * 60 * ring_s) * np.exp(-18 * ring_s)
    snare = 0.5 * rng.standard_normal(8_000) * np.exp(-25 * ring_s)
    hat = 0.15 * np.diff(rng.standard_normal(8_001)) * np.exp(-60 * ring_s)
    for beat in range(int(length_s / beat_s)):
        hits = [(0.0, kick if beat % 2 == 0 else snare), (0.0, hat), (swing, hat)]
        if beat % 4 == 2:
            hits.append((swing, kick))
        for place, hit in hits:
            start = max(0, int(((beat + place) * beat_s + rng.normal(0, 0.006)) * RATE_HZ))
            piece = hit[: count - start]
            mono[start : start + len(piece)] += piece
    return np.asarray(mono, dtype=np.float32)


@pytest.mark.parametrize(
    ("bpm", "swing", "noise"), [(84.0, 0.62, 0.03), (96.0, 0.667, 0.01), (124.0, 0.5, 0.05), (140.0, 0.54, 0.02)]
)
@pytest.mark.parametrize("estimator", [fourier_tempogram_bpm, interval_histogram_bpm])
def test_both_find_the_tempo_of_swung_drums_in_noise(estimator, bpm: float, swing: float, noise: float) -> None:  # type: ignore[no-untyped-def]
    assert tempo_found(estimator(_loop(bpm, swing, noise), RATE_HZ), bpm)


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


@pytest.mark.parametrize("estimator", [constant_q_key, harmonic_profile_key])
def test_drums_do_not_hide_the_key(estimator) -> None:  # type: ignore[no-untyped-def]
    cadence = _chords([(62, "major"), (67, "major"), (69, "major"), (62, "major")])
    drums = np.resize(_loop(100.0, 0.5, 0.0, 4.0), len(cadence))
    assert key_relation(estimator(cadence / 8 + 0.3 * drums, RATE_HZ), Key("D")) in ("same", "fifth")


def test_the_harmonic_profile_corrects_the_tuning() -> None:
    cadence = [(60, "major"), (65, "major"), (67, "major"), (60, "major")]
    assert harmonic_profile_key(_chords(cadence, a4_hz=449.0), RATE_HZ) == Key("C")


def test_relations_of_keys() -> None:
    assert [key_relation(Key.parse(name), Key("C")) for name in ("C", "Am", "G", "F", "Cm", "D")] == [
        "same", "relative", "fifth", "fifth", "parallel", "other",
    ]  # fmt: skip
    assert key_relation(Key("C"), Key("A", "minor")) == "relative"

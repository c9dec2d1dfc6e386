"""The reference pitch that puts the tonic on a frequency."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.tuning.frequency import Frequency, parse_frequency
from llm_music_gen.tuning.retune import beat_hz, fold_to_musical_range, tune_to
from llm_music_gen.units import midi_to_hz


def octaves_off(frequency_hz: float, other_hz: float) -> float:
    octaves = math.log2(frequency_hz / other_hz)
    return abs(octaves - round(octaves))


@given(st.floats(20.0, 20_000.0))
def test_the_tonic_lies_exactly_on_the_frequency_in_some_octave(hz: float) -> None:
    tuning = tune_to(Frequency(hz, "tonic", ""))
    assert tuning.tonic_pc is not None
    assert octaves_off(hz, midi_to_hz(60 + tuning.tonic_pc, tuning.a4_hz)) * 1200 < 1e-6
    assert 427.4 < tuning.a4_hz < 452.9


@pytest.mark.parametrize(("hz", "a4_hz", "key"), [(528.0, 443.993, "C"), (639.0, 451.841, "Eb"), (136.102, 432.10, "C#m")])
def test_known_values(hz: float, a4_hz: float, key: str) -> None:
    tuning = tune_to(Frequency(hz, "tonic", ""))
    assert tuning.a4_hz == pytest.approx(a4_hz, abs=0.01)
    assert tuning.tonic_pc == Key.parse(key).tonic_pc


def test_a_key_that_was_asked_for_is_kept() -> None:
    wanted = Key.parse("A minor")
    tuning = tune_to(parse_frequency("528"), wanted)
    assert tuning.key(wanted, "major") == wanted
    assert octaves_off(528.0, midi_to_hz(69, tuning.a4_hz)) * 1200 < 1e-6


def test_a_reference_moves_a4_and_leaves_the_key() -> None:
    tuning = tune_to(parse_frequency("A4=432"))
    assert tuning.a4_hz == 432.0
    assert tuning.key(Key.parse("Dm"), "major") == Key.parse("Dm")


def test_no_frequency_is_concert_pitch() -> None:
    assert tune_to(None).a4_hz == 440.0


def test_a_frequency_below_hearing_becomes_a_pulse_and_an_octave_of_it() -> None:
    schumann = parse_frequency("7.83")
    assert beat_hz(schumann) == pytest.approx(7.83)
    assert tune_to(schumann).tonic_hz == pytest.approx(250.56)
    assert beat_hz(parse_frequency("528")) is None


@given(st.floats(0.1, 20_000.0))
def test_folding_moves_by_whole_octaves_into_the_musical_range(hz: float) -> None:
    folded = fold_to_musical_range(hz)
    assert 27.5 <= folded <= 2_100.0
    assert octaves_off(hz, folded) < 1e-9

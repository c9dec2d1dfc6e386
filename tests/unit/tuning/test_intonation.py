"""Pitches above a tonic, tempered and just."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest

from llm_music_gen.domain.score import Intonation
from llm_music_gen.errors import UsageError
from llm_music_gen.tuning.intonation import beating_hz, cents_from_equal, frequency_of, pitch_hz, ratios
from llm_music_gen.units import midi_to_hz

#: The scale above 528 Hz, worked out by hand.
JUST_528_HZ = (528.0, 563.2, 594.0, 633.6, 660.0, 704.0, 742.5, 792.0, 844.8, 880.0, 950.4, 990.0)


@pytest.mark.parametrize("step", range(12))
def test_just_steps_are_whole_ratios_of_the_tonic_in_every_octave(step: int) -> None:
    for octave in (-3, 0, 2):
        assert frequency_of(72 + step + 12 * octave, 528.0, 72, "just") == pytest.approx(
            JUST_528_HZ[step] * 2.0**octave, rel=1e-12
        )


def test_equal_steps_are_even() -> None:
    assert frequency_of(76, 528.0, 72) == pytest.approx(665.238, abs=0.001)
    assert frequency_of(60, 528.0, 72) == 264.0


def test_a_just_third_on_a_drone_does_not_beat_and_a_tempered_one_does() -> None:
    third = Fraction(5, 4)
    assert beating_hz(264.0, frequency_of(76, 528.0, 72, "just") / 2, third) == pytest.approx(0.0, abs=1e-9)
    assert beating_hz(264.0, frequency_of(76, 528.0, 72) / 2, third) == pytest.approx(10.48, abs=0.01)


@pytest.mark.parametrize(
    ("chord_root", "low", "high", "wanted"), [(5, 9, 14, "4/3"), (9, 9, 14, "4/3"), (7, 7, 14, "3/2"), (2, 2, 9, "3/2")]
)
def test_the_second_step_is_pure_over_every_chord(chord_root: int, low: int, high: int, wanted: str) -> None:
    low_hz, high_hz = (frequency_of(60 + step, 264.0, 60, "just", chord_root=chord_root) for step in (low, high))
    assert high_hz / low_hz == pytest.approx(float(Fraction(wanted)), rel=1e-12)


def test_the_tonic_of_an_arrangement_stays_where_the_reference_pitch_puts_it() -> None:
    just = Intonation("just", tonic_pc=2)
    assert pitch_hz(50, 432.0, just) == pytest.approx(midi_to_hz(50, 432.0), rel=1e-12)
    assert pitch_hz(54, 432.0, just) == pytest.approx(midi_to_hz(50, 432.0) * 5 / 4, rel=1e-12)
    assert cents_from_equal(54, just) == pytest.approx(-13.686, abs=0.001)
    assert cents_from_equal(54, Intonation()) == 0.0


def test_the_table_rises_within_an_octave() -> None:
    steps = ratios().steps
    assert len(steps) == 12 and steps[0] == 1
    assert all(1 < later / earlier < Fraction(6, 5) for earlier, later in pairwise(steps)) and steps[-1] < 2


def test_an_unknown_system_is_refused() -> None:
    with pytest.raises(UsageError, match="tuning system"):
        frequency_of(60, 264.0, 60, "pythagorean")  # type: ignore[arg-type]

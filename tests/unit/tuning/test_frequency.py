"""What people type as a frequency."""

from __future__ import annotations

import pytest

from llm_music_gen.errors import UsageError
from llm_music_gen.tuning.frequency import frequency_names, parse_frequency


@pytest.mark.parametrize(
    ("text", "hz", "kind"),
    [
        ("528", 528.0, "tonic"),
        ("528Hz", 528.0, "tonic"),
        ("  528 hz ", 528.0, "tonic"),
        ("136,1", 136.1, "tonic"),
        ("1.2 kHz", 1200.0, "tonic"),
        ("20", 20.0, "tonic"),
        ("20000", 20_000.0, "tonic"),
        ("432", 432.0, "tonic"),
        ("7.83", 7.83, "pulse"),
        ("A4=442", 442.0, "reference"),
        ("a = 432 Hz", 432.0, "reference"),
        ("om", 136.102, "tonic"),
        ("OM", 136.102, "tonic"),
        ("Schumann", 7.83, "pulse"),
        ("schumann 2", 14.3, "pulse"),
        ("solfeggio mi", 528.0, "tonic"),
        ("verdi", 432.0, "reference"),
        ("Jupiter", 183.577, "tonic"),
    ],
)
def test_a_frequency_is_read(text: str, hz: float, kind: str) -> None:
    frequency = parse_frequency(text)
    assert frequency.hz == pytest.approx(hz)
    assert frequency.kind == kind


@pytest.mark.parametrize("text", ["0", "-5", "nan", "inf", "1e9", "", "loud", "A4=", "A4=nan", "A4=880", "528 apples", "5_2"])
def test_nonsense_gets_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_frequency(text)
    assert str(caught.value).count("\n") == 0


def test_a_misspelt_name_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="'schumann'"):
        parse_frequency("shumann")


def test_a_bare_number_can_be_taken_as_the_reference() -> None:
    assert parse_frequency("432", meaning="reference").kind == "reference"
    with pytest.raises(UsageError):
        parse_frequency("528", meaning="reference")


def test_every_name_says_where_its_number_comes_from() -> None:
    names = frequency_names()
    assert len(names) >= 30
    assert all(frequency.origin for frequency in names.values())

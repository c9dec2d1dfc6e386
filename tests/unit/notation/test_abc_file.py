from __future__ import annotations

from fractions import Fraction

import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSection, LeadSheet, Note
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.abc_file import tempo_field, write_abc
from llm_music_gen.notation.text import parse_section

KEY, COMMON, EIGHTH = Key("D", "minor"), Meter(4, 4), Fraction(1, 8)


def sheet(title: str = "Night Train") -> LeadSheet:
    first = parse_section('"Dm"A2ABc2Bc|"Gm"d2dcBAG2|', label="A", key=KEY, meter=COMMON, unit=EIGHTH)
    second = parse_section("(3ABcd2d4|D8|", label="B", key=KEY, meter=COMMON, unit=EIGHTH)
    return LeadSheet(title, KEY, COMMON, 96, (first, second), ("A", "B", "A"))


def test_a_lead_sheet_is_a_complete_abc_file() -> None:
    assert write_abc(sheet()).splitlines() == [
        "%abc-2.1",
        "X:1",
        "T:Night Train",
        "C:Llm-Music-Gen",
        "M:4/4",
        "L:1/8",
        "Q:1/4=96",
        "P:ABA",
        "K:Dm",
        "P:A",
        '"Dm"A2 AB c2 Bc|"Gm"d2 dc BA G2||',
        "P:B",
        "(3ABc d2 d4|D8|]",
    ]


@pytest.mark.parametrize("title", ["a\nK:G", "50 % \\ off", "x" * 500, "\x00", "café ♪"])
def test_titles_stay_in_their_field(title: str) -> None:
    lines = write_abc(sheet(title)).splitlines()
    assert [line[:2] for line in lines[1:8]] == ["X:", "T:", "C:", "M:", "L:", "Q:", "P:"]
    assert len(lines[2]) < 220


def test_the_tempo_counts_the_beat() -> None:
    assert tempo_field(Meter(6, 8), 90) == "3/8=90"
    assert tempo_field(Meter(3, 2), 72.5) == "1/2=72.5"


def test_fine_rhythm_gets_a_shorter_unit() -> None:
    note = Note(Fraction(0), Fraction(1, 48), 60)
    fine = LeadSheet("Fine", KEY, COMMON, 96, (LeadSection("A", 1, (Note(Fraction(0), Fraction(1, 64), 60),), ()),))
    assert "L:1/16" in write_abc(fine)
    with pytest.raises(NotationError, match="too fine"):
        write_abc(LeadSheet("Finer", KEY, COMMON, 96, (LeadSection("A", 1, (note, Note(Fraction(1, 5), Fraction(1), 60)), ()),)))

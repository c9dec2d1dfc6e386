from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSheet
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.reader import read_abc
from tests.unit.notation.strategies import keys, meters, sections

HEAD = "X:1\nT:Test\nM:4/4\nL:1/4\nK:C\n"


def read(music: str) -> LeadSheet:
    return read_abc(HEAD + music)


def heard(sheet: LeadSheet) -> list[int]:
    """Pitches in playing order."""
    return [note.pitch for label in sheet.order for note in sheet.section(label).notes]


@settings(deadline=None, max_examples=60)
@given(st.data(), keys, meters)
def test_what_we_write_we_read_back(data: st.DataObject, key: Key, meter: Meter) -> None:
    section = data.draw(sections(meter, Fraction(1, 8)).filter(lambda section: bool(section.notes)))
    sheet = read_abc(write_abc(LeadSheet("Tune", key, meter, 96, (section,))))
    assert (sheet.title, sheet.key, sheet.meter, sheet.tempo_bpm) == ("Tune", key, meter, 96)
    assert sheet.sections == (section,)


def test_the_head_is_read() -> None:
    sheet = read_abc("X:7\nT:Jig\nT:Other name\nM:6/8\nL:1/8\nQ:3/8=112\nK:Edor\nA3B3|c6|]")
    assert (sheet.title, sheet.meter, sheet.key, sheet.tempo_bpm) == ("Jig", Meter(6, 8), Key("E", "dorian"), 112)


def test_a_bare_line_of_music_is_enough() -> None:
    assert heard(read_abc("CDEF GABc|")) == [60, 62, 64, 65, 67, 69, 71, 72]


@pytest.mark.parametrize(
    ("music", "pitches"),
    [
        ("|:C4|D4:|", "CDCD"),
        ("C4|D4:|E4|", "CDCDE"),
        ("|:C4|D4:|:E4|F4:|", "CDCDEFEF"),
        ("|:C4|D4::E4|F4:|", "CDCDEFEF"),
        ("|:C4|[1D4:|[2E4|]", "CDCE"),
        ("|:C4|1D4:|2E4|F4|]", "CDCEF"),
        ("|:C4|1D4:|2E4||F4|", "CDCEF"),
        ("|:C4|[1,2D4:|[3E4|]", "CDCDCE"),
        ("|:C4|1D4:|2E4:|:F4|1G4:|2A4:|", "CDCEFGFA"),
        ("C4|D4|]", "CD"),
        ("|:C4|D4\n:|E4|", "CDCDE"),
    ],
)
def test_repeats_and_endings_are_played(music: str, pitches: str) -> None:
    assert heard(read(music)) == [{"C": 60, "D": 62, "E": 64, "F": 65, "G": 67, "A": 69}[letter] for letter in pitches]


def test_a_seam_with_nothing_before_it_makes_no_section() -> None:
    sheet = read("[3C4||D4|")
    assert [(section.label, section.bars) for section in sheet.sections] == [("A", 1)]
    assert read_abc(write_abc(sheet)).sections == sheet.sections


def test_notes_of_thousands_of_bars_are_refused() -> None:
    assert sum(section.bars for section in read("C7996|D4|").sections) == 2_000
    with pytest.raises(NotationError, match=r"2,000 bars"):
        read("C7996|D4|E4|")


def test_notes_of_an_ending_that_is_never_reached_are_no_tune() -> None:
    with pytest.raises(NotationError, match="ever played"):
        read("|3(C4")


def test_sections_that_sound_alike_share_a_label() -> None:
    sheet = read("|:C4|D4:|:E4|F4:|C4|D4|")
    assert sheet.order == ("A", "A", "B", "B", "A")
    assert [section.bars for section in sheet.sections] == [2, 2]


def test_a_pickup_is_a_bar_that_begins_with_a_rest() -> None:
    sheet = read("G|C4|D3:|")
    first = sheet.section(sheet.order[0])
    assert first.bars == 1
    assert (int(first.notes[0].onset_ql), first.notes[0].pitch) == (3, 67)
    assert heard(sheet) == [67, 60, 62, 67, 60, 62]
    assert [sheet.section(label).bars for label in sheet.order] == [1, 2, 2]


def test_broken_rhythm_is_spelled_out() -> None:
    lengths = [note.duration_ql for note in read("C>D E<F|").section("A").notes]
    assert lengths == [Fraction(3, 2), Fraction(1, 2), Fraction(1, 2), Fraction(3, 2)]


def test_ornaments_grace_notes_slurs_and_remarks_are_dropped() -> None:
    sheet = read('({ab}C2) !trill!~D"^slowly"E|')
    assert heard(sheet) == [60, 62, 64]
    assert sheet.section("A").chords == ()


def test_chord_symbols_are_kept_and_the_top_note_of_a_chord_is_the_melody() -> None:
    section = read('"Am7"[CEA]2"F/C"[FAc]2|').section("A")
    assert section.chords == (ChordSymbol(Fraction(0), 9, "m7"), ChordSymbol(Fraction(2), 5, "", 0))
    assert [note.pitch for note in section.notes] == [69, 72]


def test_ties_join_across_bars() -> None:
    assert [note.duration_ql for note in read("C2D2-|D4-|D2E2|").section("A").notes] == [2, 8, 2]


def test_wrong_bars_are_filled_up_to_whole_bars() -> None:
    sheet = read("C4|C2D|E4F|G4|")
    assert [note.onset_ql % 4 for note in sheet.section("A").notes] == [0, 0, 2, 0, 0, 0]
    assert sheet.section("A").bars == 5


def test_only_the_first_voice_with_notes_is_read() -> None:
    assert heard(read("V:1\nz4|\nV:2\nC4|\nV:3\nE4|")) == [60]


def test_only_the_first_tune_is_read() -> None:
    assert heard(read("C4|\n\nX:2\nK:C\nD4|")) == [60]


@pytest.mark.parametrize("text", ["", "hello world", "X:1\nK:C\n", "z4|z4|", "|||", "W:words"])
def test_a_text_without_notes_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        read_abc("X:1\nK:C\n%" + text)

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import ChordSymbol, LeadSection, LeadSheet, Note
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.text import parse_section
from llm_music_gen.notation.writer import composer_text, section_text
from tests.unit.notation.strategies import keys, meters, sections, units

COMMON = Meter(4, 4)
EIGHTH = Fraction(1, 8)


def read(text: str, key: str = "C", meter: Meter = COMMON, unit: Fraction = EIGHTH, bars: int | None = None) -> LeadSection:
    return parse_section(text, label="A", key=Key.parse(key), meter=meter, unit=unit, bars=bars)


def pitches(text: str, key: str = "C") -> list[int]:
    return [note.pitch for note in read(text, key).notes]


@settings(deadline=None, max_examples=200)
@given(st.data(), keys, meters, units)
def test_what_is_written_reads_back_the_same(data: st.DataObject, key: Key, meter: Meter, unit: Fraction) -> None:
    section = data.draw(sections(meter, unit))
    text = section_text(section, key, meter, unit)
    again = parse_section(text, label="A", key=key, meter=meter, unit=unit, bars=section.bars)
    assert again == section
    assert section_text(again, key, meter, unit) == text


def test_a_bar_of_the_composer_is_read_with_its_chords() -> None:
    section = read('"Dm"A2ABc2Bc|"Gm"d2dc"A7"BAG2|\n', "Dm", bars=2)
    assert section.chords == (
        ChordSymbol(Fraction(0), 2, "m"),
        ChordSymbol(Fraction(4), 7, "m"),
        ChordSymbol(Fraction(6), 9, "7"),
    )
    assert section.notes[0] == Note(Fraction(0), Fraction(1), 69)
    assert section.notes[2].pitch == 70  # B is flat in D minor


def test_accidentals_hold_to_the_bar_line_in_every_octave() -> None:
    assert pitches("^FFf=fF4-|F4^F4|") == [66, 66, 78, 77, 65, 66]


def test_the_key_signature_applies() -> None:
    assert pitches("F2f2_B2B2|", "D") == [66, 78, 70, 70]


def test_octave_marks_move_octaves() -> None:
    assert pitches("C,2C2c2c'2|") == [48, 60, 72, 84]


def test_triplets_take_the_time_of_two() -> None:
    section = read("(3ABcA2 (3A2B2c2|")
    assert [note.duration_ql for note in section.notes[:3]] == [Fraction(1, 3)] * 3
    assert [note.duration_ql for note in section.notes[4:]] == [Fraction(2, 3)] * 3


def test_ties_join_notes_across_the_bar_line() -> None:
    assert read("c4A4-|A8|").notes[1] == Note(Fraction(2), Fraction(6), 69)


def test_a_chord_change_under_a_held_note_divides_it_on_paper_only() -> None:
    note = Note(Fraction(0), Fraction(4), 60)
    chords = (ChordSymbol(Fraction(0), 0, ""), ChordSymbol(Fraction(2), 7, "7"))
    section = LeadSection("A", 1, (note,), chords)
    text = section_text(section, Key("C"), COMMON, EIGHTH)
    assert text == '"C"C4-"G7"C4|'
    assert read(text) == section


def test_two_notes_of_a_triplet_are_written_as_three() -> None:
    section = LeadSection("A", 1, (Note(Fraction(0), Fraction(2, 3), 60), Note(Fraction(2, 3), Fraction(1, 3), 62)), ())
    assert section_text(section, Key("C"), COMMON, EIGHTH) == "(3C-CDz6|"


def test_a_lead_sheet_becomes_one_composer_text() -> None:
    section = read("A8|")
    sheet = LeadSheet("Tune", Key("D", "minor"), COMMON, 100, (section,))
    assert composer_text(sheet, EIGHTH) == "M:4/4\nL:1/8\nK:Dm\n%plain\nP:A1\nA8|\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A7|", "7/8 of a whole note instead of 4/4"),
        ("A8", "not closed"),
        ("A8c|", "longer than 4/4"),
        ("A8-|B8|", "another pitch"),
        ("A8-|", "leads out"),
        ("A8|z8-|", "Bar 2"),
        ("A4-z4|", "rest cannot be tied"),
        ("(3AB|", "triplet is not complete"),
        ("(3A(3BcdA4|", "triplet begins inside"),
        ("H8|", "character 1: 'H8|'"),
        ('"Xyz"A8|', "chord symbol"),
        ("A0A8|", "zero"),
        ("A/0|", "note length"),
        ("C,,,,,,8|", "character 7"),
        ("", "no bars"),
        ("A8||", "0 of a whole note"),
        ("A8|A8|", "2 bars instead of 1"),
        ("A99999|", "Bar 1"),
        ("A8|\0", "Bar 2, character 4"),
    ],
)
def test_errors_say_where_and_what(text: str, words: str) -> None:
    with pytest.raises(NotationError) as caught:
        read(text, bars=1 if text == "A8|A8|" else None)
    assert words in str(caught.value)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ABCabcz234/|-\"(^_=',m7 \n", max_size=60))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        section = read(text)
    except NotationError as error:
        assert str(error)
    else:
        assert section.bars == text.count("|")


@pytest.mark.parametrize(
    "notes",
    [
        (Note(Fraction(0), Fraction(2), 60), Note(Fraction(1), Fraction(2), 64)),
        (Note(Fraction(3), Fraction(2), 60),),
        (Note(Fraction(0), Fraction(1, 5), 60),),
    ],
)
def test_what_cannot_be_written_is_refused(notes: tuple[Note, ...]) -> None:
    with pytest.raises(NotationError):
        section_text(LeadSection("A", 1, notes, ()), Key("C"), COMMON, EIGHTH)

"""Our files, read by music21."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, ChordSymbol, LeadSection, LeadSheet, Marker, Note, Part, PlayedNote
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.chords import QUALITIES
from llm_music_gen.notation.music21_port import SecondReading, read_abc_with_music21, read_musicxml_with_music21
from llm_music_gen.notation.musicxml import write_musicxml
from tests.unit.notation.strategies import keys, meters, sections

EIGHTH = Fraction(1, 8)


def joined_notes(sheet: LeadSheet) -> list[tuple[Fraction, Fraction, int]]:
    """Every note as a reader hears it, sections in written order."""
    start_ql, notes = Fraction(0), []
    for section in sheet.sections:
        notes += [(start_ql + note.onset_ql, note.duration_ql, note.pitch) for note in section.notes]
        start_ql += section.bars * sheet.meter.bar_ql
    return notes


def assert_reads_exactly(reading: SecondReading, sheet: LeadSheet) -> None:
    bars = sum(section.bars for section in sheet.sections)
    assert reading.bar_lengths_ql == ((sheet.meter.bar_ql,) * bars,)
    assert list(reading.notes[0]) == joined_notes(sheet)
    assert reading.chord_symbols == sum(len(section.chords) for section in sheet.sections)


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.data(), keys.filter(lambda key: key.mode != "locrian"), meters)  # music21 takes Locrian for major
def test_music21_reads_lead_sheets_as_they_are_meant(data: st.DataObject, key: Key, meter: Meter) -> None:
    first = data.draw(sections(meter, EIGHTH))
    sheet = LeadSheet("Tune", key, meter, 120, (first, LeadSection("B", first.bars, first.notes, first.chords)), ("A", "B", "A"))
    assert_reads_exactly(read_abc_with_music21(write_abc(sheet)), sheet)
    assert_reads_exactly(read_musicxml_with_music21(write_musicxml(sheet)), sheet)


@pytest.mark.parametrize("quality", sorted(QUALITIES))
def test_music21_reads_every_chord_symbol(quality: str) -> None:
    chord = ChordSymbol(Fraction(0), 10, quality, 2)
    sheet = LeadSheet("Chord", Key("F"), Meter(4, 4), 90, (LeadSection("A", 1, (Note(Fraction(0), Fraction(4), 65),), (chord,)),))
    assert read_abc_with_music21(write_abc(sheet)).chord_symbols == 1
    assert read_musicxml_with_music21(write_musicxml(sheet)).chord_symbols == 1


def band(meter: Meter, bars: int) -> Arrangement:
    """Every kind of part: sixteenths, triplets, chords that overlap, long notes, drums, early and late notes."""
    end_ql = float(bars * meter.bar_ql)
    melody = [PlayedNote(index * 0.75 - 0.01 * (index > 0), 0.7, 60 + index % 12, 90) for index in range(int(end_ql / 0.75))]
    swing = [PlayedNote(beat + third / 3, 1 / 3, 64 + third, 80) for beat in range(int(end_ql)) for third in (0, 2)]
    chords = [PlayedNote(float(start), 5.0, pitch, 70) for start in range(0, int(end_ql), 4) for pitch in (48, 52, 55)]
    bass = [PlayedNote(float(start) + 0.02, 1.9, 36, 100) for start in range(0, int(end_ql) - 1, 2)]
    drums = [PlayedNote(step / 2, 0.1, (36, 42, 38, 42)[step % 4], 100) for step in range(int(end_ql * 2))]
    parts = (
        Part("Melody", "melody", 80, tuple(melody)),
        Part("Guitar", "arp", 25, tuple(swing)),
        Part("Piano", "chords", 4, tuple(chords)),
        Part("Bass", "bass", 33, tuple(bass)),
        Part("Drums", "drums", 0, tuple(drums), is_drums=True),
        Part("Silent & <odd>", "pad", 90, ()),
    )
    return Arrangement(
        "Band \x07 song", Key("Eb"), meter, 100, parts, 0, markers=(Marker(0.0, "intro"), Marker(float(meter.bar_ql), "verse"))
    )


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "7/8", "5/4", "12/8"])
def test_music21_reads_the_whole_band_with_every_bar_full(meter: str) -> None:
    arrangement = band(Meter.parse(meter), 8)
    reading = read_musicxml_with_music21(write_musicxml(arrangement))
    lengths = reading.bar_lengths_ql
    assert len(lengths) == 6
    assert len({len(part) for part in lengths}) == 1
    assert {length for part in lengths for length in part} == {arrangement.meter.bar_ql}
    assert len(reading.notes[0]) == len(arrangement.parts[0].notes)


def test_the_same_score_gives_the_same_bytes() -> None:
    assert write_musicxml(band(Meter(4, 4), 4)) == write_musicxml(band(Meter(4, 4), 4))

"""Chords of a key, motifs moved along the scale, and the measures that choose between attempts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from llm_music_gen.composing.harmony import half_close_chord, harmonised, key_chords, tonic_chord
from llm_music_gen.composing.measures import GOOD, key_clarity, key_correlations, key_index, quality
from llm_music_gen.composing.motif import first_bars, transposed_motif
from llm_music_gen.domain.key import MODES, Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.notation.chords import chord_pcs, parse_chord
from llm_music_gen.notation.text import parse_section

FOUR, EIGHTH = Meter(4, 4), Fraction(1, 8)


def test_the_chords_of_c_major_and_a_minor_are_the_textbooks() -> None:
    assert {"C", "Dm", "Em", "F", "G", "Am", "Bdim", "G7", "Cmaj7", "Dm7"} <= set(key_chords(Key("C")))
    assert {"Am", "Bdim", "C", "Dm", "Em", "F", "G", "E", "E7"} <= set(key_chords(Key("A", "minor")))
    assert "F#" not in key_chords(Key("C"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("pc", range(12))
def test_every_key_has_chords_that_can_be_read_back(mode: str, pc: int) -> None:
    key = Key.from_pc(pc, mode)
    for symbol in (*key_chords(key), tonic_chord(key), half_close_chord(key)):
        assert chord_pcs(parse_chord(symbol))
    assert parse_chord(tonic_chord(key)).root_pc == key.tonic_pc
    assert parse_chord(half_close_chord(key)).root_pc != key.tonic_pc


def test_a_motif_moves_along_the_scale_under_a_chord_that_fits() -> None:
    moved = transposed_motif('"C"C2E2G2E2|', 2, Key("C"), FOUR, EIGHTH, 57, 84)
    assert moved == '"Em"E2G2B2G2|'
    assert transposed_motif("A2c2e2c2|", -2, Key("A", "minor"), FOUR, EIGHTH, 50, 84) == "F2A2c2A2|"


@pytest.mark.parametrize("bar", ["^C2E2G2E2|", "C2E2G2E2", "z8|", "C2|", "c'8|"])
def test_a_motif_that_cannot_move_is_left_out(bar: str) -> None:
    assert transposed_motif(bar, 4, Key("C"), FOUR, EIGHTH, 57, 84) == ""


def test_first_bars_keep_their_bar_lines() -> None:
    assert first_bars("C8|D8|E8|", 2) == "C8|D8|"


def test_a_melody_without_chords_gets_one_a_bar_and_closes_on_the_tonic() -> None:
    section = parse_section("C2E2G2E2|F2A2c2A2|C8|", label="A", key=Key("C"), meter=FOUR, unit=EIGHTH)
    chords = harmonised(section, Key("C"), FOUR).chords
    assert [chord.root_pc for chord in chords] == [0, 5, 0]
    assert [chord.onset_ql for chord in chords] == [0, 4, 8]
    assert harmonised(harmonised(section, Key("C"), FOUR), Key("C"), FOUR).chords == chords


@pytest.mark.parametrize("pc", range(12))
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_a_scale_with_a_heavy_triad_is_found_to_be_its_key(pc: int, mode: str) -> None:
    key = Key.from_pc(pc, mode)
    histogram = np.zeros(12)
    histogram[list(key.scale_pcs)] = 1
    histogram[[key.tonic_pc, key.scale_pcs[2], key.scale_pcs[4]]] += [3, 1, 2]
    assert int(key_correlations(histogram).argmax()) == key_index(key)


def test_no_notes_have_no_key() -> None:
    assert not key_correlations(np.ones(12)).any()


def test_music_in_its_key_is_better_than_the_same_notes_in_another_and_than_one_bar_again_and_again() -> None:
    key = Key("C")
    text = '"C"C2E2G2E2|"F"F2A2c2A2|"G7"G2B2d2B2|"C"c4C4|'
    section = parse_section(text, label="A", key=key, meter=FOUR, unit=EIGHTH)
    bars = text.split("|")[:-1]
    good = quality(section, bars, key, 4.0)
    assert good >= GOOD
    assert quality(section, bars, Key("F#"), 4.0) < good
    assert quality(section, [bars[0]] * 4, key, 4.0) < good
    assert key_clarity(section, key, 4.0) > 0 > key_clarity(section, Key("F#"), 4.0)

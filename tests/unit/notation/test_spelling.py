from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.notation.spelling import note_text, read_pitch, spell
from tests.unit.notation.strategies import keys


@given(keys, st.lists(st.integers(24, 108), max_size=20))
def test_a_bar_of_pitches_reads_back(key: Key, pitches: list[int]) -> None:
    writing: dict[str, int] = {}
    reading: dict[str, int] = {}
    for pitch in pitches:
        text = note_text(pitch, key, writing)
        accidental = text[: len(text) - len(text.lstrip("^_="))]
        letter, marks = text[len(accidental)], text[len(accidental) + 1 :]
        assert read_pitch(accidental, letter, marks, key, reading) == pitch


def test_scale_tones_need_no_accidental() -> None:
    for key in (Key("D"), Key("Eb"), Key("F#", "minor"), Key("D", "dorian"), Key("Gb")):
        assert not any("^" in note_text(60 + pc, key, {}) or "_" in note_text(60 + pc, key, {}) for pc in key.scale_pcs)


def test_the_leading_note_of_a_minor_key_is_a_raised_seventh() -> None:
    assert note_text(61, Key("D", "minor"), {}) == "^C"
    assert note_text(68, Key("A", "minor"), {}) == "^G"


def test_octaves_follow_the_letter_not_the_sound() -> None:
    assert spell(59, Key("Gb")).octave == 4  # C flat 4 sounds as B 3
    assert spell(60, Key("C#")).octave == 3  # B sharp 3 sounds as C 4

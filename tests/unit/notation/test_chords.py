from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import ChordSymbol
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.chords import QUALITIES, chord_pcs, chord_text, is_no_chord, parse_chord
from llm_music_gen.units import QuarterLength
from tests.unit.notation.strategies import keys


@given(keys, st.integers(0, 11), st.sampled_from(sorted(QUALITIES)), st.none() | st.integers(0, 11))
def test_every_canonical_chord_reads_back(key: Key, root: int, quality: str, bass: int | None) -> None:
    chord = ChordSymbol(QuarterLength(0), root, quality, None if bass == root else bass)
    assert parse_chord(chord_text(chord, key)) == chord


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Dmin7", "Dm7"), ("D-7", "Dm7"), ("G7sus4", "G7sus4"), ("CM7", "Cmaj7"), ("Bbmaj7", "Bbmaj7"), ("C", "C"), ("Cmaj", "C"),
        ("Bø", "Bm7b5"), ("Bo7", "Bdim7"), ("C+", "Caug"), ("Gsus", "Gsus4"), ("C69", "C6"), ("G13", "G9"), ("Am(maj7)", "Am"),
        ("C/E", "C/E"), ("Dm7/c", "Dm7/C"), ("A7(b9)", "A7"), ("E♭maj7", "Ebmaj7"), ("CMaj7", "Cmaj7"), ("Cm7♭5", "Cm7b5"),
    ],
)  # fmt: skip
def test_other_spellings_become_canonical(text: str, canonical: str) -> None:
    assert chord_text(parse_chord(text), Key("F")) == canonical


@pytest.mark.parametrize("text", ["", "H7", "Cfoo", "m7", "C" * 40, "C/H", "N.C."])
def test_what_is_no_chord_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        parse_chord(text)


def test_no_chord_is_known() -> None:
    assert is_no_chord(" N.C. ")
    assert not is_no_chord("C")


def test_roots_are_spelled_by_the_key() -> None:
    chord = ChordSymbol(QuarterLength(0), 10, "", 8)
    assert chord_text(chord, Key("F")) == "Bb/Ab"
    assert chord_text(chord, Key("B")) == "A#/G#"


def test_a_slash_bass_belongs_to_the_chord() -> None:
    assert chord_pcs(parse_chord("C/Bb")) == {0, 4, 7, 10}

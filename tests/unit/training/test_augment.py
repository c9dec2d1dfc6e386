"""Training variants stay exact and playable; transposition keeps intervals, chords and spelling together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.notation.chords import parse_chord
from llm_music_gen.notation.text import parse_section
from training.abc_reader import read_abc
from training.augment import Mix, divide, epoch_texts, join, shortened, transpose, varied
from training.chords import transpose_chord
from training.harmonise import harmonise
from training.score import Tune, body_text, check, header_text

REEL = read_abc("X:1\nM:4/4\nL:1/8\nK:G\n|:G2BG DGBG|A2cA EAcA|B2dB GBdB|c2Bc A2FA|G2BG DGBG|A2cA (3EFG cA|^c2d=c BGAF|G4 G4:|\n"
                "|:g2bg dgbg|a2fa d2fa|g2ec A2FA|G8|g2bg dgbg|a2fa d2fa|g2ec A2FA|G8:|")  # fmt: skip
JIG = read_abc("X:2\nM:6/8\nL:1/8\nK:Ador\nA3 ABc|d2e fed|e2A ABc|d3 G3|A3 ABc|d2e fed|e2A G2E|A6|]")


def pitches(tune: Tune) -> list[int]:
    return [element.pitch.midi for element in tune.elements() if element.pitch is not None]


@pytest.mark.parametrize("key", ["C", "Bb", "F#", "Gb", "E", "Ab", "C#"])
def test_transposition_moves_every_note_by_the_same_interval(key: str) -> None:
    moved = transpose(REEL, Key.parse(key))
    distances = {after - before for before, after in zip(pitches(REEL), pitches(moved), strict=True)}
    assert len(distances) == 1
    assert (distances.pop() - Key.parse(key).tonic_pc + REEL.key.tonic_pc) % 12 == 0
    check(moved)


def test_transposition_there_and_back_gives_the_same_text_when_the_octave_allows() -> None:
    there = transpose(REEL, Key.parse("A"))
    assert body_text(transpose(there, REEL.key), True) == body_text(REEL, True)


def test_transposition_spells_relative_to_the_key() -> None:
    in_flats = body_text(transpose(REEL, Key.parse("Ab")), True)
    assert "=d" in in_flats.lower() and "^" not in in_flats


@pytest.mark.parametrize(
    ("chord", "fifths", "expected"), [("G7", 1, "D7"), ("Bm7b5", -3, "Dm7b5"), ("C/E", 2, "D/F#"), ("F#m", 6, "Cm")]
)
def test_chords_move_along_the_line_of_fifths(chord: str, fifths: int, expected: str) -> None:
    moved = transpose_chord(chord, fifths)
    assert parse_chord(moved) == parse_chord(expected)


def test_dividing_and_joining_keep_all_bars() -> None:
    assert [len(section.bars) for section in divide(REEL).sections] == [4, 4, 4, 4]
    assert [len(section.bars) for section in join(REEL).sections] == [16]
    assert [section.label for section in divide(REEL).sections] == ["A", "B", "C", "D"]


def test_shortened_sections_have_an_even_number_of_bars() -> None:
    rng = np.random.default_rng(3)
    assert {len(section.bars) for _ in range(20) for section in shortened(REEL, rng).sections} == {2, 4, 6}


@pytest.mark.parametrize(
    "tune", [REEL, JIG, harmonise(REEL), harmonise(JIG)], ids=["reel", "jig", "reel with chords", "jig with chords"]
)
def test_every_variant_is_read_back_exactly_by_the_studio(tune: Tune) -> None:
    rng = np.random.default_rng(5)
    mix = Mix(own_key=0.1, remeter=0.8, divide=0.4, join=0.3)
    meters = set()
    for _ in range(150):
        form = varied(tune, mix, rng)
        meters.add(str(form.meter))
        lines = body_text(form, True).splitlines()
        for head, music in zip(lines[::2], lines[1::2], strict=True):
            parse_section(music, label=head[2], key=form.key, meter=form.meter, unit=form.unit, bars=int(head[3:]))
    assert len(meters) >= 3


def test_harmonised_tunes_keep_their_melody_and_begin_and_end_on_the_tonic() -> None:
    for tune, tonic in ((REEL, "G"), (JIG, "Am")):
        chords = [element.chord for element in harmonise(tune).elements() if element.chord]
        assert chords[0] == tonic and chords[-1] == tonic and len(set(chords)) >= 2
        lengths = [element.ticks for element in harmonise(tune).elements()]
        assert sum(lengths) == sum(element.ticks for element in tune.elements())


def test_an_epoch_is_decided_by_its_seed() -> None:
    tunes = (REEL, JIG)
    harmonised = tuple(harmonise(tune) for tune in tunes)

    def epoch(seed: int) -> list[tuple[str, str]]:
        return epoch_texts(tunes, harmonised, Mix(), np.random.default_rng(seed))

    assert epoch(1) == epoch(1)
    assert any(epoch(1) != epoch(seed) for seed in range(2, 6))


def test_headers_say_whether_chords_follow() -> None:
    tune = harmonise(REEL)
    assert header_text(tune, True) == "M:4/4\nL:1/8\nK:G\n%chords\n"
    assert '"' in body_text(tune, True) and '"' not in body_text(tune, False)
    assert tune.unit == Fraction(1, 8)

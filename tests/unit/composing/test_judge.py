"""The judge prefers what people would write: tunes before drones, chords obeyed before ignored."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from llm_music_gen.composing import judge
from llm_music_gen.composing.measures import GOOD
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSection
from llm_music_gen.notation.text import parse_section

KEY = Key.parse("C")
TUNE = '"C"c2ec G2EG|"F"A2cA F2AF|"G"d2BG B2dB|"C"e2dc G4|"C"c2ec g2ec|"F"f2cA F2Ac|"G"BGBd g2fd|"C"e2dB c4|'
DRONE = '"C"CCCCCCCC|' * 8
AGAINST = TUNE.replace('"C"', '"X"').replace('"F"', '"F#"').replace('"G"', '"Ab"').replace('"X"', '"Db"')


def section(text: str) -> LeadSection:
    return parse_section(text.replace(" ", ""), label="A", key=KEY, meter=Meter(4, 4), unit=Fraction(1, 8))


def score(text: str, density: float = 0.7) -> float:
    return judge.score(section(text), text.split("|")[:-1], KEY, 4.0, density)


def test_a_tune_is_better_than_a_drone_and_than_one_against_its_chords() -> None:
    assert score(TUNE) > 0.8
    assert score(TUNE) > score(AGAINST) + 0.08
    assert score(TUNE) > score(DRONE) + 0.2


def test_the_measures_are_what_they_say() -> None:
    assert judge.pitch_class_entropy_bits(section(DRONE)) == 0.0
    assert judge.pitch_class_entropy_bits(section('"C"C4E4|')) == pytest.approx(1.0)
    assert judge.range_semitones(section('"C"C4c4|')) == 12
    assert judge.new_phrase_share(["a", "b", "a", "b", "a"]) == 0.5
    assert judge.chord_tone_share(section('"C"C2E2G2c2|'), 4.0) == 1.0
    assert judge.chord_tone_share(section('"C"D2F2A2B2|'), 4.0) == 0.0
    assert judge.rhythm_likeness(section('"C"c4G4|"C"c4G4|"C"c8|'), 4.0) == pytest.approx((1 + 2 * 15 / 16) / 3)
    assert judge.within(9, 0, 10, slope=1) == 1.0 and judge.within(12, 0, 10, slope=4) == 0.5


def test_density_is_judged_by_what_the_theme_wants() -> None:
    sparse, running = section('"C"c4G2E2|"C"e4c4|'), section('"C"cdedcdec|"C"cdedcdec|')
    assert judge.density_fit(sparse, 4.0, 0.0) > 0.4  # 0.63 notes to a quarter where 0.9 are wanted
    assert judge.density_fit(running, 4.0, 0.95) > judge.density_fit(sparse, 4.0, 0.95)
    assert judge.density_fit(section('"C"c2edc2G2|"C"e2dec2G2|'), 4.0, 0.5) == pytest.approx(1 - math.log2(1.8 / 1.25))


def test_an_attempt_with_half_the_notes_that_are_wanted_is_never_taken_at_once() -> None:
    assert score(TUNE, density=1.0) < GOOD < score(TUNE, density=0.5)

"""Copied passages are found in every key and at every note value; new ones are not."""

from __future__ import annotations

from fractions import Fraction

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.notation.text import parse_section
from training.abc_reader import read_abc
from training.augment import transpose
from training.evaluate import section_bars
from training.passages import bar_notes, known_passages, passages
from training.score import Tune, body_text

TUNE = read_abc("X:1\nM:4/4\nL:1/8\nK:G\nG2BG DGBG|A2cA EAcA|B2dB GBdB|c2Bc A2FA|G2BG DGBG|A2cA EAcA|d2dc BGAF|G4 G4|]")


def read_again(tune: Tune) -> list[tuple[tuple[Fraction, Fraction, int], ...]]:
    music = body_text(tune, True).splitlines()[1]
    section = parse_section(music, label="A", key=tune.key, meter=tune.meter, unit=tune.unit)
    return section_bars(section, tune.meter)


def test_a_passage_is_known_in_another_key() -> None:
    known = known_passages([TUNE])
    assert [hash(passage) in known for passage in passages(read_again(transpose(TUNE, Key.parse("Eb"))))] == [True]


def test_a_passage_is_known_at_other_note_values() -> None:
    halved = read_abc("X:1\nM:2/4\nL:1/16\nK:G\nG2BGDGBG|A2cAEAcA|B2dBGBdB|c2BcA2FA|G2BGDGBG|A2cAEAcA|d2dcBGAF|G4G4|]")
    assert known_passages([halved]) == known_passages([TUNE])


def test_one_other_note_makes_it_another_passage() -> None:
    changed = read_abc("X:1\nM:4/4\nL:1/8\nK:G\nG2BG DGBG|A2cA EAcA|B2dB GBdB|c2Bc A2FA|G2BG DGBG|A2cA EAcA|d2dc BGAF|G4 B4|]")
    assert not known_passages([TUNE]) & known_passages([changed])


def test_shorter_music_has_no_passage() -> None:
    assert list(passages([bar for bars in bar_notes(TUNE) for bar in bars][:7])) == []
    assert Meter.parse("4/4").bar_ql == 4

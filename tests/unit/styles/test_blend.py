"""Blends differ from their parents on purpose, and say how."""

from __future__ import annotations

from itertools import combinations

import pytest

from llm_music_gen.errors import StyleError
from llm_music_gen.styles import Style, blend, load_styles

STYLES = load_styles()


def test_one_style_alone_stays_itself() -> None:
    assert blend([STYLES["chill"]]) is STYLES["chill"]
    assert blend([STYLES["chill"], STYLES["chill"]]) is STYLES["chill"]


def test_nothing_cannot_be_blended() -> None:
    with pytest.raises(StyleError):
        blend([])


def test_chill_dubstep_lies_between_its_parents() -> None:
    chill, dubstep = STYLES["chill"], STYLES["dubstep"]
    both = blend([chill, dubstep])
    assert both.tempo_default_bpm not in (chill.tempo_default_bpm, dubstep.tempo_default_bpm)
    assert min(chill.density, dubstep.density) * 0.8 <= both.density < max(chill.density, dubstep.density)
    assert both.grooves == dubstep.grooves
    assert both.harmony.level == chill.harmony.level
    assert both.instruments["melody"] == chill.instruments["melody"]
    assert both.instruments["bass"] == dubstep.instruments["bass"]
    assert chill.mix.sidechain_db < both.mix.sidechain_db < dubstep.mix.sidechain_db
    assert any("Groove" in note for note in both.notes)


def test_the_order_of_words_matters() -> None:
    one = blend([STYLES["jazz"], STYLES["house"]])
    other = blend([STYLES["house"], STYLES["jazz"]])
    assert one.grooves == STYLES["house"].grooves
    assert other.grooves == STYLES["jazz"].grooves


@pytest.mark.parametrize("pair", list(combinations(sorted(STYLES), 2))[::7])
def test_any_two_styles_make_a_style_that_is_valid(pair: tuple[str, str]) -> None:
    both = blend([STYLES[name] for name in pair])
    fields = {field.alias or name: getattr(both, name) for name, field in Style.model_fields.items()}
    assert Style.model_validate(fields) == both
    assert both.tempo_min_bpm <= both.tempo_default_bpm <= both.tempo_max_bpm
    assert both.notes


def test_many_styles_at_once_make_a_style() -> None:
    both = blend([STYLES[name] for name in ("lo-fi", "celtic", "techno", "ambient")])
    assert both.grooves == STYLES["ambient"].grooves
    assert len(both.notes) >= 3


def test_moods_bend_a_style_within_bounds() -> None:
    bent = STYLES["chill"].bent(tempo=0.8, density=-0.9, energy=0.2, tilt_db=-3, reverb=0.2, modes=("minor", "dorian"))
    assert bent.tempo_default_bpm == pytest.approx(72)
    assert bent.density == 0
    assert list(bent.modes) == ["minor", "dorian"]
    assert bent.mix.tilt_db == STYLES["chill"].mix.tilt_db - 3
    energies = [section.energy for section in bent.form.templates[0]]
    assert all(0 <= energy <= 1 for energy in energies)
    assert energies[0] > STYLES["chill"].form.templates[0][0].energy


def test_drums_and_basses_are_as_loud_as_in_the_sheet_they_come_from() -> None:
    levels = blend([STYLES["chill"], STYLES["dubstep"]]).mix.levels_db
    own = STYLES["dubstep"].mix.levels_db
    assert {role: levels[role] for role in ("drums", "bass", "sub")} == {role: own[role] for role in ("drums", "bass", "sub")}

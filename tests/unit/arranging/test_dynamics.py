"""Loud and soft over a song: as far apart as the style says, loudest where the energy is, no jump but into what is louder."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from llm_music_gen.arranging.dynamics import dynamics
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan
from llm_music_gen.styles import load_styles

STYLES = load_styles(None)
FOUR = Meter(4, 4)


def bars(*sections: tuple[str, int, float]) -> list[Bar]:
    out: list[Bar] = []
    for index, (role, count, energy) in enumerate(sections):
        plan = SectionPlan("ABCD"[index], role, count, energy)
        for place in range(count):
            out.append(Bar(len(out), Fraction(4 * len(out)), FOUR, index, plan, place, 0, frozenset()))
    return out


SONG = (("intro", 4, 0.2), ("verse", 8, 0.5), ("chorus", 8, 0.9), ("outro", 4, 0.3))


@pytest.mark.parametrize("name", sorted(STYLES))
def test_the_line_rises_through_the_song_and_never_lifts(name: str) -> None:
    points = dynamics(bars(*SONG), STYLES[name])
    onsets = [onset for onset, _ in points]
    assert onsets == sorted(onsets) and all(gain_db <= 0.0 for _, gain_db in points)
    if points:
        levels = np.interp(np.arange(96), onsets, [gain_db for _, gain_db in points])
        assert levels[48:80].mean() > levels[16:48].mean() > levels[:16].mean()


def test_the_louder_section_begins_at_once_and_the_softer_after_a_moment() -> None:
    points = dynamics(bars(*SONG), STYLES["house"])
    onsets, gains = zip(*points, strict=True)

    def level(onset: float) -> float:
        return float(np.interp(onset, onsets, gains))

    assert level(48.0) - level(47.8) > 1.0, "the chorus does not enter"
    assert level(80.0) == pytest.approx(level(79.0), abs=0.1) and level(81.5) < level(80.0) - 1.0


def test_wide_styles_are_wider_than_narrow_ones() -> None:
    def span(name: str) -> float:
        gains = [gain_db for _, gain_db in dynamics(bars(*SONG), STYLES[name])]
        return max(gains) - min(gains)

    assert span("classical") > span("pop") > span("chiptune")


def test_one_even_section_of_machines_stays_even() -> None:
    assert dynamics(bars(("drop", 16, 0.8)), STYLES["techno"]) == ()


def test_phrases_of_a_song_of_one_section_swell_the_further_the_wider_its_style() -> None:
    def swell(name: str, *sections: tuple[str, int, float]) -> float:
        gains = [gain_db for _, gain_db in dynamics(bars(*sections), STYLES[name])]
        return max(gains) - min(gains)

    assert swell("cinematic", ("chorus", 12, 0.9)) > 6 > swell("folk", ("verse", 12, 0.5)) > 3
    assert swell("cinematic", *SONG) == pytest.approx(swell("cinematic", *SONG[:3]), abs=1.5)

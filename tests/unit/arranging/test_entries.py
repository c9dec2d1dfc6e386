"""Layers of wide styles come one by one; everyone else comes in together, as the form says."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from llm_music_gen.arranging.entries import of_this_song, staggered
from llm_music_gen.arranging.timeline import Bar
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan
from llm_music_gen.styles import load_styles

STYLES = load_styles(None)
FOUR = Meter(4, 4)
ROLES = (frozenset({"chords", "bass"}), frozenset({"chords", "bass", "pad", "melody", "arp", "counter"}))


def bars() -> list[Bar]:
    plan = SectionPlan("A", "verse", 8, 0.5)
    places = [(section, place) for section in range(len(ROLES)) for place in range(8)]
    return [
        Bar(number, Fraction(4 * number), FOUR, section, plan, place, 0, ROLES[section])
        for number, (section, place) in enumerate(places)
    ]


def test_bands_and_machines_come_in_where_the_section_begins() -> None:
    for name in ("house", "folk", "classical"):
        assert staggered(bars(), STYLES[name], np.random.default_rng(1)) == bars()
    assert of_this_song(STYLES["house"], np.random.default_rng(1)) is STYLES["house"]


@pytest.mark.parametrize("seed", range(8))
def test_newcomers_enter_by_the_middle_of_the_section_and_stay(seed: int) -> None:
    made = staggered(bars(), STYLES["ambient"], np.random.default_rng(seed))
    assert [bar.onset_ql for bar in made] == [bar.onset_ql for bar in bars()]
    for section, roles in enumerate(ROLES):
        heard = [bar.roles for bar in made[8 * section : 8 * section + 8]]
        assert all(early <= late for early, late in pairwise(heard)) and heard[4] == roles
        assert "chords" in heard[0]
    # Who played on is not interrupted.
    assert all("bass" in bar.roles for bar in made[8:])


def test_songs_differ_in_their_entries_and_in_how_they_stack_chords() -> None:
    entries = {
        tuple(bar.roles for bar in staggered(bars(), STYLES["ambient"], np.random.default_rng(seed))) for seed in range(30)
    }
    assert len(entries) > 10
    stacks = {of_this_song(STYLES["ambient"], np.random.default_rng(seed)).comp.voices for seed in range(30)}
    assert len(stacks) == 3


def test_a_pianist_reaches_higher_or_lower_from_song_to_song() -> None:
    lowest = {of_this_song(STYLES["classical"], np.random.default_rng(seed)).comp.compass[0] for seed in range(60)}
    middle = STYLES["classical"].comp.compass[0]
    assert lowest == set(range(middle - 3, middle + 4))

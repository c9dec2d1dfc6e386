"""Hours are divided into chapters with names, modes and a slow arc; the same seed gives the same plan."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from llm_music_gen.composing.chapters import BRIGHTNESS, LONGEST_S, SHORTEST_S, depth_at, plan_chapters
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Calm, Chapter

TONES = ("calm", "dreamy")
HOUR_S = 3_600.0


def plan(length_s: float, calm: Calm = "day", seed: int = 1, taken: tuple[str, ...] = ()) -> tuple[Chapter, ...]:
    return plan_chapters(length_s, Key("D", "major"), TONES, calm, np.random.default_rng(seed), taken)


@pytest.mark.parametrize("length_s", [10.0, 61.5, 123.25, 900.0, 1_234.5, HOUR_S, 8 * HOUR_S, 12 * HOUR_S, 24 * HOUR_S])
@pytest.mark.parametrize("calm", ["day", "night"])
def test_chapters_follow_each_other_and_fill_the_whole(length_s: float, calm: Calm) -> None:
    for seed in range(8):
        chapters = plan(length_s, calm, seed)
        assert chapters[0].start_s == 0.0
        assert sum(chapter.length_s for chapter in chapters) == pytest.approx(length_s, abs=1e-6)
        for number, chapter in enumerate(chapters):
            assert chapter.number == number
            assert chapter.length_s > 0
        for before, after in itertools.pairwise(chapters):
            assert before.end_s == pytest.approx(after.start_s)


@pytest.mark.parametrize("hours", [0.5, 1, 2, 3.3, 8, 12, 24])
def test_chapters_of_long_tracks_last_five_to_twenty_minutes(hours: float) -> None:
    for seed in range(20):
        for chapter in plan(hours * HOUR_S, seed=seed):
            assert SHORTEST_S - 10 <= chapter.length_s <= LONGEST_S + 60, (seed, chapter)


@pytest.mark.parametrize("length_s", [60.0, 300.0, 900.0, 1_800.0, 8 * HOUR_S])
def test_there_are_at_least_three_chapters_of_ten_seconds_from_a_minute_on(length_s: float) -> None:
    for seed in range(20):
        chapters = plan(length_s, seed=seed)
        assert len(chapters) >= 3
        assert min(chapter.length_s for chapter in chapters) >= 10.0


def test_names_are_never_the_same_twice_nor_that_of_the_track() -> None:
    taken = (plan(12 * HOUR_S)[0].name,)
    chapters = plan(12 * HOUR_S, taken=taken)
    names = [chapter.name for chapter in chapters]
    assert len(names) > 40
    assert len(set(names)) == len(names)
    assert not set(taken) & set(names)
    assert all(name.strip() == name and name and "\n" not in name for name in names)


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    assert plan(8 * HOUR_S, seed=5) == plan(8 * HOUR_S, seed=5)
    assert plan(8 * HOUR_S, seed=5) != plan(8 * HOUR_S, seed=6)


@pytest.mark.parametrize("calm", ["day", "night"])
def test_the_tonic_stays_and_the_mode_moves_by_one_step_of_brightness(calm: Calm) -> None:
    for seed in range(10):
        chapters = plan(8 * HOUR_S, calm, seed)
        assert {chapter.key.tonic_pc for chapter in chapters} == {2}
        assert chapters[0].key.mode == "major"
        places = [BRIGHTNESS.index(chapter.key.mode) for chapter in chapters]
        assert {abs(after - before) for before, after in itertools.pairwise(places)} == {1}
        if calm == "night":
            assert "lydian" not in {chapter.key.mode for chapter in chapters}


def test_a_night_goes_down_stays_deep_and_comes_up_a_third_of_the_way() -> None:
    length_s = 8 * HOUR_S
    assert depth_at(0.0, length_s, "night") == 0.0
    for minute in range(45, 8 * 60 - 45):
        assert depth_at(60.0 * minute, length_s, "night") == 1.0
    assert depth_at(length_s, length_s, "night") == pytest.approx(0.65)


@pytest.mark.parametrize("calm", ["day", "night"])
def test_depth_moves_slowly_and_deep_chapters_are_sparser(calm: Calm) -> None:
    length_s = 8 * HOUR_S
    depths = [depth_at(float(at), length_s, calm) for at in range(0, int(length_s) + 1, 60)]
    assert max(abs(after - before) for before, after in itertools.pairwise(depths)) < 0.05
    assert all(0.0 <= depth <= 1.0 for depth in depths)
    chapters = plan(length_s, calm)
    assert all(0.0 <= chapter.density <= 1.0 for chapter in chapters)
    deep = [chapter.density for chapter in chapters if chapter.depth > 0.65]
    awake = [chapter.density for chapter in chapters if chapter.depth < 0.4]
    assert awake
    assert np.mean(deep) < 0.8 * np.mean(awake)


def test_a_mode_that_is_not_known_by_its_brightness_is_kept_for_the_beginning() -> None:
    chapters = plan_chapters(HOUR_S, Key("E", "locrian"), TONES, "day", np.random.default_rng(1))
    assert chapters[0].key == Key("E", "locrian")
    assert {chapter.key.mode for chapter in chapters[1:]} <= set(BRIGHTNESS)

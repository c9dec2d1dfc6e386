"""Form, tempo and exact length fit each other from ten seconds to a day."""

from __future__ import annotations

import pytest

from llm_music_gen.composing.form import MAX_SECTION_BARS, TempoChoice, fit_template, fixed_tempo, plan_form, tail_target_s
from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan
from llm_music_gen.errors import UsageError

SONG = [
    SectionPlan("A", "intro", 4, 0.2),
    SectionPlan("A", "verse", 8, 0.5),
    SectionPlan("B", "chorus", 8, 0.8),
    SectionPlan("A", "verse", 8, 0.55),
    SectionPlan("B", "chorus", 8, 0.9),
    SectionPlan("C", "bridge", 8, 0.4),
    SectionPlan("B", "chorus", 8, 1.0),
    SectionPlan("A", "outro", 4, 0.2),
]
FREE = TempoChoice(80, 104, 90)


def tail_s(length_frames: int, sections: tuple[SectionPlan, ...], meter: Meter, tempo_bpm: float) -> float:
    return length_frames / 44_100 - sum(section.bars for section in sections) * meter.bar_seconds(tempo_bpm)


@pytest.mark.parametrize("text", ["10s", "11s", "17s", "30s", "45s", "1", "2", "3", "3m20s", "5", "12", "1:00", "24:00"])
@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "7/8", "2/2"])
def test_a_free_tempo_stays_in_the_styles_range_and_leaves_a_tail_of_good_size(text: str, meter: str) -> None:
    length, metre = parse_length(text), Meter.parse(meter)
    plan = plan_form(length, metre, FREE, SONG)
    assert plan.length_frames == length.min_frames
    assert 80 <= plan.tempo_bpm <= 104
    tail = tail_s(plan.length_frames, plan.sections, metre, plan.tempo_bpm)
    assert 0.7 * tail_target_s(float(length.min_s)) <= tail <= 8


@pytest.mark.parametrize("tempo_bpm", [60, 61, 97.5, 120, 174, 240])
@pytest.mark.parametrize("text", ["10s", "1", "3", "8:00"])
def test_a_given_tempo_is_kept_and_the_tail_takes_up_the_rest(text: str, tempo_bpm: float) -> None:
    metre = Meter(4, 4)
    plan = plan_form(parse_length(text), metre, fixed_tempo(tempo_bpm), SONG)
    assert plan.tempo_bpm == tempo_bpm
    assert plan.length_frames == parse_length(text).min_frames
    tail = tail_s(plan.length_frames, plan.sections, metre, tempo_bpm)
    assert 0 < tail <= tail_target_s(float(parse_length(text).min_s)) + 2 * metre.bar_seconds(tempo_bpm)


def test_in_a_range_the_length_suits_the_form() -> None:
    plan = plan_form(parse_length("2-4"), Meter(4, 4), FREE, SONG)
    assert 120 <= plan.length_frames / 44_100 <= 240
    assert sum(section.bars for section in plan.sections) % 8 == 0
    assert plan.tempo_bpm == FREE.default_bpm


@pytest.mark.parametrize("bars", [*range(1, 80), 333, 1000, 32_398])
def test_every_number_of_bars_can_be_had_and_no_section_is_too_long(bars: int) -> None:
    sections = fit_template(SONG, bars)
    assert sum(section.bars for section in sections) == bars
    assert all(1 <= section.bars <= MAX_SECTION_BARS for section in sections)
    assert all(len(section.label) == 1 and "A" <= section.label <= "Z" for section in sections)
    assert sections[0].label == "A"


@pytest.mark.parametrize("count", [1, 2, 5])
def test_templates_of_any_size_work(count: int) -> None:
    for bars in (1, 2, 3, 8, 31, 64, 500):
        assert sum(section.bars for section in fit_template(SONG[:count], bars)) == bars


def test_a_long_piece_has_many_materials_and_does_not_loop() -> None:
    sections = fit_template(SONG, 2000)
    labels = [section.label for section in sections]
    assert len(set(labels)) >= 20
    body = len(SONG) - 2
    windows = ["".join(labels[start : start + 4 * body]) for start in range(1, len(labels) - 4 * body, body)]
    assert len(set(windows)) > 0.9 * len(windows)


def test_a_whole_song_keeps_the_templates_order() -> None:
    assert [section.role for section in fit_template(SONG, 56)] == [section.role for section in SONG]


def test_a_bar_that_does_not_fit_is_refused_in_one_sentence() -> None:
    with pytest.raises(UsageError, match="does not fit into 10 seconds"):
        plan_form(parse_length("10s"), Meter(4, 4), fixed_tempo(20), SONG)
    with pytest.raises(UsageError, match="no tempo"):
        fixed_tempo(1000)

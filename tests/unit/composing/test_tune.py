"""The tune stage: any model whatever writes a whole, exact tune whose sections belong together."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from llm_music_gen.composing.tune import Tune, materials, sheet_of, write_tune
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import ModelError
from tests.fakes.scripted_model import ScriptedModel

FORM = (
    SectionPlan("A", "intro", 4, 0.2),
    SectionPlan("A", "verse", 8, 0.5),
    SectionPlan("B", "chorus", 8, 0.8),
    SectionPlan("C", "bridge", 4, 0.4),
    SectionPlan("A", "outro", 4, 0.2),
)
THEME = Theme("Test", ("chill",), (), Key("A", "minor"), 90.0, Meter(4, 4), FORM, length_frames=4_000_000)


def check(tune: Tune, theme: Theme) -> None:
    """Every bar is exact (the strict reader says so), and each section closes as it should."""
    assert [section.label for section in tune.sections] == list(dict.fromkeys(plan.label for plan in theme.form))
    sheet = sheet_of(theme, tune.unit, tune.sections)
    assert sheet == tune.sheet
    for section, plan in zip(sheet.sections, materials(theme), strict=True):
        assert section.bars == plan.bars
        assert section.chords
        assert all(57 <= note.pitch <= 84 for note in section.notes)
        if plan.role != "bridge":
            assert section.notes[-1].pitch % 12 == theme.key.tonic_pc
            assert section.chords[-1].root_pc == theme.key.tonic_pc
        if section.bars == 8:
            assert len(section.notes) >= 12
            assert len({note.pitch for note in section.notes}) >= 5


@pytest.mark.parametrize(
    ("meter", "key"),
    [
        ("4/4", "C"),
        ("3/4", "Am"),
        ("6/8", "F#m"),
        ("2/4", "Bb"),
        ("2/2", "Ddor"),
        ("5/4", "Gmix"),
        ("7/8", "Ephr"),
        ("9/8", "Flyd"),
        ("12/8", "Bloc"),
    ],
)
def test_a_model_that_knows_nothing_still_writes_an_exact_tune(meter: str, key: str) -> None:
    theme = replace(THEME, key=Key.parse(key), meter=Meter.parse(meter))
    check(finish(write_tune(theme, ScriptedModel(), seed=1)), theme)


@pytest.mark.parametrize("bars", [1, 2, 3, 5, 7, 16])
def test_sections_of_any_size_are_written(bars: int) -> None:
    theme = replace(THEME, form=(SectionPlan("A", "verse", bars, 0.5), SectionPlan("B", "chorus", bars, 0.5)))
    tune = finish(write_tune(theme, ScriptedModel(), seed=2))
    assert [section.bars for section in tune.sheet.sections] == [bars, bars]


def test_the_same_seed_gives_the_same_tune_and_another_one_another() -> None:
    first, again, other = (finish(write_tune(THEME, ScriptedModel(), seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert first.sections != other.sections


def test_what_a_good_model_writes_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_music_gen.composing.tune.GOOD", 0.5)
    bars = '"Am"A2c2e2c2|"Dm"d2f2d2A2|"G"B2d2g2d2|"C"c2e2g2e2|"F"f2a2f2c2|"Dm"d2f2a2f2|"E7"e2^g2b2^g2|"Am"a4A4|'
    model = ScriptedModel([bars])
    tune = finish(write_tune(replace(THEME, form=FORM[1:2]), model, seed=1))
    assert tune.sections[0].text == bars
    assert len(model.calls) == 1


def test_the_model_reads_the_head_and_the_sections_before() -> None:
    model = ScriptedModel()
    tune = finish(write_tune(THEME, model, seed=1))
    first, last = model.calls[0].prompt, model.calls[-1].prompt
    assert first == "M:4/4\nL:1/8\nK:Am\n%chords\nP:A8\n"
    assert last.startswith(f"M:4/4\nL:1/8\nK:Am\n%chords\nP:A8\n{tune.sections[0].text}\nP:B8\n{tune.sections[1].text}\nP:C4\n")


def test_the_second_theme_takes_up_the_motif_of_the_first() -> None:
    bars = '"Am"A2c2e2c2|"Dm"d2f2d2A2|"G"B2d2g2d2|"C"c2e2g2e2|"F"f2a2f2c2|"Dm"d2f2a2f2|"E7"e2^g2b2^g2|"Am"a4A4|'
    tune = finish(write_tune(THEME, ScriptedModel([bars]), seed=1))
    first, second = tune.sheet.sections[:2]
    rhythm = [note.duration_ql for note in first.notes[:4]]
    shape = [after.pitch > before.pitch for before, after in zip(first.notes[:3], first.notes[1:4], strict=True)]
    assert [note.duration_ql for note in second.notes[:4]] == rhythm
    assert [after.pitch > before.pitch for before, after in zip(second.notes[:3], second.notes[1:4], strict=True)] == shape
    assert second.notes[0].pitch != first.notes[0].pitch


def test_a_context_that_is_too_small_is_worked_around() -> None:
    model = ScriptedModel(context_tokens=400)
    check(finish(write_tune(THEME, model, seed=3)), THEME)
    assert all(len(call.prompt) < 400 for call in model.calls)


def test_a_foreign_model_gets_its_own_kind_of_prompt() -> None:
    model = ScriptedModel(name="ChatMusician.Q6_K.gguf")
    check(finish(write_tune(THEME, model, seed=1, format_name="chatmusician")), THEME)
    assert model.calls[0].prompt.startswith("Human: ")
    assert model.calls[0].prompt.endswith("Assistant: X:1\nL:1/8\nM:4/4\nK:Am\nP:A\n")


def test_a_model_that_fails_is_reported_and_one_that_cannot_write_letters_is_refused() -> None:
    with pytest.raises(ModelError, match="out of order"):
        finish(write_tune(THEME, ScriptedModel([ModelError("out of order")]), seed=1))
    with pytest.raises(ModelError, match="cannot write ABC"):
        finish(write_tune(THEME, ScriptedModel(vocabulary=(b"x", b"y")), seed=1))


def test_a_vocabulary_without_chord_symbols_gets_its_chords_from_the_melody() -> None:
    letters = tuple(bytes([value]) for value in range(256) if value != ord('"'))
    tune = finish(write_tune(THEME, ScriptedModel(vocabulary=letters), seed=1, format_name="plain"))
    assert all('"' not in section.text for section in tune.sections)
    assert all(len(section.chords) == section.bars for section in tune.sheet.sections)


def test_reports_show_the_text_as_it_grows_and_never_go_back() -> None:
    reports: list[Progress] = list(write_tune(THEME, ScriptedModel(), seed=4))
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert all(report.stage == "tune" for report in reports)
    assert reports[-1].detail["abc"].count("P:") == 3


def test_stopping_to_listen_stops_the_writing() -> None:
    model = ScriptedModel()
    work = write_tune(THEME, model, seed=random.Random(1).randrange(100))
    next(work)
    next(work)
    calls = len(model.calls)
    work.close()
    assert len(model.calls) == calls <= 1


@pytest.mark.parametrize(
    ("worths", "budget_s", "attempts", "kept"),
    [((0.3, 0.6, 0.5), 300.0, 3, 1), ((0.3, 0.95, 0.5), 300.0, 2, 1), ((0.9,), 300.0, 1, 0), ((0.3, 0.6, 0.5), 0.0, 1, 0)],
)
def test_the_best_of_three_attempts_stays_and_a_spent_budget_takes_the_first(
    monkeypatch: pytest.MonkeyPatch, worths: tuple[float, ...], budget_s: float, attempts: int, kept: int
) -> None:
    judged: list[str] = []

    def judge(section: object, bars: Sequence[str], *_: object) -> float:
        judged.append("|".join(bars) + "|")
        return worths[len(judged) - 1]

    monkeypatch.setattr("llm_music_gen.composing.tune.score", judge)
    tune = finish(write_tune(replace(THEME, form=FORM[1:2]), ScriptedModel(), seed=1, budget_s=budget_s))
    assert len(judged) == attempts
    assert tune.sections[0].text == judged[kept]


def test_models_are_as_warm_as_their_makers_advise_and_the_user_asks() -> None:
    for name, asked, warm in (
        ("chatmusician", 0.75, 0.2),
        ("chatmusician", 1.5, 0.4),
        ("chatml", 0.75, 1.0),
        ("plain", 0.9, 0.9),
    ):
        model = ScriptedModel()
        finish(write_tune(replace(THEME, form=FORM[1:2]), model, seed=1, temperature=asked, format_name=name))
        assert model.calls[0].sampling.temperature == pytest.approx(warm)


def test_the_speed_is_in_the_reports() -> None:
    reports = list(write_tune(THEME, ScriptedModel(), seed=4))
    assert any(report.detail.get("tokens_per_s", 0) > 0 for report in reports)
    assert "tokens_per_s" not in reports[-1].detail

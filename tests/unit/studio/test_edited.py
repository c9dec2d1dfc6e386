"""Edited songs played again: exact bars, sections that are not meant untouched, undo of what was silenced, records that last."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from llm_music_gen.arranging.editing import plays
from llm_music_gen.composing.theme import resolve_style
from llm_music_gen.domain.edit import (
    AddPart,
    Cut,
    Dynamics,
    Operation,
    PlayOn,
    Repeat,
    Restyle,
    Rewrite,
    SetEnergy,
    SetMeter,
    SetMode,
    SetSwing,
    SetTempo,
    Silence,
    Transpose,
)  # fmt: skip
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, PlayedNote
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import UsageError
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.music21_port import read_abc_with_music21
from llm_music_gen.notation.spec import default_unit
from llm_music_gen.notation.text import parse_section
from llm_music_gen.notation.writer import section_text
from llm_music_gen.requests.editing import plan_edit
from llm_music_gen.requests.editing_parts import Band
from llm_music_gen.studio.edited import Edited, edited
from llm_music_gen.studio.editing_record import EditedRecord, EditRecord
from llm_music_gen.studio.recipe import style_sha256
from llm_music_gen.studio.records import SectionText, ThemeRecord
from llm_music_gen.styles import Style, load_styles
from llm_music_gen.units import SAMPLE_RATE_HZ
from tests.fakes.tunes import lead_sheet, theme_for

SECOND = (4, 12)  # of the form in tests.fakes.tunes


@lru_cache(maxsize=1)
def styles() -> dict[str, Style]:
    return dict(load_styles())


def record_of(theme: Theme, style_name: str, seed: int = 1) -> EditedRecord:
    sheet = lead_sheet(theme, np.random.default_rng(seed))
    unit = default_unit(theme.meter)
    texts = tuple(
        SectionText(label=part.label, bars=part.bars, text=section_text(part, theme.key, theme.meter, unit))
        for part in sheet.sections
    )
    style, _ = resolve_style(styles(), (style_name,), ())
    edit = EditRecord(request="-", former="-", operations=())
    return EditedRecord(
        theme=ThemeRecord.of(theme), unit=str(unit), sections=texts, style_names=(style_name,), style_sha256=style_sha256(style),
        edits=(edit,),
    )  # fmt: skip


@lru_cache(maxsize=4)
def record(style_name: str = "pop", key: str = "Dm", meter: str = "4/4") -> EditedRecord:
    return record_of(theme_for(Key.parse(key), Meter.parse(meter), 96), style_name)


@lru_cache(maxsize=64)
def after(*operations: Operation, style_name: str = "pop") -> Edited:
    return edited(record(style_name), operations, styles(), 7)


def notes_in(band: Arrangement, bars: tuple[int, int], roles: Sequence[str] = ()) -> list[tuple[str, PlayedNote]]:
    bar_ql = float(band.meter.bar_ql)
    return [
        (part.name, note)
        for part in band.parts
        if not roles or part.role in roles
        for note in part.notes
        if bars[0] * bar_ql <= note.onset_ql + 0.12 < bars[1] * bar_ql
    ]


def pitches_in(band: Arrangement, bars: tuple[int, int]) -> list[int]:
    return sorted(note.pitch for _, note in notes_in(band, bars))


def starts_in(band: Arrangement, bars: tuple[int, int]) -> list[tuple[float, int, int]]:
    """What is struck; how long it lasts may depend on what follows."""
    return sorted((note.onset_ql, note.pitch, note.velocity) for _, note in notes_in(band, bars))


def check_whole(state: Edited) -> None:
    """Everything that a song promises of its score."""
    theme, sheet = state.written.theme, state.written.sheet
    assert theme.bars == len(state.origin)
    music_s = theme.bars * theme.meter.bar_seconds(theme.tempo_bpm)
    assert 0.4 <= theme.length_frames / SAMPLE_RATE_HZ - music_s < 12
    assert state.band.length_frames == theme.length_frames
    unit = default_unit(theme.meter)
    for section in sheet.sections:
        text = section_text(section, theme.key, theme.meter, unit)
        assert parse_section(text, label=section.label, key=theme.key, meter=theme.meter, unit=unit, bars=section.bars)
    assert {plan.label for plan in theme.form} <= {section.label for section in sheet.sections}
    end_ql = theme.length_frames / SAMPLE_RATE_HZ * state.band.quarter_bpm / 60
    names = [part.name for part in state.band.parts]
    assert len(set(names)) == len(names)
    assert not state.band.levels or list(state.band.levels) == sorted(state.band.levels)
    for part in state.band.parts:
        assert list(part.notes) == sorted(part.notes, key=lambda note: (note.onset_ql, note.pitch))
        for note in part.notes:
            assert 0 <= note.pitch <= 127 and 1 <= note.velocity <= 127 and note.duration_ql > 0
            assert 0 <= note.onset_ql < end_ql


REQUESTS = (
    "make the second part calmer", "end in major", "up a tone", "to G minor", "at 130 bpm", "slower", "in 3/4", "in 4/4",
    "drums out", "no bass in the intro", "add strings", "add a flute in the second part", "bring back the drums", "swing 64%",
    "straight", "make the intro softer", "bass louder", "repeat the last part", "repeat the second part", "shorter second part",
    "remove the third part", "remove bars 2-3", "repeat bars 5-6", "second part jazzy", "in the style of folk", "happier",
    "sadder",
    "make the third part bigger", "melody on flute", "swap the bass for a tuba", "first half calmer", "the last part up a fourth",
    "last part in major", 'call it "X"', "shorten the last part", "remove the last part", "longer intro",
)  # fmt: skip


@pytest.mark.parametrize("seed", [0, 3, *(pytest.param(seed, marks=pytest.mark.heavy) for seed in range(4, 16))])
def test_random_edits_of_random_songs_keep_bars_exact_and_the_score_readable(seed: int) -> None:
    rng = random.Random(seed)
    names = ("pop", "jazz", "ambient", "celtic", "house", "waltz" if "waltz" in styles() else "folk")
    meter = Meter.parse(rng.choice(("4/4", "3/4", "4/4")))
    key = Key(rng.choice(("C", "D", "F", "A")), rng.choice(("major", "minor", "dorian")))
    first = record_of(theme_for(key, meter, rng.choice((72, 96, 128))), rng.choice(names), seed)
    operations: tuple[Operation, ...] = ()
    state = edited(first, operations, styles(), seed)
    for request in rng.sample(REQUESTS, 4):
        band = Band(tuple((part.role, part.name) for part in state.band.parts))
        found = plan_edit(request, state.written.theme, band, state.swing).operations
        steps = tuple(sorted(found, key=lambda step: -(getattr(step, "bars", None) or (0,))[0]))
        operations = (*operations, *(_for_the_band(step, state) for step in steps))
        state = edited(first, operations, styles(), seed)
        check_whole(state)
    kept = EditRecord(request="r", former="f", operations=operations)
    assert EditRecord.model_validate_json(kept.model_dump_json()) == kept
    assert edited(first, kept.operations, styles(), seed) == state


def _for_the_band(step: Operation, state: Edited) -> Operation:
    """As the studio records it: in bars of the first song."""
    if isinstance(step, AddPart | Restyle) and step.bars is not None:
        return replace(step, bars=(state.origin[step.bars[0]], state.origin[step.bars[1] - 1] + 1))
    return step


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.heavy), pytest.param(2, marks=pytest.mark.heavy)])
def test_music21_reads_the_score_of_an_edited_song_with_as_many_bars(seed: int) -> None:
    steps = (SetMeter("3/4"), SetMode("major", (32, 36)), SetEnergy(-2, SECOND), Transpose(3, "Fm"), Repeat((0, 4)))
    state = edited(record_of(theme_for(Key("D", "minor"), Meter(4, 4), 90), "pop", seed), steps, styles(), seed)
    reading = read_abc_with_music21(write_abc(state.written.sheet))
    assert reading.bar_lengths_ql
    assert {length for part in reading.bar_lengths_ql for length in part} == {3}


@pytest.mark.parametrize(
    "step",
    [
        SetEnergy(-2, SECOND), SetMode("major", SECOND), Silence(("drums", "bass"), SECOND), Transpose(2, "Em", SECOND),
        PlayOn("melody", "flute", SECOND), Dynamics(-3.0, ("chords",), SECOND), AddPart("counter", "flute", SECOND),
    ],
)  # fmt: skip
def test_a_change_of_one_section_leaves_every_note_outside_it_as_it_was(step: Operation) -> None:
    plain, changed = after().band, after(step).band
    for outside in ((0, 4), (12, 36)):
        assert starts_in(changed, outside) == starts_in(plain, outside)
    assert notes_in(changed, SECOND) != notes_in(plain, SECOND)


def test_another_style_in_one_section_leaves_the_others_as_they_were() -> None:
    style, _ = resolve_style(styles(), ("jazz",), ())
    plain, changed = after().band, after(Restyle(("jazz",), style_sha256(style), SECOND)).band
    for outside in ((0, 4), (12, 36)):
        assert sorted(n.onset_ql for _, n in notes_in(changed, outside)) == sorted(
            n.onset_ql for _, n in notes_in(plain, outside)
        )
    assert [n for _, n in notes_in(changed, SECOND, ["bass"])] != [n for _, n in notes_in(plain, SECOND, ["bass"])]


def test_another_instrument_changes_one_part_only() -> None:
    plain, changed = after().band, after(PlayOn("melody", "oboe")).band
    other = [part for part in changed.parts if part.role != "melody"]
    assert other == [part for part in plain.parts if part.role != "melody"]
    [melody] = [part for part in changed.parts if part.role == "melody"]
    assert (melody.program, melody.name) == (68, "Oboe")


def test_calmer_is_softer_thinner_and_slower_in_its_notes() -> None:
    plain, calm = after().band, after(SetEnergy(-2, SECOND)).band
    before, now = notes_in(plain, SECOND), notes_in(calm, SECOND)
    assert len(now) < 0.7 * len(before)
    assert np.mean([note.velocity for _, note in now]) < 0.85 * np.mean([note.velocity for _, note in before])
    tune_before, tune = notes_in(plain, SECOND, ["melody"]), notes_in(calm, SECOND, ["melody"])
    assert 0 < len(tune) < len(tune_before)
    assert np.mean([note.duration_ql for _, note in tune]) > np.mean([note.duration_ql for _, note in tune_before])
    assert after(SetEnergy(-2, SECOND)).written.theme.form[1].energy == pytest.approx(0.05)


def test_end_in_major_has_the_major_third_and_not_the_minor_one() -> None:
    end = (35, 36)
    pitches = {note.pitch % 12 for _, note in notes_in(after(SetMode("major", (32, 36))).band, end, ["chords", "bass", "melody"])}
    assert 6 in pitches and 5 not in pitches  # F sharp over D
    sheet = after(SetMode("major", (32, 36))).written.sheet
    last = sheet.section(sheet.order[-1])
    assert (last.chords[-1].root_pc, last.chords[-1].quality) == (2, "")
    assert sheet.section(sheet.order[0]).chords[0].quality == "m"  # the first part keeps its own


def test_major_and_back_is_the_same_tune() -> None:
    plain = after()
    there_and_back = after(SetMode("major"), SetMode("minor"))
    assert there_and_back.written.theme.key == plain.written.theme.key
    chords = [chord.root_pc for section in plain.written.sheet.sections for chord in section.chords]
    assert [c.root_pc for section in there_and_back.written.sheet.sections for c in section.chords] == chords


def test_three_four_and_back_is_the_same_score_and_the_same_sound() -> None:
    plain, back, waltz = after(), after(SetMeter("3/4"), SetMeter("4/4")), after(SetMeter("3/4"))
    assert back.written.sheet == plain.written.sheet
    assert back.band == plain.band
    assert waltz.written.theme.bars == plain.written.theme.bars
    downbeats = {
        section.label: {note.onset_ql // 4 for note in section.notes if note.onset_ql % 4 == 0}
        for section in plain.written.sheet.sections
    }
    for section in waltz.written.sheet.sections:
        assert {note.onset_ql // 3 for note in section.notes if note.onset_ql % 3 == 0} == downbeats[section.label]


def test_a_tempo_keeps_every_onset_in_its_bar_and_the_tail_in_seconds() -> None:
    plain, fast = after(), after(SetTempo(144))
    assert [n.onset_ql for p in fast.band.parts for n in p.notes] == [n.onset_ql for p in plain.band.parts for n in p.notes]
    music_s = 36 * 4 * 60 / 144
    assert fast.written.theme.length_frames == pytest.approx((music_s + 3.0) * SAMPLE_RATE_HZ, abs=SAMPLE_RATE_HZ * 0.01)


def test_up_and_down_again_is_the_same_harmony() -> None:
    plain, back = after(), after(Transpose(5, "Gm"), Transpose(-5, "Dm"))
    assert back.written.theme.key == Key("D", "minor")
    assert back.written.sheet.sections[0].chords == plain.written.sheet.sections[0].chords


def test_what_was_silenced_can_play_again() -> None:
    assert not plays(after(Silence(("drums",))).band, "drums")
    again = after(Silence(("drums",)), AddPart("drums", "", SECOND)).band
    assert plays(again, "drums", SECOND) and not plays(again, "drums", (12, 36))
    assert after(Silence(("drums",)), AddPart("drums")).band == after().band


def test_a_style_without_drums_gets_them_from_another() -> None:
    name = next(name for name, style in styles().items() if not style.has_drums)
    assert not plays(after(style_name=name).band, "drums")
    assert plays(after(AddPart("drums"), style_name=name).band, "drums")


def test_bars_left_out_and_heard_again_move_what_follows() -> None:
    plain = after().band
    shorter = after(Cut((0, 4)))
    assert pitches_in(shorter.band, (0, 8)) == pitches_in(plain, (4, 12))
    assert shorter.origin == tuple(range(4, 36))
    longer = after(Repeat((12, 20), 2))
    assert longer.written.theme.bars == 52
    assert pitches_in(longer.band, (12, 20)) == pitches_in(longer.band, (20, 28)) == pitches_in(longer.band, (28, 36))
    ending = after(Repeat((32, 36)))
    assert pitches_in(ending.band, (39, 40)) == pitches_in(plain, (35, 36))
    assert pitches_in(ending.band, (36, 39)) == pitches_in(plain, (32, 35))


def test_a_new_tune_is_heard_in_its_section_only() -> None:
    text = "|".join(['"Dm"D2F2A2d2'] * 7 + ['"Dm"d8']) + "|"
    plain, changed = after(), after(Rewrite(SECOND, "new", "X", text, 8, "m"))
    assert changed.written.theme.form[1].label == "X"
    assert notes_in(changed.band, SECOND, ["melody"]) != notes_in(plain.band, SECOND, ["melody"])
    for outside in ((0, 4), (12, 36)):
        assert starts_in(changed.band, outside) == starts_in(plain.band, outside)


def test_swing_moves_the_off_beats_and_nothing_on_the_beat() -> None:
    plain, swung = after().band, after(SetSwing(66.0)).band
    for before, now in zip(plain.parts, swung.parts, strict=True):
        assert len(before.notes) == len(now.notes)
    beats = [n.onset_ql for p in plain.parts for n in p.notes if n.onset_ql % 1 < 0.001]
    assert set(beats) <= {round(n.onset_ql, 9) for p in swung.parts for n in p.notes} | set(beats)
    assert after(SetSwing(66.0), SetSwing(after().swing)).band.parts[0].notes[5].onset_ql == pytest.approx(
        plain.parts[0].notes[5].onset_ql
    )


def test_nothing_remains_is_refused() -> None:
    with pytest.raises(UsageError, match="Nothing would remain"):
        after(Cut((0, 36)))

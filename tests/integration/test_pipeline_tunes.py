"""What the built-in composer writes for many songs: all different, all in their key and metre, however often it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.theme import SongRequest, plan_theme
from llm_music_gen.composing.tune import Tune, write_tune
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.score import LeadSheet
from llm_music_gen.domain.text_model import TextModel
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.backend import load_model
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.music21_port import read_abc_with_music21
from llm_music_gen.styles import load_styles

STYLES = load_styles()


@pytest.fixture(scope="module")
def composer() -> Iterator[TextModel]:
    try:
        path = built_in_composer()
    except ModelError as error:
        pytest.fail(str(error))
    model = load_model(path)
    yield model
    model.close()


def tune(composer: TextModel, style: str, seed: int, length: str = "1", key: str = "", meter: str = "") -> Tune:
    request = SongRequest(
        (style,), parse_length(length), Key.parse(key) if key else None, meter=Meter.parse(meter) if meter else None
    )
    theme = plan_theme(request, STYLES, np.random.default_rng(seed)).theme
    return finish(write_tune(theme, composer, seed=seed))


def eight_bars(sheet: LeadSheet) -> set[tuple[tuple[Fraction, Fraction, int], ...]]:
    """Every 8-bar stretch of every section: onset, length and pitch above the tonic of each note."""
    found = set()
    bar_ql = sheet.meter.bar_ql
    for section in sheet.sections:
        for first in range(section.bars - 7):
            start, end = first * bar_ql, (first + 8) * bar_ql
            found.add(
                tuple(
                    (note.onset_ql - start, note.duration_ql, note.pitch - sheet.key.tonic_pc)
                    for note in section.notes
                    if start <= note.onset_ql < end
                )
            )
    return found


def test_no_two_of_ten_songs_of_one_style_share_an_eight_bar_melody(composer: TextModel) -> None:
    songs = [eight_bars(tune(composer, "chill", seed).sheet) for seed in range(10)]
    assert all(songs)
    for first, second in combinations(songs, 2):
        assert not first & second


@pytest.mark.parametrize(
    ("key", "meter"),
    [("F#m", "4/4"), ("Bb", "3/4"), ("Edor", "6/8"), ("Gmix", "2/4"), ("Ab", "9/8"), ("C#m", "5/4"), ("D", "7/8")],
)
def test_another_program_reads_every_tune_and_every_bar_is_exact(composer: TextModel, key: str, meter: str) -> None:
    sheet = tune(composer, "folk", 1, "30s", key, meter).sheet
    reading = read_abc_with_music21(write_abc(sheet))
    [lengths_ql] = reading.bar_lengths_ql
    assert lengths_ql == (Meter.parse(meter).bar_ql,) * sum(section.bars for section in sheet.sections)
    assert reading.chord_symbols > 0


def test_sections_belong_together(composer: TextModel) -> None:
    """The second theme opens with the rhythm of the first; every section rests on the tonic."""
    for seed in range(4):
        sheet = tune(composer, "pop", seed, "2").sheet
        first, second = sheet.sections[:2]
        bar_ql = sheet.meter.bar_ql

        def rhythm(notes: tuple[object, ...], bar_ql: Fraction = bar_ql) -> list[Fraction]:
            return [note.onset_ql for note in notes if note.onset_ql < bar_ql]  # type: ignore[attr-defined]

        assert rhythm(first.notes) == rhythm(second.notes) or first.notes[0].pitch % 12 not in sheet.key.scale_pcs
        assert first.notes[-1].pitch % 12 == sheet.key.tonic_pc
        assert first.notes[-1].duration_ql >= 1

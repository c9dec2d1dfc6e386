"""From a long track's recipe to what sounds: the same recipe gives the same track in every process that renders it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from llm_music_gen.arranging.calm import calm_score
from llm_music_gen.composing.theme import resolve_style
from llm_music_gen.composing.tune import sheet_of
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.long_form import Chapter, LongScore, Piece
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import StyleError, UsageError
from llm_music_gen.sound.long.track import Track
from llm_music_gen.sound.steady import steadiness
from llm_music_gen.studio.band import played
from llm_music_gen.studio.long.layers import bed_layer
from llm_music_gen.studio.long.record import ChapterRecord, LayerRecord, LongRecord
from llm_music_gen.studio.recipe import Recipe, read_recipe, style_sha256
from llm_music_gen.styles import Style, load_styles
from llm_music_gen.styles.sounds import instrument_named
from llm_music_gen.units import SAMPLE_RATE_HZ


def open_track(recipe_path: Path, styles_dir: Path | None, soundfont: Path) -> Track:
    """The track of a recipe file: what every worker does first. Raises UsageError, StyleError."""
    return track_of(read_recipe(recipe_path), load_styles(styles_dir), soundfont)


def track_of(recipe: Recipe, styles: Mapping[str, Style], soundfont: Path) -> Track:
    """The track of a recipe. Raises UsageError for a song's recipe, StyleError when the style sheets have changed since."""
    long = recipe.long
    if long is None:
        raise UsageError("This is the recipe of a song, not of a long track.")
    style, _ = resolve_style(styles, recipe.style_names, recipe.theme.mood)
    if style_sha256(style) != recipe.style_sha256:
        names = ", ".join(recipe.style_names)
        raise StyleError(f"The style sheets ({names}) have changed since this track was planned.", hint="Plan it anew.")
    chapters = tuple(long.chapter(number) for number in range(len(long.chapters)))
    calm = long.chapters[0].theme is None
    if not long.music:
        score = LongScore(recipe.theme.length_frames, chapters, (), (), 0.0, 0.0)
    else:
        score = _calm(recipe, long, chapters, style) if calm else _band(recipe, long, chapters, style, soundfont)
    if long.fade_s is not None:
        score = replace(score, fade_out_s=long.fade_s)
    layers = tuple(bed_layer(_ending(record, recipe), recipe.seed + 101 * number) for number, record in enumerate(long.layers))
    return Track(score, soundfont, layers)


def _ending(layer: LayerRecord, recipe: Recipe) -> LayerRecord:
    """A layer that fades with its track: where only layers sound, or where a fade was asked for."""
    assert recipe.long is not None
    fade_s = recipe.long.fade_s
    if layer.end_s is not None or (recipe.long.music and fade_s is None):
        return layer
    length_s = recipe.theme.length_frames / SAMPLE_RATE_HZ
    fade_s = min(layer.fade_s if fade_s is None else fade_s, length_s / 2)
    return layer.model_copy(update={"end_s": length_s, "fade_s": fade_s})


def _calm(recipe: Recipe, long: LongRecord, chapters: tuple[Chapter, ...], style: Style) -> LongScore:
    motifs = []
    for record, chapter in zip(long.chapters, chapters, strict=True):
        form = tuple(SectionPlan(part.label, "verse", part.bars, 0.4) for part in record.sections)
        theme = Theme(record.name, (), (), chapter.key, recipe.theme.tempo_bpm, Meter(4, 4), form)
        sections = [WrittenSection(part.label, part.bars, part.text) for part in record.sections]
        motifs.append(sheet_of(theme, Fraction(record.unit), sections).sections[0])
    return calm_score(
        recipe.theme.title, chapters, motifs, style, frames=recipe.theme.length_frames, calm=long.calm, seed=recipe.seed,
        band=[instrument_named(name) for name in long.band], corrections_db=long.corrections_db, without=recipe.theme.without,
    )  # fmt: skip


def _band(recipe: Recipe, long: LongRecord, chapters: tuple[Chapter, ...], style: Style, soundfont: Path) -> LongScore:
    pieces = []
    for record, chapter in zip(long.chapters, chapters, strict=True):
        assert record.theme is not None
        start = round(chapter.start_s * SAMPLE_RATE_HZ)
        length = min(record.theme.length_frames, recipe.theme.length_frames - start)
        pieces.append(Piece(start, length, partial(_arranged, record, style, recipe.seed, chapter, length, soundfont)))
    return LongScore(recipe.theme.length_frames, chapters, (), tuple(pieces), 0.0, 0.0)


def _arranged(
    record: ChapterRecord, style: Style, seed: int, chapter: Chapter, length_frames: int, soundfont: Path
) -> Arrangement:
    """What the band plays in one chapter."""
    assert record.theme is not None
    theme = record.theme.theme()
    sections = [WrittenSection(part.label, part.bars, part.text) for part in record.sections]
    sheet = sheet_of(theme, Fraction(record.unit), sections)
    arrangement = played(theme, sheet, style, np.random.SeedSequence(seed, spawn_key=(9, chapter.number)))
    tuned = replace(arrangement, a4_hz=record.a4_hz, intonation=chapter.intonation, length_frames=length_frames)
    if not chapter.intonation.exact:
        return tuned
    with steadiness(soundfont) as known:
        return known.steadied(tuned)[0]

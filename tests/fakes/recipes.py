"""Recipes of songs that were never rendered: enough for everything that reads the score only."""

from __future__ import annotations

import numpy as np

from llm_music_gen.composing.theme import resolve_style
from llm_music_gen.domain.theme import Theme
from llm_music_gen.notation.spec import default_unit
from llm_music_gen.notation.writer import section_text
from llm_music_gen.studio.recipe import FileRecord, ModelRecord, Recipe, SectionText, ThemeRecord, style_sha256
from llm_music_gen.styles import load_styles
from tests.fakes.tunes import lead_sheet


def recipe_of(theme: Theme, style_name: str = "pop", seed: int = 1) -> Recipe:
    """A recipe of a tune made by chance."""
    sheet = lead_sheet(theme, np.random.default_rng(seed))
    unit = default_unit(theme.meter)
    style, _ = resolve_style(load_styles(), (style_name,), ())
    return Recipe(
        created="2026-11-21T00:00:00Z",
        seed=seed,
        theme=ThemeRecord.of(theme),
        unit=str(unit),
        sections=tuple(
            SectionText(label=part.label, bars=part.bars, text=section_text(part, theme.key, theme.meter, unit))
            for part in sheet.sections
        ),
        style_names=(style_name,),
        style_sha256=style_sha256(style),
        model=ModelRecord(name="composer.built-in.gguf", sha256="0" * 64, temperature=0.75),
        soundfont=FileRecord(name="none.sf2", sha256="0" * 64),
        loudness_lufs=-14.0,
        formats=("flac",),
        mp3_kbps=320,
        versions={},
    )

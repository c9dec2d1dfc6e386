"""Figures of tunes alone, before a band plays them: how they are written, and how near they are to what people write."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.theme import PlannedSong, SongRequest, plan_theme
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.score import LeadSheet
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import NotationError
from llm_music_gen.evaluating import score
from llm_music_gen.evaluating.humans import humans
from llm_music_gen.evaluating.melody import FIGURES, MelodyStatistics, melody_statistics
from llm_music_gen.evaluating.novelty import novelty
from llm_music_gen.evaluating.setting import setting_of
from llm_music_gen.llm.registry import built_in_composer
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.bars import check_bars
from llm_music_gen.settings import Settings
from llm_music_gen.studio.band import played
from llm_music_gen.studio.seeds import stream, stream_seed
from llm_music_gen.studio.tune_fallback import tune_by
from llm_music_gen.studio.writer_model import WriterModel
from llm_music_gen.styles import Style


def composed(
    tasks: Sequence[tuple[str, int]], styles: Mapping[str, Style], settings: Settings, *, length: str
) -> Iterator[dict[str, Any]]:
    """Facts about a tune by the built-in composer for each (style, seed): what `generate` would write, without sound.

    Raises UsageError for a length that is none, ModelError or DependencyMissing without the composer.
    """
    wanted = parse_length(length)
    with closing(WriterModel(built_in_composer(), settings)) as writer:
        for name, seed in tasks:
            request = SongRequest(words=(name,), length=wanted)
            planned = plan_theme(request, styles, np.random.default_rng(stream(seed, "theme")))
            tune = finish(tune_by(planned.theme, writer, seed=stream_seed(seed, "tune"), temperature=settings.temperature)).tune
            yield {"title": planned.theme.title, "styles": [name], "seed": seed, **planned_facts(planned, tune.sheet, seed)}


def planned_facts(planned: PlannedSong, sheet: LeadSheet, seed: int) -> dict[str, Any]:
    """What a written song counts, and how the band would set it."""
    arrangement = played(planned.theme, sheet, planned.style, stream(seed, "arrangement"))
    return {**tune_facts(planned.theme, sheet), "setting": setting_of(arrangement, planned.theme)}


def tune_facts(theme: Theme, sheet: LeadSheet) -> dict[str, Any]:
    """What a tune counts. Everything can be written as JSON."""
    report = _bar_report(write_abc(sheet))
    melody, new = melody_statistics(sheet), novelty(sheet, humans().known)
    figures = melody.figures if melody else dict.fromkeys(FIGURES, math.nan)
    return {
        "parses": report is not None, "bar_validity": report, "sections": len(sheet.sections),
        "bars": sum(section.bars for section in sheet.sections), "form_kept": _form_kept(theme, sheet),
        "section_pairs": score.section_similarities(sheet),
        **{name: rounded(value) for name, value in figures.items()},
        "known_share": rounded(new.known_share), "longest_known_notes": new.longest_known_notes,
        "kind": melody.kind if melody else None,
        "histograms": {name: shares.round(4).tolist() for name, shares in melody.histograms.items()} if melody else {},
    }  # fmt: skip


def melody_of(facts: Mapping[str, Any]) -> MelodyStatistics | None:
    """The statistics that `tune_facts` wrote down."""
    if not facts.get("kind"):
        return None
    histograms = {name: np.array(shares, dtype=np.float64) for name, shares in facts["histograms"].items()}
    figures = {name: math.nan if facts[name] is None else float(facts[name]) for name in FIGURES}
    return MelodyStatistics(facts["kind"], histograms, figures)


def rounded(value: float | None) -> float | None:
    """For JSON, which knows no infinity."""
    return round(float(value), 4) if value is not None and math.isfinite(value) else None


def _form_kept(theme: Theme, sheet: LeadSheet) -> bool:
    """Whether the sections are heard in the planned order, none longer than planned for its label."""
    planned = [part.label for part in theme.form]
    heard = list(sheet.order or [section.label for section in sheet.sections])
    longest = {label: max(part.bars for part in theme.form if part.label == label) for label in planned}
    return heard == planned and all(section.bars <= longest.get(section.label, 0) for section in sheet.sections)


def _bar_report(abc: str) -> float | None:
    """Share of exact bars, or None for what does not parse."""
    try:
        report = check_bars(abc)
    except NotationError:
        return None
    return report.exact_bars / report.bars if report.bars else None

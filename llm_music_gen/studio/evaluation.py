"""Figures of finished songs and of any audio: what `evaluate` prints. docs/guide/evaluating.md defines each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import LeadSheet
from llm_music_gen.domain.song import Song
from llm_music_gen.domain.theme import Theme
from llm_music_gen.errors import NotationError
from llm_music_gen.evaluating import keys, score, tempo
from llm_music_gen.evaluating.levels import measure_levels
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.bars import check_bars
from llm_music_gen.sound.decode import audio_info, decoded
from llm_music_gen.studio.recipe import read_recipe
from llm_music_gen.studio.song import draft_of
from llm_music_gen.styles import Style

_TEMPO = {"tempo_fourier_bpm": tempo.fourier_tempogram_bpm, "tempo_intervals_bpm": tempo.interval_histogram_bpm}
_KEYS = {"key_constant_q": keys.constant_q_key, "key_harmonic_profile": keys.harmonic_profile_key}
FINISHED_LUFS, FINISHED_DBTP = -14.0, -1.0
_RIGHT_KEYS = ("same", "relative", "fifth")


def evaluate_audio(path: Path) -> dict[str, Any]:
    """What any audio file measures. Raises SoundError."""
    rate_hz = audio_info(path).sample_rate_hz
    samples = np.concatenate([np.zeros((0, 2), dtype=np.float32), *(_stereo(block) for block in decoded(path))])
    mono = samples.mean(axis=1)
    facts: dict[str, Any] = {"file": str(path), "length_s": len(samples) / rate_hz}
    facts |= {name: _rounded(estimate(mono, rate_hz)) for name, estimate in _TEMPO.items()}
    for name, find in _KEYS.items():
        key = find(mono, rate_hz)
        facts[name] = key.abc() if key else None
    levels = measure_levels(samples, rate_hz)
    return facts | {name: _rounded(getattr(levels, name)) for name in levels.__dataclass_fields__}


def evaluate_song(song: Song, styles: Mapping[str, Style]) -> dict[str, Any]:
    """What a song of the library measures, beside what its recipe wanted. Raises StudioError."""
    assert song.audio_file is not None
    recipe = read_recipe(song.folder)
    draft = draft_of(recipe, styles)
    theme, sheet, style = draft.planned.theme, draft.tune.sheet, draft.planned.style
    facts = evaluate_audio(song.audio_file)
    bars = score.played_bars(sheet)
    bar_ql = float(sheet.meter.bar_ql)
    notes = [note for section in sheet.sections for note in section.notes]
    report = _bar_report(write_abc(sheet))
    facts |= {
        "title": song.title, "styles": list(song.styles), "seed": song.seed, "pulse": style.pulse,
        "wanted_tempo_bpm": theme.tempo_bpm, "wanted_key": theme.key.abc(), "parses": report is not None,
        "bar_validity": report, "sections": len(sheet.sections), "bars": len(bars),
        "form_kept": _form_kept(theme, sheet),
        "section_similarity": score.section_similarities(sheet),
        "phrase_repetition": _rounded(score.phrase_repetition(bars)),
        "pitch_class_entropy_1_bar": _rounded(score.pitch_class_entropy(bars, 1)),
        "pitch_class_entropy_4_bars": _rounded(score.pitch_class_entropy(bars, 4)),
        "groove_similarity": _rounded(score.groove_similarity(bars, bar_ql)),
        "length_histogram": score.length_histogram(notes).round(4).tolist(),
        "interval_histogram": score.interval_histogram(notes).round(4).tolist(),
    }  # fmt: skip
    for name in _TEMPO:
        facts[name.replace("_bpm", "_right")] = tempo.tempo_found(facts[name], theme.tempo_bpm)
    for name in _KEYS:
        facts[name + "_is"] = keys.key_relation(_key(facts[name]), theme.key)
    checks = style_checks(facts, style)
    return facts | {"style_checks": checks, "style_score": round(fmean(checks.values()), 3)}


def style_checks(facts: Mapping[str, Any], style: Style) -> dict[str, bool]:
    """What of the style sheet's own figures a finished file keeps: slope within 1 dB an octave, share under 150 Hz within 10
    points, peak over loudness and loudness range within 2 of their ranges, no silence of 2 s, no peak over -1 dBTP, no clicks."""
    wanted = style.spectrum
    peak = facts["true_peak_dbtp"] - facts["lufs"] if facts["lufs"] is not None else math.inf
    return {
        "tilt": abs(facts["tilt_db_per_octave"] - wanted.tilt_db_per_octave) <= 1,
        "low share": abs(facts["low_percent"] - wanted.low_percent) <= 10,
        "peak to loudness": _within(peak, _attainable(wanted.peak_to_loudness_db), 2),
        "loudness range": _within(facts["loudness_range_lu"], wanted.loudness_range_lu, 2),
        "silence": facts["longest_silence_s"] < 2,
        "peak": facts["true_peak_dbtp"] <= -1,
        "clicks": facts["clicks"] == 0,
    }


def summary(songs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Shares and means over songs; tempo counts only where the style has a pulse."""
    pulsed = [song for song in songs if song["pulse"]]
    out: dict[str, Any] = {"songs": len(songs), "with_pulse": len(pulsed)}
    for name in _TEMPO:
        right = name.replace("_bpm", "_right")
        out[right] = _rounded(fmean(song[right] for song in pulsed)) if pulsed else None
    for name in _KEYS:
        out[name + "_right"] = _rounded(fmean(song[name + "_is"] in _RIGHT_KEYS for song in songs))
    for name in (
        "parses", "form_kept", "phrase_repetition", "pitch_class_entropy_1_bar", "pitch_class_entropy_4_bars",
        "groove_similarity", "style_score", "lufs", "lowest_correlation", "tilt_db_per_octave", "low_percent",
    ):  # fmt: skip
        values = [float(song[name]) for song in songs if song[name] is not None]
        out[name] = _rounded(fmean(values)) if values else None
    return out


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


def _key(text: str | None) -> Key | None:
    return Key.parse(text) if text else None


def _attainable(peak_to_loudness_db: tuple[float, float]) -> tuple[float, float]:
    """The range as far as finished songs can have it, which all stand at -14 LUFS under -1 dBTP."""
    low, high = (min(value, FINISHED_DBTP - FINISHED_LUFS) for value in peak_to_loudness_db)
    return low, high


def _within(value: float | None, bounds: tuple[float, float], margin: float) -> bool:
    return value is not None and bounds[0] - margin <= value <= bounds[1] + margin


def _stereo(block: NDArray[np.float32]) -> NDArray[np.float32]:
    return block[:, :2] if block.shape[1] > 1 else np.repeat(block, 2, axis=1)


def _rounded(value: float | None) -> float | None:
    """JSON knows no infinity."""
    return round(float(value), 4) if value is not None and math.isfinite(value) else None

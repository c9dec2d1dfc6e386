"""Figures of finished songs and of any audio: what `evaluate` prints. docs/guide/evaluating.md defines each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.song import Song
from llm_music_gen.evaluating import keys, tempo
from llm_music_gen.evaluating.levels import measure_levels
from llm_music_gen.evaluating.setting import setting_of
from llm_music_gen.sound.decode import audio_info, decoded
from llm_music_gen.studio.band import played
from llm_music_gen.studio.recipe import read_recipe
from llm_music_gen.studio.seeds import stream
from llm_music_gen.studio.song import draft_of
from llm_music_gen.studio.tune_evaluation import rounded, tune_facts
from llm_music_gen.styles import Style

TEMPO = {"tempo_fourier_bpm": tempo.fourier_tempogram_bpm, "tempo_intervals_bpm": tempo.interval_histogram_bpm}
KEYS = {"key_constant_q": keys.constant_q_key, "key_harmonic_profile": keys.harmonic_profile_key}
FINISHED_LUFS, FINISHED_DBTP = -14.0, -1.0


def evaluate_audio(path: Path) -> dict[str, Any]:
    """What any audio file measures. Raises SoundError."""
    rate_hz = audio_info(path).sample_rate_hz
    samples = np.concatenate([np.zeros((0, 2), dtype=np.float32), *(_stereo(block) for block in decoded(path))])
    mono = samples.mean(axis=1)
    facts: dict[str, Any] = {"file": str(path), "length_s": len(samples) / rate_hz}
    facts |= {name: rounded(estimate(mono, rate_hz)) for name, estimate in TEMPO.items()}
    for name, find in KEYS.items():
        key = find(mono, rate_hz)
        facts[name] = key.abc() if key else None
    levels = measure_levels(samples, rate_hz)
    return facts | {name: rounded(getattr(levels, name)) for name in levels.__dataclass_fields__}


def evaluate_song(song: Song, styles: Mapping[str, Style]) -> dict[str, Any]:
    """What a song of the library measures, beside what its recipe wanted. Raises StudioError."""
    assert song.audio_file is not None
    recipe = read_recipe(song.folder)
    draft = draft_of(recipe, styles)
    theme, sheet, style = draft.planned.theme, draft.tune.sheet, draft.planned.style
    facts = evaluate_audio(song.audio_file)
    facts |= {
        "title": song.title, "styles": list(song.styles), "seed": song.seed, "pulse": style.pulse,
        "wanted_tempo_bpm": theme.tempo_bpm, "wanted_key": theme.key.abc(), **tune_facts(theme, sheet),
        "setting": setting_of(played(theme, sheet, style, stream(draft.seed, "arrangement")), theme),
    }  # fmt: skip
    for name in TEMPO:
        facts[name.replace("_bpm", "_right")] = tempo.tempo_found(facts[name], theme.tempo_bpm)
    for name in KEYS:
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

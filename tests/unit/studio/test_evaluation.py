"""What a style sheet wants of finished files."""

from __future__ import annotations

from llm_music_gen.studio.evaluation import style_checks
from llm_music_gen.styles import load_styles


def test_a_file_that_measures_as_its_sheet_wants_passes_and_one_that_clips_does_not() -> None:
    style = load_styles()["chill"]
    wanted = style.spectrum
    facts = {
        "lufs": -14.0, "true_peak_dbtp": -14.0 + wanted.peak_to_loudness_db[0], "low_percent": wanted.low_percent + 9,
        "tilt_db_per_octave": wanted.tilt_db_per_octave - 0.9, "loudness_range_lu": wanted.loudness_range_lu[0] - 1.9,
        "longest_silence_s": 0.5, "clicks": 0,
    }  # fmt: skip
    assert all(style_checks(facts, style).values())
    worse = {**facts, "true_peak_dbtp": 0.1, "low_percent": wanted.low_percent + 11, "clicks": 1}
    assert {name for name, passes in style_checks(worse, style).items() if not passes} >= {"peak", "low share", "clicks"}

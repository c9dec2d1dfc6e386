"""The master's tone: bass and slope come to where the style wants them, by a filter that leaves everything else alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter, welch

from llm_music_gen.domain.progress import finish
from llm_music_gen.evaluating.levels import measure_levels
from llm_music_gen.sound.loudness import LoudnessMeter
from llm_music_gen.sound.mix import RenderedMix
from llm_music_gen.sound.tone import MOST_LOW_DB, MOST_TILT_DB, Tone, Wanted, tone_towards, toned

RATE = 44_100


def mixed(path: Path, samples: np.ndarray) -> RenderedMix:
    data = samples.astype(np.float32)
    path.write_bytes(data.tobytes())
    meter = LoudnessMeter(RATE, true_peak=False)
    meter.push(data)
    return RenderedMix(path, len(data), meter.result())


def noise(colour: float, seconds: float = 6.0) -> np.ndarray:
    """Stereo noise; `colour` is a one-pole's memory: 0 white, near 1 dark."""
    rng = np.random.default_rng(3)
    white = rng.standard_normal((round(seconds * RATE), 2))
    return np.asarray(0.1 * lfilter([1 - colour], [1, -colour], white, axis=0))


@pytest.mark.parametrize(("colour", "wanted"), [(0.9, Wanted(-5.0, 30.0)), (0.97, Wanted(-6.0, 45.0)), (0.9, Wanted(-4.0, 12.0))])
def test_slope_and_bass_come_near_what_is_wanted(tmp_path: Path, colour: float, wanted: Wanted) -> None:
    mix = mixed(tmp_path / "mix", noise(colour))
    before = measure_levels(np.array(mix.samples()), RATE)
    after_mix = finish(toned(mix, wanted))
    after = measure_levels(np.array(after_mix.samples()), RATE)

    def miss(tilt: float, low: float) -> float:
        return float(np.hypot(tilt - wanted.tilt_db_per_octave, (low - wanted.low_percent) / 10))

    assert miss(after.tilt_db_per_octave, after.low_percent) < 0.5 * miss(before.tilt_db_per_octave, before.low_percent)
    assert after_mix.loudness.integrated_lufs == pytest.approx(after.lufs, abs=0.05), "the loudness is that of the new sound"


def test_it_is_one_constant_filter_of_a_few_decibels(tmp_path: Path) -> None:
    source = noise(0.95)
    mix = finish(toned(mixed(tmp_path / "mix", source), Wanted(-4.0, 60.0)))
    _, before = welch(source[:, 0], RATE, nperseg=8_192)
    _, after = welch(np.array(mix.samples())[:, 0], RATE, nperseg=8_192)
    gains_db = 10 * np.log10(after[1:] / before[1:])
    assert gains_db.max() < MOST_LOW_DB + MOST_TILT_DB and gains_db.min() > -MOST_LOW_DB - MOST_TILT_DB
    first, last = (np.array(mix.samples())[part] for part in (slice(0, 2 * RATE), slice(4 * RATE, 6 * RATE)))
    assert np.std(first) / np.std(source[: 2 * RATE]) == pytest.approx(np.std(last) / np.std(source[4 * RATE :]), rel=0.03)


def test_a_tone_that_is_right_is_left(tmp_path: Path) -> None:
    source = noise(0.9)
    source[:, 1] = source[:, 0]
    mix = mixed(tmp_path / "mix", source)
    levels = measure_levels(np.array(mix.samples()), RATE)
    same = finish(toned(mix, Wanted(levels.tilt_db_per_octave, levels.low_percent)))
    assert np.allclose(np.array(same.samples()), source, atol=2e-6)


def test_the_bass_becomes_mono_and_the_rest_stays_wide(tmp_path: Path) -> None:
    source = noise(0.97)
    levels = measure_levels(source.astype(np.float32), RATE)
    mix = finish(toned(mixed(tmp_path / "mix", source), Wanted(levels.tilt_db_per_octave, levels.low_percent)))
    after = np.array(mix.samples())
    assert levels.low_side_db > -3 and measure_levels(after, RATE).low_side_db < -12
    hz, sides = welch((after[:, 0] - after[:, 1]), RATE, nperseg=8_192)
    _, before = welch((source[:, 0] - source[:, 1]), RATE, nperseg=8_192)
    assert 10 * np.log10(sides[hz > 400].sum() / before[hz > 400].sum()) == pytest.approx(0.0, abs=0.3)


def test_silence_needs_no_correction() -> None:
    hz = np.asarray(np.fft.rfftfreq(1_024, 1 / RATE), dtype=np.float64)
    assert tone_towards(hz, np.zeros_like(hz), Wanted(-5, 40)) == Tone()

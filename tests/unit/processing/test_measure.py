"""Measurements of sounds whose properties are known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from llm_music_gen.processing.measure import Measurement, measure
from tests.unit.processing.sounds import RATE_HZ, Samples, audio_of, noise, sine


def measured(samples: Samples, rate_hz: int = RATE_HZ) -> Measurement:
    return measure(audio_of(samples, rate_hz))


def test_clipped_samples_are_counted_across_blocks() -> None:
    wave = sine(100.0, 0.5, 6.0, channels=1)
    clipped = np.clip(wave, -1.0, 1.0)
    wanted = int((np.abs(clipped) >= 0.99995).sum())
    for block_frames in (1, 7, 100, 100_000):
        part = clipped[:600]
        assert measure(audio_of(part, block_frames=block_frames)).clipping == int((np.abs(part) >= 0.99995).sum())
    assert measured(clipped).clipping == wanted
    assert measured(sine(1_000.0, 0.5, -0.01)).clipping == 0


def test_silence_is_found_where_it_is() -> None:
    quiet = np.zeros((RATE_HZ, 2), dtype=np.float32)
    wave = np.concatenate([quiet[: RATE_HZ // 2], noise(1.0), quiet, noise(1.0), quiet[: RATE_HZ // 4]])
    silence = measured(wave).silence
    assert silence.leading_s == pytest.approx(0.5, abs=0.02)
    assert silence.trailing_s == pytest.approx(0.25, abs=0.02)
    assert silence.longest_s == pytest.approx(1.0, abs=0.03)


def test_noise_floor_and_signal_to_noise_ratio_are_those_that_were_mixed() -> None:
    wave = noise(4.0, -60.0)
    wave[RATE_HZ : 2 * RATE_HZ] += sine(500.0, 1.0, -17.0)  # RMS -20 dB
    found = measured(wave)
    assert found.noise_floor_dbfs == pytest.approx(-60.0, abs=0.5)
    assert found.snr_db == pytest.approx(40.0, abs=0.5)


def test_the_spectrum_of_a_tone_is_one_band() -> None:
    spectrum = measured(sine(1_000.0, 2.0, -20.0)).spectrum
    level = dict(zip((round(hz) for hz in spectrum.centres_hz), spectrum.levels_db, strict=True))
    assert level[1_000] == pytest.approx(-23.0, abs=0.2)
    assert max(value for hz, value in level.items() if not 700 < hz < 1_400) < -70.0


def test_the_spectrum_of_white_noise_rises_by_a_decibel_per_band() -> None:
    spectrum = measured(noise(8.0)).spectrum
    levels = np.array(spectrum.levels_db)[8:]
    slope = np.polyfit(np.arange(len(levels)), levels, 1)[0]
    assert slope == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("samples", "correlation"),
    [
        (np.repeat(noise(1.0, channels=1), 2, axis=1), 1.0),
        (noise(1.0), 0.0),
        (np.concatenate([noise(1.0, channels=1), -noise(1.0, channels=1)], axis=1), -1.0),
    ],
)
def test_correlation_tells_mono_from_wide_from_inverted(samples: Samples, correlation: float) -> None:
    stereo = measured(samples).stereo
    assert stereo is not None
    assert stereo.correlation == pytest.approx(correlation, abs=0.02)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((RATE_HZ, 2), dtype=np.float32),
        np.zeros((0, 2), dtype=np.float32),
        np.ones((1, 1), dtype=np.float32),
        noise(0.01, channels=32),
    ],
)
def test_odd_sounds_are_measured_without_a_crash_and_fit_into_json(samples: Samples) -> None:
    found = measured(samples)
    text = json.dumps(found.as_json(), allow_nan=False)
    assert json.loads(text)["channels"] == samples.shape[1]
    assert found.stereo is None or samples.shape[1] == 2


@pytest.mark.parametrize("rate_hz", [4_000, 8_000, 22_050, 192_000, 768_000])
def test_every_rate_gives_the_same_loudness_of_a_tone(rate_hz: int) -> None:
    assert measured(sine(1_000.0, 0.6, -20.0, rate_hz), rate_hz).lufs == pytest.approx(-20.0, abs=0.3)


def test_crest_factor_of_a_sine_is_three_decibels() -> None:
    assert measured(sine(997.0, 1.0)).crest_db == pytest.approx(20 * math.log10(math.sqrt(2)), abs=0.01)

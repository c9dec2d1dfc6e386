"""Level: exact gains, loudness by the standard, peaks that never pass their ceiling."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from llm_music_gen.processing.levels import compress, fade, gain, limit, normalize, tremolo
from llm_music_gen.processing.measure import loudness_of, measure
from tests.unit.processing.sounds import RATE_HZ, Samples, audio_of, level_at_db, noise, rms_db, samples_of, sine


def true_peak_db(samples: Samples) -> float:
    """By scipy's own oversampling, which knows nothing of ours."""
    return float(20 * np.log10(np.abs(resample_poly(samples.astype(np.float64), 4, 1, axis=0)).max()))


def told_by_ffmpeg(path: Path) -> str:
    """The summary of its EBU R 128 meter."""
    told = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"],
        capture_output=True, encoding="utf-8", check=True,
    ).stderr  # fmt: skip
    return told[told.rindex("Summary:") :]


def clicks() -> Samples:
    out = np.zeros((RATE_HZ, 2), dtype=np.float32)
    out[::997], out[5::1501, 0] = 1.0, -1.0
    return out


def quarter_rate() -> Samples:
    """A sine whose samples all lie 3 dB under its peaks."""
    wave = 1.4 * np.sin(np.pi / 2 * np.arange(RATE_HZ) + np.pi / 4)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)


@pytest.mark.parametrize("db", [-60.0, -6.0, 0.0, 12.0])
def test_gain_is_exact(db: float) -> None:
    wave = noise(0.2)
    assert rms_db(samples_of(gain(audio_of(wave), db))) - rms_db(wave) == pytest.approx(db, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "rate_hz", "wave"),
    [
        ("noise", RATE_HZ, noise(1.0, -3.0)),
        ("clicks", RATE_HZ, clicks()),
        ("square", RATE_HZ, np.sign(sine(1_003.0, 0.5, 0.0))),
        ("high square", RATE_HZ, np.sign(sine(5_512.3, 0.5, 0.0))),
        ("quarter of the rate", RATE_HZ, quarter_rate()),
        ("random bits", RATE_HZ, np.sign(noise(0.5))),
        ("burst", RATE_HZ, np.concatenate([noise(0.2, -40.0), noise(0.01, 6.0), noise(0.2, -40.0)])),
        ("telephone", 8_000, noise(1.0, 0.0, 8_000)),
        ("192 kHz", 192_000, noise(0.2, 0.0, 192_000)),
        ("32 channels", 48_000, noise(0.1, 0.0, 48_000, 32)),
    ],
)
@pytest.mark.parametrize("ceiling_db", [-1.0, -6.0])
def test_no_true_peak_passes_the_ceiling(name: str, rate_hz: int, wave: Samples, ceiling_db: float) -> None:
    out = samples_of(limit(audio_of(wave.astype(np.float32), rate_hz), ceiling_db))
    assert true_peak_db(out) <= ceiling_db
    assert true_peak_db(out) >= ceiling_db - 1.0, "it must not take away more than it has to"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("phase", [0.0, 0.3, math.pi / 4])
@pytest.mark.parametrize("tool", [lambda audio: limit(audio, -1.0), lambda audio: normalize(audio, -5.0, -1.0)])
def test_ffmpeg_finds_no_peak_over_the_ceiling_even_where_sound_begins_at_once(tool: Any, phase: float, tmp_path: Path) -> None:
    wave = 1.4 * np.sin(np.pi / 2 * np.arange(RATE_HZ) + phase)
    out = samples_of(tool(audio_of(np.repeat(wave[:, None], 2, axis=1).astype(np.float32))))
    soundfile.write(tmp_path / "a.wav", out, RATE_HZ, subtype="FLOAT")
    assert float(told_by_ffmpeg(tmp_path / "a.wav").split("Peak:")[1].split()[0]) <= -1.0


def test_what_stays_under_the_ceiling_is_not_touched() -> None:
    wave = noise(0.5, -30.0)
    assert np.array_equal(samples_of(limit(audio_of(wave), -3.0)), wave)


def test_limiting_one_peak_leaves_the_rest_alone() -> None:
    wave = sine(440.0, 2.0, -12.0)
    wave[RATE_HZ] = 1.0
    out = samples_of(limit(audio_of(wave), -6.0))
    assert np.array_equal(out[: RATE_HZ - 600], wave[: RATE_HZ - 600])
    assert np.array_equal(out[-RATE_HZ // 2 :], wave[-RATE_HZ // 2 :])


@pytest.mark.parametrize("lufs", [-30.0, -16.0, -9.0])
@pytest.mark.parametrize("rate_hz", [44_100, 96_000])
def test_normalize_meets_its_loudness_under_its_ceiling(lufs: float, rate_hz: int) -> None:
    wave = np.concatenate([noise(2.0, -30.0, rate_hz), sine(300.0, 2.0, -6.0, rate_hz), noise(1.0, -14.0, rate_hz)])
    out = samples_of(normalize(audio_of(wave, rate_hz), lufs, -1.0))
    assert loudness_of(audio_of(out, rate_hz)).integrated_lufs == pytest.approx(lufs, abs=0.1)
    assert true_peak_db(out) <= -1.0


def test_normalize_does_not_lift_noise_to_reach_what_cannot_be_reached() -> None:
    wave = clicks() * 0.5 + noise(1.0, -70.0)
    out = samples_of(normalize(audio_of(wave), -5.0, -1.0))
    quiet = [out[start + 300 : start + 400] for start in range(2_000, 40_000, 1_501)]
    assert rms_db(np.concatenate(quiet)) < -20.0
    assert true_peak_db(out) <= -1.0


def test_normalize_leaves_silence_silent() -> None:
    assert not samples_of(normalize(audio_of(np.zeros((RATE_HZ, 2), dtype=np.float32)))).any()


def test_short_sounds_have_a_loudness_too() -> None:
    out = samples_of(normalize(audio_of(noise(0.1, -30.0)), -20.0))
    long = np.tile(out, (10, 1))
    assert loudness_of(audio_of(long)).integrated_lufs == pytest.approx(-20.0, abs=0.1)


def test_a_compressor_follows_its_ratio_and_keeps_the_stereo_image() -> None:
    wave = sine(1_000.0, 2.0, 0.0)
    wave[:, 1] *= 0.25
    out = samples_of(compress(audio_of(wave), -20.0, 4.0, 1.0, 50.0))[RATE_HZ:]
    # Peaks of 0 dB are 20 dB over the threshold, of which a quarter stays.
    assert 20 * np.log10(np.abs(out[:, 0]).max()) == pytest.approx(-15.0, abs=0.6)
    assert np.allclose(out[:, 1], 0.25 * out[:, 0], atol=1e-6)
    quiet = sine(1_000.0, 1.0, -30.0)
    assert np.allclose(samples_of(compress(audio_of(quiet), -20.0, 4.0)), quiet, atol=1e-6)


def test_fades_begin_and_end_in_silence_and_leave_the_middle() -> None:
    wave = np.ones((RATE_HZ * 3, 2), dtype=np.float32)
    out = samples_of(fade(audio_of(wave), 1.0, 0.5))
    assert out[0, 0] < 1e-6 and out[-1, 0] < 1e-6
    assert out[RATE_HZ // 2, 0] == pytest.approx(0.5, abs=1e-3)
    assert (out[RATE_HZ : -RATE_HZ // 2] == 1.0).all()
    assert (np.diff(out[:RATE_HZ, 0]) >= 0).all()


def test_fades_longer_than_the_sound_are_shortened() -> None:
    out = samples_of(fade(audio_of(np.ones((1_000, 1), dtype=np.float32)), 60.0, 60.0))
    assert out.max() < 0.3


def test_tremolo_swings_by_its_depth() -> None:
    out = samples_of(tremolo(audio_of(np.ones((RATE_HZ, 1), dtype=np.float32)), 4.0, 0.5))
    assert out.max() == pytest.approx(1.0, abs=1e-3) and out.min() == pytest.approx(0.5, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(out[:, 0] - out.mean()))
    assert int(spectrum.argmax()) == 4


def test_surround_channels_count_more_and_low_frequency_effects_not_at_all() -> None:
    """As EBU Tech 3341, case 6, with a low-frequency channel."""
    levels_db = (-28.0, -28.0, -24.0, -math.inf, -30.0, -30.0)
    wave = np.concatenate(
        [sine(1_000.0, 5.0, level, 48_000, 1) if level > -99 else np.zeros((240_000, 1)) for level in levels_db], axis=1
    )
    wave[:, 3] = 0.5 * np.sin(2 * np.pi * 60 * np.arange(len(wave)) / 48_000)
    assert loudness_of(audio_of(wave.astype(np.float32), 48_000)).integrated_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("kind", ["noise", "music"])
def test_measurements_agree_with_ffmpeg(kind: str, tmp_path: Path) -> None:
    signals: dict[str, Callable[[], Samples]] = {
        "noise": lambda: noise(3.0, -18.0, 48_000),
        "music": lambda: sine(220.0, 6.0, -12.0, 48_000) + sine(277.2, 6.0, -15.0, 48_000) + sine(6_640.0, 6.0, -20.0, 48_000),
    }
    wave = signals[kind]()
    path = tmp_path / "a.wav"
    soundfile.write(path, wave, 48_000, subtype="FLOAT")
    summary = told_by_ffmpeg(path)
    found = measure(audio_of(wave.astype(np.float32), 48_000))
    assert found.lufs == pytest.approx(float(summary.split("I:")[1].split()[0]), abs=0.1)
    assert found.true_peak_dbtp == pytest.approx(float(summary.split("Peak:")[1].split()[0]), abs=0.2 if kind == "noise" else 0.1)


def test_level_at_tells_the_level_of_a_sine() -> None:
    assert level_at_db(sine(997.0, 1.0, -7.0), 997.0) == pytest.approx(-7.0, abs=0.01)

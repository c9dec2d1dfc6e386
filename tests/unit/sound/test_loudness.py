"""Loudness, true peak and faults, against the standards' own cases and an independent library."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
from numpy.typing import NDArray

from llm_music_gen.sound.loudness import Loudness, LoudnessMeter, TruePeak

RATE_HZ = 48_000


def tone(parts: list[tuple[float, float]], hz: float = 1000.0) -> NDArray[np.float64]:
    """A stereo sine whose level follows (dBFS, seconds) one after the other."""
    levels = np.concatenate([np.full(int(length_s * RATE_HZ), 10 ** (level_db / 20)) for level_db, length_s in parts])
    mono = levels * np.sin(2 * np.pi * hz * np.arange(len(levels)) / RATE_HZ)
    return np.stack((mono, mono), axis=1)


def measured(samples: NDArray[np.float64], block: int = 10_000, rate_hz: int = RATE_HZ) -> Loudness:
    meter = LoudnessMeter(rate_hz, samples.shape[1])
    for start in range(0, len(samples), block):
        meter.push(samples[start : start + block])
    return meter.result()


# EBU Tech 3341, cases 1 to 5.
EBU_3341 = [
    ([(-23.0, 20.0)], -23.0),
    ([(-33.0, 20.0)], -33.0),
    ([(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
    ([(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
    ([(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
]


@pytest.mark.parametrize(("parts", "lufs"), EBU_3341)
def test_integrated_loudness_of_the_ebu_cases_is_within_a_tenth(parts: list[tuple[float, float]], lufs: float) -> None:
    assert measured(tone(parts)).integrated_lufs == pytest.approx(lufs, abs=0.1)


# EBU Tech 3342, cases 1 to 3.
@pytest.mark.parametrize(
    ("parts", "range_lu"),
    [([(-20.0, 20.0), (-30.0, 20.0)], 10.0), ([(-20.0, 20.0), (-15.0, 20.0)], 5.0), ([(-40.0, 20.0), (-20.0, 20.0)], 20.0)],
)
def test_loudness_range_of_the_ebu_cases_is_within_one_unit(parts: list[tuple[float, float]], range_lu: float) -> None:
    assert measured(tone(parts)).range_lu == pytest.approx(range_lu, abs=1.0)


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000, 96_000])
def test_an_independent_meter_agrees(rate_hz: int) -> None:
    noise = np.random.default_rng(3).standard_normal((rate_hz * 12, 2)) * 0.1
    noise[: rate_hz * 4] *= 0.05
    expected = pyloudnorm.Meter(rate_hz).integrated_loudness(noise)
    assert measured(noise, rate_hz=rate_hz).integrated_lufs == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("block", [1, 777, 48_000, 10**7])
def test_the_size_of_the_blocks_does_not_matter(block: int) -> None:
    noise = np.random.default_rng(4).standard_normal((RATE_HZ // (8 if block == 1 else 1) + 13, 2)) * 0.2
    one, other = measured(noise, block), measured(noise, 4_096)
    assert one.integrated_lufs == pytest.approx(other.integrated_lufs, abs=1e-9)
    assert one.true_peak_dbtp == pytest.approx(other.true_peak_dbtp, abs=1e-4)
    assert one.longest_silence_frames == other.longest_silence_frames


# EBU Tech 3341, cases 15 to 18: sines between whose samples the peak hides; -6.0 dBTP, +0.2/-0.4 allowed.
@pytest.mark.parametrize(("divisor", "phase"), [(4, 0.0), (4, np.pi / 4), (6, np.pi / 3), (8, np.pi / 8)])
def test_the_true_peak_of_a_hidden_sine_is_found(divisor: int, phase: float) -> None:
    sine = 0.5 * np.sin(2 * np.pi * np.arange(RATE_HZ) / divisor + phase)
    fade = np.minimum(np.arange(RATE_HZ), np.arange(RATE_HZ)[::-1]) / 1000.0
    meter = TruePeak(1)
    meter.push((sine * np.minimum(fade, 1.0))[:, None].astype(np.float32))
    assert 20 * np.log10(meter.value()) == pytest.approx(-6.02, abs=0.1)


def test_silence_and_dc_are_found() -> None:
    samples = tone([(-20.0, 1.0), (-90.0, 1.5), (-20.0, 1.0)]) + 0.0004
    result = measured(samples)
    assert result.longest_silence_frames == pytest.approx(1.5 * RATE_HZ, abs=100)
    assert result.dc_dbfs == pytest.approx(20 * np.log10(0.0004), abs=0.5)


def test_digital_silence_has_no_loudness() -> None:
    assert measured(np.zeros((RATE_HZ, 2))).integrated_lufs == -np.inf

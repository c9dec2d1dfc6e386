"""Loudness, sharpness and roughness against the values that the standards and papers print."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.describing.roughness import RoughnessMeter, roughness_asper
from llm_music_gen.describing.zwicker import (
    Zwicker,
    ZwickerMeter,
    core_loudness,
    phon,
    specific_loudness,
    stationary_loudness,
    total_loudness,
)
from llm_music_gen.describing.zwicker_decay import Smoothing, after_decay

RATE_HZ = 48_000
#: ISO 532-1, annex B.2: third-octave levels of test signal 1, whose loudness it prints as 83.296 sone.
SIGNAL_1_DB = (
    -60, -60, 78, 79, 89, 72, 80, 89, 75, 87, 85, 79, 86, 80, 71, 70, 72, 71, 72, 74, 69, 65, 67, 77, 68, 58, 45, 30,
)  # fmt: skip


def pressure(samples: NDArray[Any], level_db: float) -> NDArray[np.float32]:
    """Samples at a sound pressure level, in pascal, shape (frames, 1)."""
    level = np.sqrt(np.mean(np.square(samples)))
    return np.asarray(samples / level * 2e-5 * 10 ** (level_db / 20), dtype=np.float32)[:, None]


def tone(hz: float, level_db: float, length_s: float = 1.5, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    return pressure(np.sin(2 * np.pi * hz * np.arange(round(length_s * rate_hz)) / rate_hz), level_db)


def noise(low_hz: float, high_hz: float, level_db: float, *, pink: bool = False, length_s: float = 3.0) -> NDArray[np.float32]:
    count = round(length_s * RATE_HZ)
    spectrum = np.fft.rfft(np.random.default_rng(5).standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    if pink:
        spectrum /= np.sqrt(np.maximum(hz, low_hz))
    return pressure(np.fft.irfft(spectrum, count), level_db)


def heard(samples: NDArray[np.float32], rate_hz: int = RATE_HZ, block: int = 30_011) -> Zwicker:
    meter = ZwickerMeter(rate_hz, samples.shape[1])
    for start in range(0, len(samples), block):
        meter.push(samples[start : start + block])
    return meter.result()


def test_levels_of_the_standard_have_the_loudness_that_it_prints() -> None:
    assert stationary_loudness(np.array(SIGNAL_1_DB)) == pytest.approx(83.296, rel=0.001)


@pytest.mark.parametrize(("hz", "level_db", "sone"), [(250, 80, 14.655), (1000, 60, 4.019), (4000, 40, 1.549)])
def test_tones_of_the_standard_have_the_loudness_that_it_prints(hz: float, level_db: float, sone: float) -> None:
    result = heard(tone(hz, level_db))
    assert result.stationary_sone == pytest.approx(sone, rel=0.05)
    assert result.percentile_sone(50) == pytest.approx(sone, rel=0.05)


def test_pink_noise_over_the_whole_file_has_the_loudness_that_the_standard_prints() -> None:
    assert heard(noise(0.1, 24_000, 60, pink=True, length_s=10)).stationary_sone == pytest.approx(10.498, rel=0.05)


@pytest.mark.parametrize(("level_db", "sone"), [(40, 1.0), (60, 4.0), (80, 16.0)])
def test_twenty_decibels_are_four_times_the_loudness(level_db: float, sone: float) -> None:
    result = heard(tone(1000, level_db))
    assert result.percentile_sone(5) == pytest.approx(sone, rel=0.08)
    assert phon(result.stationary_sone) == pytest.approx(level_db, abs=1.0)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_the_sample_rate_does_not_change_the_loudness(rate_hz: int) -> None:
    result = heard(tone(1000, 60, rate_hz=rate_hz), rate_hz)
    assert result.percentile_sone(50) == pytest.approx(4.018, rel=0.005)


def test_blocks_and_equal_channels_change_nothing() -> None:
    samples = noise(100, 8_000, 70, length_s=1.5)
    whole, pieces = heard(samples, block=1 << 20), heard(np.repeat(samples, 2, axis=1), block=997)
    assert pieces.loudness_sone == pytest.approx(whole.loudness_sone, rel=1e-4, abs=1e-4)


def test_loudness_dies_away_slowly_and_short_sounds_are_softer() -> None:
    samples = tone(1000, 70, 1.2)
    samples[RATE_HZ // 2 :] = 0
    curve = heard(samples).loudness_sone
    assert curve[225] == pytest.approx(8.03, rel=0.08)
    assert curve[300] < 0.25 * curve[225]  # 100 ms after the end
    assert curve[255] > 0.3 * curve[225]  # but not at once
    short = tone(1000, 70, 1.2)
    short[480:] = 0
    assert heard(short).loudness_sone.max() < 0.7 * curve.max()


def test_the_curve_is_as_long_as_the_sound_and_silence_is_nothing() -> None:
    result = heard(np.zeros((RATE_HZ, 1), dtype=np.float32))
    assert len(result.loudness_sone) == 500
    assert result.stationary_sone == result.percentile_sone(5) == 0.0
    assert not heard(np.zeros((0, 1), dtype=np.float32)).loudness_sone.size


def test_the_area_under_specific_loudness_is_the_loudness() -> None:
    rng = np.random.default_rng(1)
    core = core_loudness(rng.uniform(10, 90, (28, 40)))
    assert 0.1 * specific_loudness(core).sum(axis=0) == pytest.approx(total_loudness(core), rel=0.03)


def test_slopes_are_the_ones_of_the_standards_program() -> None:
    """The standard's own loop, step by step, as it stands in its annex A."""
    from llm_music_gen.describing.zwicker_tables import SLOPE_RANGES, SLOPES, UPPER_EDGES_BARK

    rng = np.random.default_rng(2)
    core = core_loudness(rng.uniform(-10, 100, (28, 25)))
    for column, result in zip(core.T, total_loudness(core), strict=True):
        before = place = total = 0.0
        row = 0
        for number, edge in enumerate(UPPER_EDGES_BARK):
            slope_column = min(max(number - 1, 0), 7)
            while place < edge:
                if before <= column[number]:
                    if before < column[number]:
                        row = next(j for j, limit in enumerate(SLOPE_RANGES) if limit <= column[number])
                    after, reached = column[number], edge
                    total += after * (reached - place)
                else:
                    after = max(SLOPE_RANGES[row], column[number])
                    reached = place + (before - after) / SLOPES[row][slope_column]
                    if reached > edge:
                        reached = edge
                        after = before - (reached - place) * SLOPES[row][slope_column]
                    total += (reached - place) * (before + after) / 2
                while after <= SLOPE_RANGES[row] and row < 17:
                    row += 1
                before, place = after, reached
        assert result == pytest.approx(total, rel=1e-6, abs=1e-9)


def test_decay_does_not_depend_on_where_pieces_begin() -> None:
    core = np.abs(np.random.default_rng(3).standard_normal((21, 9_000))).cumsum(axis=1) % 3
    whole = after_decay(core, 1_000)
    late = after_decay(core[:, 4_000:], 1_000)
    assert late == pytest.approx(whole[:, 4_000:], abs=2e-3)
    one, two = Smoothing(), Smoothing()
    total = whole.sum(axis=0)
    assert np.concatenate((two(total[:3_001]), two(total[3_001:]))) == pytest.approx(one(total))


def test_narrow_noise_at_one_kilohertz_is_one_acum() -> None:
    result = heard(noise(920, 1080, 60))
    assert result.stationary_sharpness_acum == pytest.approx(1.0, rel=0.05)
    assert np.median(result.sharpness_acum) == pytest.approx(1.0, rel=0.05)
    assert heard(noise(8_000, 10_000, 60)).stationary_sharpness_acum > 3 * result.stationary_sharpness_acum


def modulated(hz: float, rate_hz: float, level_db: float, depth: float = 1.0) -> NDArray[np.float32]:
    t = np.arange(RATE_HZ // 5) / RATE_HZ
    return pressure((1 + depth * np.cos(2 * np.pi * rate_hz * t)) * np.sin(2 * np.pi * hz * t), level_db)[:, 0]


def test_the_reference_of_roughness_is_one_asper() -> None:
    assert roughness_asper(modulated(1000, 70, 60), RATE_HZ) == pytest.approx(1.0, rel=0.02)


def test_roughness_is_largest_near_seventy_hertz_and_grows_with_depth() -> None:
    slow, best, fast = (roughness_asper(modulated(1000, rate, 60), RATE_HZ) for rate in (20, 70, 150))
    assert slow < 0.4 * best and fast < 0.5 * best
    assert roughness_asper(modulated(1000, 70, 60, 0.5), RATE_HZ) == pytest.approx(0.35, abs=0.08)
    assert roughness_asper(np.zeros(9_600), RATE_HZ) == 0.0


def test_the_meter_of_roughness_looks_at_the_louder_channel_of_all_windows() -> None:
    rough = np.tile(modulated(1000, 70, 60), 5)
    stereo = np.stack((0.001 * rough[::-1], rough), axis=1)
    meter = RoughnessMeter(RATE_HZ, len(stereo))
    for start in range(0, len(stereo), 7_001):
        meter.push(stereo[start : start + 7_001])
    assert meter.values == pytest.approx([1.0] * 5, rel=0.02)

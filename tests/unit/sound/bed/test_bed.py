"""Layers under the music, measured."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.bed.chance import slow_walk
from llm_music_gen.sound.bed.drone import DroneLayer
from llm_music_gen.sound.bed.entrainment import EntrainmentLayer, beat_locked_to_tempo, fold_carrier
from llm_music_gen.sound.bed.noise import COLOURS, EXPONENTS, Colour, NoiseLayer
from llm_music_gen.sound.bed.schedule import Schedule
from llm_music_gen.units import SAMPLE_RATE_HZ

EIGHT_HOURS = 8 * 3600 * SAMPLE_RATE_HZ


def measured_hz(samples: NDArray[np.float32], near_hz: float, first_frame: int = 0) -> float:
    """Frequency of a line by the slope of its demodulated phase (Hann-weighted tenths of a second)."""
    times_s = (first_frame + np.arange(len(samples), dtype=np.float64)) / SAMPLE_RATE_HZ
    base = samples.astype(np.float64) * np.exp(-2j * np.pi * ((near_hz * times_s) % 1.0))
    hop = SAMPLE_RATE_HZ // 10
    pieces = base[: len(base) // hop * hop].reshape(-1, hop) @ np.hanning(hop)
    phase = np.unwrap(np.angle(pieces))
    return near_hz + float(np.polyfit(np.arange(len(phase)) * 0.1, phase, 1)[0]) / (2 * np.pi)


def cents(hz: float, other_hz: float) -> float:
    return float(1200 * np.log2(hz / other_hz))


@pytest.mark.parametrize("start", [0, EIGHT_HOURS - 40 * SAMPLE_RATE_HZ])
@pytest.mark.parametrize("hz", [136.102, 432.0, 528.0])
def test_a_drone_is_on_its_frequency_within_a_thousandth_of_a_cent(hz: float, start: int) -> None:
    drone = DroneLayer(hz, seed=1).block(start, 20 * SAMPLE_RATE_HZ)
    for side in (0, 1):
        assert abs(cents(measured_hz(drone[:, side], hz, start), hz)) < 1e-3


def test_a_drone_changes_over_time_and_differs_left_and_right() -> None:
    drone = DroneLayer(110.0, seed=3)
    early, late = drone.block(0, 44_100), drone.block(60 * 44_100, 44_100)
    assert np.abs(np.abs(np.fft.rfft(early[:, 0])) - np.abs(np.fft.rfft(late[:, 0]))).max() > 100
    assert np.corrcoef(early.T)[0, 1] > 0.8
    assert not np.allclose(early[:, 0], early[:, 1])


@pytest.mark.parametrize("beat_hz", [2.0, 7.83, 10.0])
def test_a_binaural_beat_is_exact_to_a_hundredth_of_a_hertz(beat_hz: float) -> None:
    layer = EntrainmentLayer("binaural", 200.0, Schedule.constant(beat_hz))
    block = layer.block(0, 20 * SAMPLE_RATE_HZ)
    left = measured_hz(block[:, 0], 200.0 - beat_hz / 2)
    right = measured_hz(block[:, 1], 200.0 + beat_hz / 2)
    assert right - left == pytest.approx(beat_hz, abs=0.001)
    assert (left + right) / 2 == pytest.approx(200.0, abs=0.001)


def test_a_gliding_beat_has_the_rate_of_its_schedule_at_any_time() -> None:
    layer = EntrainmentLayer("binaural", 200.0, Schedule(((0.0, 10.0), (3600.0, 2.0))))
    first_frame = 1800 * SAMPLE_RATE_HZ
    block = layer.block(first_frame, 2 * SAMPLE_RATE_HZ)
    beat = measured_hz(block[:, 1], 203.0, first_frame) - measured_hz(block[:, 0], 197.0, first_frame)
    assert beat == pytest.approx(6.0, abs=0.02)


@pytest.mark.parametrize("kind", ["monaural", "isochronic"])
def test_pulses_come_at_the_beat_rate_and_the_carrier_stays(kind: str) -> None:
    layer = EntrainmentLayer(kind, 250.0, Schedule.constant(4.0))  # type: ignore[arg-type]
    mono = layer.block(0, 20 * SAMPLE_RATE_HZ)[:, 0].astype(np.float64)
    assert measured_hz(mono.astype(np.float32), 250.0) == pytest.approx(250.0, abs=0.001)
    envelope = np.abs(mono).reshape(-1, 441).max(axis=1)
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    assert np.argmax(spectrum) / 20.0 == pytest.approx(4.0, abs=0.05)


def test_isochronic_pulses_do_not_splatter() -> None:
    block = EntrainmentLayer("isochronic", 200.0, Schedule.constant(10.0)).block(0, 10 * SAMPLE_RATE_HZ)[:, 0]
    power = np.abs(np.fft.rfft(block * np.hanning(len(block)))) ** 2
    frequency = np.fft.rfftfreq(len(block), 1 / SAMPLE_RATE_HZ)
    assert 10 * np.log10(power[np.abs(frequency - 200) > 300].sum() / power.sum()) < -70


@pytest.mark.parametrize("colour", list(EXPONENTS))
def test_noise_has_the_slope_of_its_colour_within_half_a_decibel_per_octave(colour: Colour) -> None:
    block = NoiseLayer(colour, seed=5).block(0, 60 * SAMPLE_RATE_HZ)[:, 0]
    pieces = block[: len(block) // 16384 * 16384].reshape(-1, 16384) * np.hanning(16384)
    power = np.mean(np.abs(np.fft.rfft(pieces, axis=1)) ** 2, axis=0)
    frequency = np.fft.rfftfreq(16384, 1 / SAMPLE_RATE_HZ)
    centres = 63.0 * 2.0 ** (np.arange(0, 8, 1 / 3))
    levels = [10 * np.log10(power[(frequency >= c / 2 ** (1 / 6)) & (frequency < c * 2 ** (1 / 6))].mean()) for c in centres]
    slope = np.polyfit(np.log2(centres), levels, 1)[0]
    assert slope == pytest.approx(-3.0103 * EXPONENTS[colour], abs=0.1)


@pytest.mark.parametrize("colour", COLOURS)
def test_noise_has_unit_rms(colour: Colour) -> None:
    block = NoiseLayer(colour, seed=2).block(1_000, 30 * SAMPLE_RATE_HZ)
    assert np.sqrt(np.mean(block.astype(np.float64) ** 2, axis=0)) == pytest.approx([1.0, 1.0], rel=0.08)


def test_left_and_right_noise_are_as_alike_as_asked() -> None:
    block = NoiseLayer("white", seed=2, correlation=0.5).block(0, 10 * SAMPLE_RATE_HZ)
    assert np.corrcoef(block.T)[0, 1] == pytest.approx(0.5, abs=0.02)


LAYERS = [
    DroneLayer(136.1, seed=4),
    NoiseLayer("pink", seed=4),
    EntrainmentLayer("isochronic", 180.0, Schedule(((0.0, 8.0), (5.0, 3.0)))),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_blocks_of_any_size_join_to_the_same_sound(layer: DroneLayer | NoiseLayer | EntrainmentLayer) -> None:
    whole = layer.block(100_000, 90_000)
    pieces = np.concatenate([layer.block(100_000 + at, min(7_777, 90_000 - at)) for at in range(0, 90_000, 7_777)])
    assert np.abs(whole - pieces).max() < 2e-6 * np.abs(whole).max()


def test_an_hour_later_the_noise_is_another_noise() -> None:
    layer = NoiseLayer("white", seed=9)
    early, late = layer.block(0, 44_100)[:, 0], layer.block(3600 * 44_100, 44_100)[:, 0]
    assert abs(np.corrcoef(early, late)[0, 1]) < 0.03


def test_a_schedule_integrates_its_straight_lines() -> None:
    schedule = Schedule(((10.0, 4.0), (20.0, 2.0), (30.0, 2.0)))
    assert schedule.integral(np.array([0.0, 10.0, 15.0, 20.0, 30.0, 40.0])) == pytest.approx([0, 40, 57.5, 70, 90, 110])
    with pytest.raises(SoundError):
        Schedule(((1.0, 2.0), (1.0, 3.0)))


def test_carriers_fold_by_octaves_and_rates_lock_to_the_beat() -> None:
    assert fold_carrier(528.0) == 264.0
    assert fold_carrier(7.83) == pytest.approx(125.28)
    assert beat_locked_to_tempo(7.83, 58.725) == pytest.approx(7.83)
    assert beat_locked_to_tempo(0.1, 60.0) == pytest.approx(1 / 3)


def test_a_slow_walk_is_smooth_and_of_unit_size() -> None:
    walk = slow_walk(1, 2, 5.0, np.arange(0, 5000, 0.1))
    assert 0.6 < walk.std() < 1.1
    assert np.abs(np.diff(walk)).max() < 0.2


def test_an_unknown_colour_names_the_known_ones() -> None:
    with pytest.raises(SoundError, match="pink"):
        NoiseLayer("beige", seed=1)  # type: ignore[arg-type]

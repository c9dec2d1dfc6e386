"""Hiss, hum and clicks go, and what is wanted stays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.processing.dsp.noise import (
    clicks_per_minute,
    find_hum,
    noise_profile,
    reduce_noise,
    remove_clicks,
    remove_hum,
)
from tests.unit.processing.made_sounds import RATE, audio_of, band_db, music, noise, pink, samples_of, sine, voice

WANTED = {"voice": voice(5.0), "music": music(5.0)}


@pytest.mark.parametrize("name", WANTED)
@pytest.mark.parametrize("level", [0.003, 0.01])
def test_hiss_is_ten_decibels_lower_and_the_band_of_the_voice_or_music_stays(name: str, level: float) -> None:
    clean = WANTED[name]
    heard = clean + noise(5.0, level, seed=9)
    out = samples_of(reduce_noise(audio_of(heard)))
    assert band_db(out, 12_000, 20_000) < band_db(heard, 12_000, 20_000) - 10.0
    for low, high in ((100, 300), (300, 3_400)):
        assert abs(band_db(out, low, high) - band_db(clean, low, high)) < 1.0
    # Soft hiss goes at no cost worth naming, louder hiss at a gain over all.
    assert np.mean((out - clean) ** 2) < np.mean((heard - clean) ** 2) * (1.0 if level > 0.005 else 1.5)


def test_hiss_in_a_pause_is_lower_by_what_was_asked() -> None:
    heard = np.concatenate((noise(1.0, 0.01, seed=2), voice(3.0) + noise(3.0, 0.01, seed=3)))
    out = samples_of(reduce_noise(audio_of(heard), 18.0))
    pause = slice(RATE // 4, RATE * 3 // 4)
    assert band_db(out[pause], 20, 20_000) - band_db(heard[pause], 20, 20_000) == pytest.approx(-18.0, abs=2.5)


@pytest.mark.parametrize("level", [0.001, 0.01])
def test_the_noise_profile_finds_the_level_of_the_hiss(level: float) -> None:
    profile = noise_profile(audio_of(voice(5.0) + noise(5.0, level, seed=4)))
    assert profile.level_dbfs == pytest.approx(20 * np.log10(level), abs=1.5)


def test_both_channels_keep_their_balance_under_noise_reduction() -> None:
    left = music(3.0)
    heard = np.concatenate((left, 0.3 * left), axis=1) + noise(3.0, 0.003, channels=2)
    out = samples_of(reduce_noise(audio_of(heard)))
    assert band_db(out[:, :1], 100, 3_400) - band_db(out[:, 1:], 100, 3_400) == pytest.approx(20 * np.log10(1 / 0.3), abs=0.2)


def _line_db(samples: NDArray[np.float32], hz: float) -> float:
    return band_db(samples * np.hanning(len(samples))[:, None].astype(np.float32), hz - 0.8, hz + 0.8)


def _hum(length_s: float, hz: float, wander_hz: float = 0.0) -> NDArray[np.float32]:
    at = np.arange(round(length_s * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(hz + wander_hz * np.sin(2 * np.pi * at / 20)) / RATE
    wave = np.sum([0.02 / n**0.7 * np.sin(n * phase + n) for n in range(1, 11)], axis=0)
    return np.asarray(wave[:, None], dtype=np.float32)


@pytest.mark.parametrize(("hz", "wander_hz"), [(50.0, 0.0), (49.93, 0.0), (60.05, 0.0), (50.0, 0.05)])
def test_hum_and_its_harmonics_are_twenty_five_decibels_lower_beside_music(hz: float, wander_hz: float) -> None:
    tones = (55.0, 98.0, 103.0, 155.0, 523.0)
    clean = noise(6.0, 0.0005) + sum(sine(tone, 6.0, 0.2) for tone in tones)
    heard = clean + _hum(6.0, hz, wander_hz)
    hum = find_hum(audio_of(heard))
    assert hum is not None
    assert hum.frequency_hz == pytest.approx(hz, abs=0.06)
    assert hum.harmonics == tuple(range(1, 11))
    out = samples_of(remove_hum(audio_of(heard)))
    for harmonic in hum.harmonics:
        assert _line_db(out, harmonic * hz) < _line_db(heard, harmonic * hz) - 25.0, harmonic
    for tone in tones:
        assert _line_db(out, tone) == pytest.approx(_line_db(clean, tone), abs=0.2)


def test_hum_that_wanders_up_and_down_goes_in_each_of_its_harmonics() -> None:
    clean = noise(12.0, 0.0005) + sine(98.0, 12.0, 0.2) + sine(523.0, 12.0, 0.2)
    heard = clean + _hum(12.0, 50.0, 0.05)
    out = samples_of(remove_hum(audio_of(heard)))
    for harmonic in range(1, 11):
        low, high = harmonic * 49.94 - 0.5, harmonic * 50.06 + 0.5
        assert band_db(out - clean, low, high) < band_db(heard - clean, low, high) - 25.0, harmonic


@pytest.mark.parametrize(("pitch", "seed"), [(110.0, 4), (120.0, 3), (120.0, 5), (170.0, 5)])
def test_hum_under_a_voice_is_found_and_goes(pitch: float, seed: int) -> None:
    clean = np.concatenate((voice(6.0, pitch, seed=seed), np.zeros((RATE, 1), np.float32))) + noise(7.0, 0.0005)
    heard = clean + _hum(7.0, 50.0)
    out = samples_of(remove_hum(audio_of(heard)))
    pause = slice(-RATE, None)
    assert band_db(out[pause], 40, 650) < band_db(heard[pause], 40, 650) - 25.0
    for low, high in ((80, 300), (300, 3_400)):
        assert band_db(out, low, high) == pytest.approx(band_db(clean, low, high), abs=0.1)


def test_hum_that_wanders_under_one_who_never_pauses_long() -> None:
    clean = voice(12.0, 120.0, seed=7) + noise(12.0, 0.0005)
    hum = _hum(12.0, 50.0, 0.05)
    out = samples_of(remove_hum(audio_of(clean + hum)))
    assert 10 * np.log10(np.mean((out - clean) ** 2) / np.mean(hum**2)) < -20.0
    assert band_db(out, 80, 3_400) == pytest.approx(band_db(clean, 80, 3_400), abs=0.1)


@pytest.mark.parametrize(
    "wanted",
    [voice(5.0), music(5.0), noise(4.0), sum(sine(49.0 * n, 5.0, 0.2 / n) for n in range(1, 5)), np.zeros((RATE, 1), np.float32)],
    ids=["voice", "music", "noise", "low G", "silence"],
)
def test_what_is_no_hum_is_left_alone(wanted: NDArray[np.float32]) -> None:
    audio = audio_of(wanted)
    assert find_hum(audio) is None
    assert remove_hum(audio) is audio


@pytest.mark.parametrize("bpm", [120.0, 150.0, 100.0])
def test_a_drum_machine_is_no_hum(bpm: float) -> None:
    at = np.arange(12 * RATE) / RATE
    beat = 0.4 * np.exp(-(at % (60 / bpm)) / 0.03) * np.sin(2 * np.pi * 55 * (at % (60 / bpm)))
    assert find_hum(audio_of(beat[:, None].astype(np.float32) + noise(12.0, 0.003))) is None


def test_a_named_mains_frequency_is_the_only_one_looked_for() -> None:
    heard = noise(5.0, 0.001) + _hum(5.0, 60.0)
    assert find_hum(audio_of(heard), 50.0) is None
    assert find_hum(audio_of(heard), 60.0) is not None


def _clicked(clean: NDArray[np.float32], seed: int = 7) -> tuple[NDArray[np.float32], list[int]]:
    rng = np.random.default_rng(seed)
    places = sorted(rng.choice(np.arange(3_000, len(clean) - 3_000, 4_000), 24, replace=False).tolist())
    out = clean.copy()
    for number, place in enumerate(places):
        length = (1, 2, 5, 10, 20)[number % 5]
        out[place : place + length, 0] += rng.choice([-1, 1]) * rng.uniform(0.5, 0.9) * np.exp(-np.arange(length) / length)
    return out, places


@pytest.mark.parametrize("name", ["sine", "music", "voice"])
def test_clicks_are_repaired_and_nothing_else_is_touched(name: str) -> None:
    clean = {"sine": sine(440.0, 4.0), "music": music(4.0), "voice": voice(4.0)}[name]
    heard, places = _clicked(clean)
    out = samples_of(remove_clicks(audio_of(heard)))
    gains = [
        10 * np.log10(np.sum((heard - clean)[at : at + 40] ** 2) / (np.sum((out - clean)[at - 5 : at + 45] ** 2) + 1e-9))
        for at in places
    ]
    assert np.median(gains) > 25.0
    assert np.mean(np.array(gains) > 10.0) > 0.7
    away = np.ones(len(clean), bool)
    for at in places:
        away[at - 40 : at + 60] = False
    assert np.array_equal(out[away], heard[away])


@pytest.mark.parametrize("wanted", [voice(4.0), music(4.0), pink(3.0), sine(440.0, 3.0)], ids=["voice", "music", "noise", "sine"])
def test_sound_without_clicks_passes_bit_for_bit(wanted: NDArray[np.float32]) -> None:
    assert np.array_equal(samples_of(remove_clicks(audio_of(wanted))), wanted)
    assert clicks_per_minute(audio_of(wanted)) == 0.0


def test_drums_are_not_clicks() -> None:
    rng = np.random.default_rng(5)
    clean = noise(3.0, 0.0003)
    for number in range(12):
        at = round(number * 0.25 * RATE)
        since = np.arange(min(8_000, len(clean) - at))
        kick = 0.5 * np.sin(2 * np.pi * 60 * since / RATE) * np.exp(-since / 3_000)
        snare = 0.3 * rng.normal(size=len(since)) * np.exp(-since / 1_500)
        clean[at : at + len(since), 0] += (snare if number % 2 else kick).astype(np.float32)
    assert np.array_equal(samples_of(remove_clicks(audio_of(clean))), clean)


@pytest.mark.parametrize("tool", [reduce_noise, remove_hum, remove_clicks])
def test_the_blocks_of_the_stream_do_not_matter(tool: object) -> None:
    assert callable(tool)
    heard, _ = _clicked(music(2.5) + _hum(2.5, 50.0) + noise(2.5, 0.003))
    assert np.array_equal(samples_of(tool(audio_of(heard, block=137))), samples_of(tool(audio_of(heard, block=1 << 20))))


@pytest.mark.parametrize("tool", [reduce_noise, remove_hum, remove_clicks])
@pytest.mark.parametrize(
    ("frames", "channels", "rate"), [(0, 2, 44_100), (1, 1, 44_100), (900, 32, 48_000), (50, 2, 1), (9_000, 1, 768_000)]
)
def test_odd_shapes_survive(tool: object, frames: int, channels: int, rate: int) -> None:
    assert callable(tool)
    samples = np.random.default_rng(3).normal(0, 0.1, (frames, channels)).astype(np.float32)
    assert np.isfinite(samples_of(tool(audio_of(samples, rate)))).all()

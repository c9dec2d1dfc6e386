"""AutoReverb, AutoDelay and AutoStereoWidener; tempo and density, which they listen to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.processing.auto.space import (
    Image,
    auto_delay,
    auto_reverb,
    auto_stereo_widener,
    choose_delay,
    choose_reverb,
    choose_widener,
    delay_choice,
    image_of,
    reverb_choice,
    widener_choice,
)
from llm_music_gen.processing.dsp.tempo import Tempo, tempo_of
from tests.unit.processing.made_sounds import RATE, audio_of, band_db, music, noise, pink, samples_of, sine


def drums(bpm: float, length_s: float = 10.0, *, hats: bool = True) -> NDArray[np.float32]:
    """Bass drum and snare in turn, with soft hi-hats between."""
    rng = np.random.default_rng(4)
    out = np.zeros(round(length_s * RATE))
    for number in range(int(length_s * bpm / 30)):
        at = round(number * 30 / bpm * RATE)
        since = np.arange(min(9_000, len(out) - at))
        if number % 4 == 0:
            out[at : at + len(since)] += 0.6 * np.sin(2 * np.pi * 55 * since / RATE) * np.exp(-since / 3_000)
        elif number % 4 == 2:
            out[at : at + len(since)] += 0.3 * rng.normal(size=len(since)) * np.exp(-since / 1_500)
        elif hats:
            out[at : at + len(since)] += 0.08 * np.diff(rng.normal(size=len(since) + 1)) * np.exp(-since / 500)
    return out[:, None].astype(np.float32)


@pytest.mark.parametrize("bpm", [84.0, 100.5, 120.0, 128.0, 140.0])
def test_the_tempo_of_drums_is_found_exactly(bpm: float) -> None:
    tempo = tempo_of(audio_of(drums(bpm)))
    assert tempo.bpm == pytest.approx(bpm, abs=0.15)
    assert tempo.onsets_per_s == pytest.approx(bpm / 30, rel=0.3)


@pytest.mark.parametrize("samples", [noise(5.0), sine(440.0, 4.0), np.zeros((RATE, 2), np.float32), noise(0.01)])
def test_what_has_no_beat_has_no_tempo(samples: NDArray[np.float32]) -> None:
    assert tempo_of(audio_of(samples)).bpm is None


def test_slow_and_sparse_music_gets_a_longer_room_than_fast_and_dense() -> None:
    calm, fast = choose_reverb(Tempo(70.0, 0.9, 0.8)), choose_reverb(Tempo(160.0, 0.9, 8.0))
    assert calm.decay_s > 2.0 > 0.8 > fast.decay_s
    assert 0.08 <= fast.mix < calm.mix <= 0.35


def test_echoes_fall_on_the_beat() -> None:
    assert choose_delay(Tempo(120.0, 0.9, 3.0)).ms == 375.0
    assert choose_delay(Tempo(120.0, 0.9, 7.0)).ms == 250.0
    assert choose_delay(Tempo(60.0, 0.9, 0.5)).ms == 1_000.0
    assert delay_choice(audio_of(drums(120.0))).ms == pytest.approx(375.0, abs=0.5)


def test_given_settings_stay_as_given() -> None:
    audio = audio_of(drums(120.0, 4.0))
    assert reverb_choice(audio, mix=0.5).mix == 0.5
    assert delay_choice(audio, ms=200.0, feedback=0.1).arguments() == {
        **delay_choice(audio).arguments(),
        "ms": 200.0,
        "feedback": 0.1,
    }
    assert widener_choice(audio_of(pink(1.0, channels=2)), amount=0.5).amount == 0.5


def test_an_echo_of_a_click_stands_where_it_was_chosen_to() -> None:
    click = np.zeros((2 * RATE, 2), np.float32)
    click[RATE // 2] = 0.8
    choice = delay_choice(audio_of(click))
    out = samples_of(auto_delay(audio_of(click)))
    assert int(np.argmax(out[RATE // 2 + 100 :, 0])) + 100 == round(choice.ms / 1000 * RATE)


def test_a_room_adds_what_follows_a_sound() -> None:
    samples = np.concatenate((music(2.0), np.zeros((RATE, 1), np.float32)))
    out = samples_of(auto_reverb(audio_of(samples)))
    after = slice(round(2.2 * RATE), round(2.5 * RATE))
    assert np.square(out[after]).mean() > np.square(samples[after]).mean() + 1e-8


def _stereo(side: float) -> NDArray[np.float32]:
    middle, sides = pink(3.0, 0.1, seed=1), pink(3.0, 0.1 * side, seed=2)
    return np.concatenate((middle + sides, middle - sides), axis=1)


@pytest.mark.parametrize("side", [0.0, 0.15, 0.6])
def test_the_mono_sum_stays_within_a_decibel_and_the_bass_in_the_middle(side: float) -> None:
    samples = _stereo(side)
    out = samples_of(auto_stereo_widener(audio_of(samples)))
    for low, high in ((30, 20_000), (30, 120), (120, 1_000), (1_000, 5_000), (5_000, 16_000)):
        before, after = (band_db(x.mean(axis=1, keepdims=True), low, high) for x in (samples, out))
        assert after == pytest.approx(before, abs=0.2)
    middle, sides = out.mean(axis=1, keepdims=True), (out[:, :1] - out[:, 1:]) / 2
    assert band_db(sides, 20, 60) < band_db(middle, 20, 60) - 12.0
    assert band_db(sides, 500, 16_000) > band_db((samples[:, :1] - samples[:, 1:]) / 2, 500, 16_000) - 0.1


def test_narrow_images_are_widened_wide_ones_left_and_mono_gets_sides() -> None:
    assert choose_widener(Image(2, -20.0, -30.0)).amount == 1.6
    assert 1.05 < choose_widener(Image(2, -11.0, -30.0)).amount < 1.6
    assert choose_widener(Image(2, -5.0, -30.0)).amount == 1.0
    assert choose_widener(Image(2, -math.inf, -math.inf)).spread > 0
    assert choose_widener(Image(6, -math.inf, -math.inf)).amount == 1.0


def test_mono_becomes_stereo() -> None:
    samples = music(2.0)
    out = auto_stereo_widener(audio_of(samples))
    assert out.channels == 2
    assert -20.0 < image_of(out).side_db < -5.0
    assert samples_of(out).mean(axis=1, keepdims=True) == pytest.approx(samples, abs=1e-5)


def test_more_than_two_channels_are_left() -> None:
    audio = audio_of(noise(0.2, channels=32))
    assert auto_stereo_widener(audio) is audio


@pytest.mark.parametrize("tool", [auto_reverb, auto_delay, auto_stereo_widener])
def test_the_blocks_of_the_stream_do_not_matter(tool: object) -> None:
    assert callable(tool)
    samples = _stereo(0.1)[:60_000]
    assert np.array_equal(samples_of(tool(audio_of(samples, block=251))), samples_of(tool(audio_of(samples, block=1 << 18))))

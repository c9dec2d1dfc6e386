"""AutoGain, AutoCompressor and AutoLimiter: what they choose, and what comes out."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.processing.auto.levels import (
    Dynamics,
    auto_compressor,
    auto_gain,
    auto_limiter,
    choose_compressor,
    choose_gain,
    choose_limiter,
    compressor_choice,
    dynamics_of,
)
from llm_music_gen.processing.measure import loudness_of
from llm_music_gen.sound.loudness import Loudness
from tests.unit.processing.made_sounds import RATE, audio_of, music, noise, pink, samples_of, sine, voice


def _loudness(lufs: float, true_peak_dbtp: float) -> Loudness:
    return Loudness(RATE, lufs, 3.0, true_peak_dbtp, true_peak_dbtp, -90.0, 0, lufs)


def test_auto_gain_lowers_its_target_only_where_peaks_would_be_squashed() -> None:
    assert choose_gain(_loudness(-20.0, -8.0)).lufs == -14.0
    assert choose_gain(_loudness(-30.0, -6.0)).lufs == -18.0
    assert choose_gain(_loudness(-50.0, -6.0)).lufs == -20.0
    assert choose_gain(_loudness(-30.0, -6.0), tp=-2.0).lufs == -19.0
    assert "silent" in choose_gain(_loudness(-math.inf, -math.inf)).reason


@pytest.mark.parametrize("sound", ["music", "voice", "pink", "sine"])
@pytest.mark.parametrize("lufs", [None, -18.0])
def test_auto_gain_reaches_its_target_within_a_tenth_and_holds_the_ceiling(sound: str, lufs: float | None) -> None:
    sounds: dict[str, Callable[[], NDArray[np.float32]]] = {
        "music": lambda: music(4.0),
        "voice": lambda: voice(4.0),
        "pink": lambda: pink(4.0, 0.02, channels=2),
        "sine": lambda: sine(997.0, 4.0, 0.1),
    }
    samples = sounds[sound]()
    audio = audio_of(samples)
    wanted = lufs if lufs is not None else choose_gain(loudness_of(audio)).lufs
    after = loudness_of(auto_gain(audio, lufs))
    assert after.integrated_lufs == pytest.approx(wanted, abs=0.1)
    assert after.true_peak_dbtp <= -1.0


@pytest.mark.parametrize("name", ["noise", "clicks", "square", "quarter of the rate"])
@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_auto_limiter_lets_no_true_peak_through(name: str, rate: int) -> None:
    at = np.arange(2 * rate)
    clicks = np.zeros(len(at))
    clicks[::5_003] = 1.7
    waves: dict[str, NDArray[np.float64]] = {
        "noise": noise(2.0, 0.7, rate)[:, 0].astype(np.float64),
        "clicks": clicks,
        "square": 1.4 * np.sign(np.sin(2 * np.pi * 441.3 * at / rate)),
        "quarter of the rate": 1.3 * np.sin(2 * np.pi * at / 4 + np.pi / 4),
    }
    samples = np.repeat(waves[name][:, None], 2, axis=1).astype(np.float32)
    out = samples_of(auto_limiter(audio_of(samples, rate), -1.0))
    from scipy.signal import resample_poly

    peak = np.abs(resample_poly(out.astype(np.float64), 4, 1, axis=0)).max()
    assert 20 * np.log10(peak) <= -1.0 + 0.05
    assert loudness_of(audio_of(out, rate)).true_peak_dbtp <= -1.0


def test_auto_limiter_leaves_encoders_more_room_in_loud_music() -> None:
    assert choose_limiter(_loudness(-8.0, 0.0)).ceiling_db == -2.0
    assert choose_limiter(_loudness(-16.0, 0.0)).ceiling_db == -1.0


def test_auto_compressor_is_firmer_the_wider_the_dynamics_and_leaves_what_is_even() -> None:
    even = choose_compressor(Dynamics(8.0, 2.0, -12.0, -10.0))
    some = choose_compressor(Dynamics(14.0, 5.0, -20.0, -17.0))
    wide = choose_compressor(Dynamics(22.0, 15.0, -28.0, -20.0))
    assert even.ratio == 1.0
    assert 1.2 < some.ratio < wide.ratio <= 4.0
    assert wide.attack_ms < some.attack_ms
    assert wide.release_ms > some.release_ms
    assert choose_compressor(Dynamics(0.0, 0.0, -math.inf, -math.inf)).ratio == 1.0


def _swinging() -> NDArray[np.float32]:
    """Loud and soft passages of two seconds each."""
    out = pink(20.0, 0.05)
    level = np.where(np.arange(len(out)) // (4 * RATE) % 2 == 0, 1.0, 0.2)
    return (out * level[:, None]).astype(np.float32)


def test_auto_compressor_narrows_wide_dynamics() -> None:
    before = audio_of(_swinging())
    after = audio_of(samples_of(auto_compressor(before)))
    assert dynamics_of(after).range_lu < dynamics_of(before).range_lu - 1.5


def test_auto_compressor_keeps_what_it_is_told() -> None:
    choice = compressor_choice(audio_of(_swinging()), ratio=6.0, attack_ms=3.0)
    assert (choice.ratio, choice.attack_ms) == (6.0, 3.0)
    assert choice.arguments().keys() == {"threshold_db", "ratio", "attack_ms", "release_ms"}
    assert choice.reason


def test_even_sound_passes_untouched() -> None:
    audio = audio_of(sine(440.0, 4.0))
    assert auto_compressor(audio) is audio

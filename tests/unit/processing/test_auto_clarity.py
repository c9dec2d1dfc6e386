"""AutoEnhancer, AutoNoiseReduction and AutoTimeStretcher; and the table of all Auto tools."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.errors import UsageError
from llm_music_gen.processing.auto.clarity import (
    auto_enhancer,
    auto_noise_reduction,
    choose_enhancer,
    enhancer_choice,
    noise_choice,
)
from llm_music_gen.processing.auto.eq import auto_eq
from llm_music_gen.processing.auto.time import auto_time_stretcher, choose_stretch, stretch_choice
from llm_music_gen.processing.auto.tools import AUTO_TOOLS
from llm_music_gen.processing.dsp.spectrum import ThirdOctaves, band_centres_hz
from llm_music_gen.processing.dsp.tempo import Tempo, tempo_of
from llm_music_gen.tools.spec import tool
from tests.unit.processing.made_sounds import RATE, audio_of, band_db, music, noise, pink, pitch_hz, samples_of, sine, voice
from tests.unit.processing.test_auto_space import drums


def _bands(presence_db: float, air_db: float) -> ThirdOctaves:
    """Most of the power at 200 Hz, and so much of everything in the two upper ranges."""
    centres = band_centres_hz(RATE)
    share = dict.fromkeys(centres, 0.0)
    for low, high, level in ((2_000, 5_000, presence_db), (8_000, 16_000, air_db)):
        inside = [hz for hz in centres if low * 0.99 <= hz <= high * 1.01]
        for hz in inside:
            share[hz] = 10 ** (level / 10) / len(inside)
    share[centres[9]] = 1.0 - sum(share.values())
    return ThirdOctaves(centres, tuple(10 * np.log10(max(part, 1e-20)) for part in share.values()))


def test_dull_sound_is_enhanced_bright_sound_less_and_harsh_sound_not_at_all() -> None:
    dull, bright = choose_enhancer(_bands(-13.0, -22.0)).amount, choose_enhancer(_bands(-10.8, -17.5)).amount
    assert dull == 1.0
    assert 0.05 < bright < 0.5
    assert choose_enhancer(_bands(-5.0, -30.0)).amount == 0.0
    assert choose_enhancer(_bands(-5.0, -30.0), amount=1.0).amount == 0.0
    assert 0.0 < choose_enhancer(_bands(-7.0, -30.0), amount=1.0).amount < 0.5
    assert choose_enhancer(_bands(-30.0, -40.0), amount=0.3).amount == 0.3


def test_enhancement_brings_presence_and_air_without_turning_harsh() -> None:
    samples = samples_of(auto_eq(audio_of(pink(3.0, channels=2)), "dark"))
    out = samples_of(auto_enhancer(audio_of(samples)))
    assert band_db(out, 2_000, 5_600) > band_db(samples, 2_000, 5_600) + 0.5
    assert band_db(out, 9_000, 16_000) > band_db(samples, 9_000, 16_000) + 1.5
    assert band_db(out, 2_000, 5_600) < band_db(out, 20, 20_000) - 6.0
    assert band_db(out, 100, 1_000) == pytest.approx(band_db(samples, 100, 1_000), abs=0.5)
    assert enhancer_choice(audio_of(noise(1.0))).amount == 0.0


def _mains(length_s: float) -> NDArray[np.float32]:
    at = np.arange(round(length_s * RATE)) / RATE
    wave = np.sum([0.01 / n * np.sin(2 * np.pi * 50 * n * at) for n in range(1, 8)], axis=0)
    return np.asarray(wave[:, None], dtype=np.float32)


def test_all_noise_is_found_by_itself_and_taken_out() -> None:
    clean = voice(5.0, 170.0)
    heard = clean + noise(5.0, 0.004, seed=8) + _mains(5.0)
    heard[[40_000, 90_000, 150_000]] += 0.8
    choice = noise_choice(audio_of(heard))
    assert choice.clicks and choice.hum is not None and choice.db >= 6.0
    assert choice.arguments() == {"db": choice.db, "hz": pytest.approx(50.0, abs=0.05)}
    assert "hiss" in choice.reason and "hum" in choice.reason and "clicks" in choice.reason
    out = samples_of(auto_noise_reduction(audio_of(heard)))
    assert band_db(out, 12_000, 20_000) < band_db(heard, 12_000, 20_000) - min(10.0, choice.db - 1.0)
    assert band_db(out, 300, 3_400) == pytest.approx(band_db(clean, 300, 3_400), abs=1.0)
    assert np.abs(out - clean)[40_000] < 0.1


@pytest.mark.parametrize(
    "clean", [music(4.0), sine(440.0, 3.0), np.zeros((RATE, 2), np.float32)], ids=["music", "sine", "silence"]
)
def test_clean_sound_passes_bit_for_bit(clean: NDArray[np.float32]) -> None:
    assert np.array_equal(samples_of(auto_noise_reduction(audio_of(clean))), clean)


@pytest.mark.parametrize("length_s", [1.5, 3.0, 4.321])
def test_a_length_is_reached_within_a_millisecond_and_the_pitch_kept(length_s: float) -> None:
    samples = samples_of(auto_time_stretcher(audio_of(sine(330.0, 3.0)), length_s=length_s))
    assert abs(len(samples) / RATE - length_s) < 0.001
    middle = samples[len(samples) // 4 : -len(samples) // 4, 0]
    assert abs(1200 * np.log2(pitch_hz(middle) / 330.0)) < 2.0


def test_a_tempo_is_reached() -> None:
    out = auto_time_stretcher(audio_of(drums(112.0)), bpm=120.0)
    assert out.frames == pytest.approx(10.0 * RATE * 112 / 120, rel=0.002)
    assert tempo_of(out).bpm == pytest.approx(120.0, abs=0.3)


def test_half_and_double_time_are_the_same_tempo() -> None:
    choice = choose_stretch(RATE, RATE, Tempo(70.0, 0.9, 3.0), bpm=140.0)
    assert choice.ratio == 1.0
    assert choose_stretch(RATE, RATE, Tempo(120.02, 0.9, 3.0)).ratio == 1.0
    assert choose_stretch(RATE, RATE, Tempo(119.6, 0.9, 3.0)).ratio == pytest.approx(120 / 119.6, rel=1e-4)


def test_what_cannot_be_stretched_is_said() -> None:
    with pytest.raises(UsageError, match="No beat"):
        stretch_choice(audio_of(sine(440.0, 3.0)), bpm=120.0)
    with pytest.raises(UsageError, match="falling apart"):
        stretch_choice(audio_of(sine(440.0, 0.5)), length_s=60.0)
    assert stretch_choice(audio_of(sine(440.0, 3.0))).ratio == 1.0


def test_the_table_holds_the_eleven_tools_with_schemas() -> None:
    names = (
        "auto_gain auto_eq auto_compressor auto_limiter auto_reverb auto_delay auto_noise_reduction auto_enhancer "
        "auto_stereo_widener auto_pitch_corrector auto_time_stretcher"
    )
    assert sorted(AUTO_TOOLS) == sorted(names.split())
    for automatic in AUTO_TOOLS.values():
        spec = tool(automatic.function, skip=("audio",))
        assert spec.description.endswith(".")
        assert all(parameter.optional or parameter.default is not None for parameter in spec.parameters)
        assert all(parameter.explanation for parameter in spec.parameters)


@pytest.mark.parametrize("name", AUTO_TOOLS)
@pytest.mark.parametrize(
    ("frames", "channels", "rate"), [(0, 2, 44_100), (1, 1, 44_100), (2_000, 32, 8_000), (9_000, 2, 4_000), (40_000, 1, 384_000)]
)
def test_every_tool_survives_every_shape_and_its_choice_is_what_it_does(name: str, frames: int, channels: int, rate: int) -> None:
    samples = np.random.default_rng(3).normal(0, 0.1, (frames, channels)).astype(np.float32)
    automatic = AUTO_TOOLS[name]
    audio = audio_of(samples, rate)
    choice = automatic.choose(audio)
    assert choice.reason.endswith(".")
    tool(automatic.function, skip=("audio",)).checked(choice.arguments())
    out = samples_of(automatic.apply(audio, choice))
    assert np.isfinite(out).all()
    assert np.array_equal(out, samples_of(automatic.function(audio)))

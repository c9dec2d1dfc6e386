"""The other plain tools: filters to their decibel, cuts to their frame; every tool at any block size, rate and channels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import sosfreqz

from llm_music_gen.errors import SoundError, StudioError, UsageError
from llm_music_gen.processing.colour import bitcrush, saturate
from llm_music_gen.processing.conversion import convert
from llm_music_gen.processing.cutting import concat, loop, mix, reverse, silence, trim
from llm_music_gen.processing.filters import bell, deess, enhance, eq, highpass, lowpass, shelf
from llm_music_gen.processing.measure import measure
from llm_music_gen.processing.pitching import pitch, retune, tempo
from llm_music_gen.processing.registry import REGISTRY
from llm_music_gen.processing.space import chorus, delay, mono, pan, reverb, width
from tests.unit.processing.sounds import RATE_HZ, Samples, audio_of, level_at_db, noise, rms_db, samples_of, sine

#: Arguments for tools that mean nothing without.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "eq": {"bands": [{"type": "bell", "hz": 1_000, "db": 6, "q": 1.0}, {"type": "low_shelf", "hz": 100, "db": -4, "q": 0.7}]},
    "pan": {"pos": 0.5},
    "tempo": {"ratio": 1.25},
    "loop": {"to_s": 1.7},
    "pitch": {"semitones": 3.0},
    "silence": {"remove": "all", "insert_s": 0.1},
    "fade": {"in_s": 0.2, "out_s": 0.3},
    "convert": {"rate": 48_000},
    "trim": {"start_s": 0.1, "end_s": -0.1},
}
ALONE = [spec.name for spec in REGISTRY if spec.name not in ("concat", "mix") and not spec.name.startswith("auto_")]
SLOW = ("denoise", "dehum", "declick", "pitch", "retune", "tempo", "pitch_correct")


def changed(name: str, samples: Samples, rate_hz: int = RATE_HZ, block_frames: int = 10_000) -> Samples:
    return samples_of(REGISTRY[name].function(audio_of(samples, rate_hz, block_frames), **ARGUMENTS.get(name, {})))


def test_the_names_are_those_on_the_wire() -> None:
    wanted = (
        "gain normalize limit eq highpass lowpass denoise dehum declick deess compress reverb delay width enhance pan pitch "
        "pitch_correct retune tempo trim fade loop concat mix silence reverse saturate chorus tremolo bitcrush mono convert"
    )
    assert set(wanted.split()) <= {spec.name for spec in REGISTRY}


@pytest.mark.parametrize("spec", list(REGISTRY), ids=lambda spec: spec.name)
def test_every_argument_is_explained(spec: Any) -> None:
    assert spec.description.endswith(".")
    assert [parameter.name for parameter in spec.parameters if not parameter.explanation] == []
    assert [p.name for p in spec.parameters if p.kind in ("number", "integer") and p.range is None] == []


@pytest.mark.parametrize("name", [name for name in ALONE if name not in SLOW])
@settings(max_examples=4, deadline=None)
@given(block_frames=st.integers(1_000, 40_000))
def test_blocks_of_any_size_give_the_same_samples(name: str, block_frames: int) -> None:
    wave = np.concatenate([noise(0.2, -6.0), noise(0.4, -70.0), noise(0.2, -12.0)])
    assert np.array_equal(changed(name, wave, block_frames=block_frames), changed(name, wave, block_frames=len(wave)))


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (96_000, 2), (48_000, 6)])
def test_every_tool_works_at_any_rate_and_number_of_channels(name: str, rate_hz: int, channels: int) -> None:
    wave = noise(0.5, -20.0, rate_hz, channels)
    if name in ("width", "pan") and channels not in ((2,) if name == "width" else (1, 2)):
        with pytest.raises(SoundError, match="needs a stereo file"):
            changed(name, wave, rate_hz)
        return
    out = changed(name, wave, rate_hz)
    assert np.isfinite(out).all() and np.abs(out).max() < 4.0


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("frames", [0, 1, 50])
def test_hardly_any_sound_is_no_reason_to_crash(name: str, frames: int) -> None:
    try:
        out = changed(name, noise(1.0)[:frames])
    except StudioError as error:
        assert len(str(error)) > 20
    else:
        assert np.isfinite(out).all()


def test_the_bounds_of_the_arguments_hold() -> None:
    assert REGISTRY["gain"].checked({"db": 1e9}) == {"db": 40.0}
    assert REGISTRY["convert"].checked({"fmt": "mp3", "kbps": 5_000}) == {"fmt": "mp3", "kbps": 512}
    with pytest.raises(UsageError, match="needs ratio"):
        REGISTRY["tempo"].checked({})


@pytest.mark.parametrize("hz", [100.0, 1_000.0, 8_000.0])
@pytest.mark.parametrize("tool", [highpass, lowpass])
def test_passes_miss_three_decibels_at_their_frequency_and_fall_by_24_an_octave(tool: Any, hz: float) -> None:
    def level(at_hz: float) -> float:
        wave = sine(at_hz, 0.5, -20.0)
        return level_at_db(samples_of(tool(audio_of(wave), hz))[RATE_HZ // 10 :], at_hz) + 20.0

    away = 2.0 if tool is lowpass else 0.5
    assert level(hz) == pytest.approx(-3.01, abs=0.1)
    assert level(hz / away / 2 if tool is lowpass else hz * 4) == pytest.approx(0.0, abs=0.3)
    assert level(hz * away) < -23.0


def test_cuts_outside_the_file_do_nothing_or_silence_it() -> None:
    wave = noise(0.2, rate_hz=8_000)
    assert np.array_equal(samples_of(lowpass(audio_of(wave, 8_000), 12_000.0)), wave)
    assert rms_db(samples_of(highpass(audio_of(wave, 8_000), 20_000.0))) < -30.0


@pytest.mark.parametrize(
    ("section", "levels_db"),
    [
        (bell(1_000.0, 6.0, 1.0, 48_000), {1_000.0: 6.0, 20.0: 0.0, 20_000.0: 0.0}),
        (bell(1_000.0, -12.0, 4.0, 48_000), {1_000.0: -12.0, 500.0: -0.425}),
        (shelf("low_shelf", 200.0, 4.0, 0.7071, 48_000), {10.0: 4.0, 200.0: 2.0, 10_000.0: 0.0}),
        (shelf("high_shelf", 5_000.0, -8.0, 0.7071, 48_000), {50.0: 0.0, 5_000.0: -4.0, 23_000.0: -8.0}),
    ],
)
def test_bands_have_the_shapes_of_the_audio_eq_cookbook(section: Any, levels_db: dict[float, float]) -> None:
    for hz, level_db in levels_db.items():
        _, response = sosfreqz(section[None, :], worN=[hz], fs=48_000)
        assert 20 * np.log10(abs(response[0])) == pytest.approx(level_db, abs=0.1)


def test_eq_is_linear_and_its_bands_add_up() -> None:
    bands = [{"type": "bell", "hz": 1_000, "db": 3, "q": 0.7}] * 2
    wave = sine(1_000.0, 0.5, -20.0)
    out = samples_of(eq(audio_of(wave), bands))[RATE_HZ // 10 :]
    assert level_at_db(out, 1_000.0) == pytest.approx(-14.0, abs=0.05)
    assert np.allclose(samples_of(eq(audio_of(0.1 * wave), bands)), 0.1 * samples_of(eq(audio_of(wave), bands)), atol=1e-7)


@pytest.mark.parametrize(
    "band", [{"type": "notch", "hz": 100, "db": 3}, {"hz": "low", "db": 3}, {"db": 3}, {"hz": 100, "db": float("nan")}]
)
def test_bands_that_make_no_sense_are_refused(band: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="A band of eq"):
        eq(audio_of(noise(0.1)), [band])


def test_deess_lowers_sibilants_and_nothing_else() -> None:
    voice, hiss = sine(300.0, 1.0, -12.0), highpass(audio_of(noise(1.0, -14.0)), 7_000.0)
    alone = samples_of(deess(hiss, 5_500.0, 8.0))
    assert rms_db(alone[5_000:]) - rms_db(samples_of(hiss)[5_000:]) == pytest.approx(-8.0, abs=1.0)
    assert np.abs(samples_of(deess(audio_of(voice), 5_500.0, 8.0)) - voice)[500:].max() < 1e-4


def test_enhance_brightens_without_getting_much_louder() -> None:
    wave = samples_of(lowpass(audio_of(noise(2.0)), 3_000.0))
    out = samples_of(enhance(audio_of(wave), 1.0))
    before, after = (
        dict(zip(m.spectrum.centres_hz, m.spectrum.levels_db, strict=True))
        for m in (measure(audio_of(wave)), measure(audio_of(out)))
    )
    assert max(after[hz] - before[hz] for hz in before if hz > 6_000) > 2.5
    assert max(abs(after[hz] - before[hz]) for hz in before if hz < 800) < 0.5


@pytest.mark.parametrize("decay_s", [0.5, 2.0])
def test_a_room_dies_away_in_its_time(decay_s: float) -> None:
    click = np.zeros((RATE_HZ // 2, 2), dtype=np.float32)
    click[0] = 1.0
    out = samples_of(reverb(audio_of(click), 1.0, decay_s))[:, 0].astype(np.float64)
    left_db = 10 * np.log10(np.cumsum(out[::-1] ** 2)[::-1] / np.sum(out**2) + 1e-20)  # Schroeder's backward integral
    fall = np.flatnonzero((left_db < -5) & (left_db > -25))
    slope = np.polyfit(fall / RATE_HZ, left_db[fall], 1)[0]
    assert -60 / slope == pytest.approx(decay_s, rel=0.25)
    assert len(out) == RATE_HZ // 2 + round(decay_s * RATE_HZ)


def test_reverb_keeps_the_level_and_delay_the_dry_sound() -> None:
    wave = noise(2.0)
    assert rms_db(samples_of(reverb(audio_of(wave), 0.3, 1.0))[RATE_HZ : 2 * RATE_HZ]) == pytest.approx(rms_db(wave), abs=0.7)
    click = np.zeros((1_000, 1), dtype=np.float32)
    click[0] = 1.0
    out = samples_of(delay(audio_of(click), 100.0, 0.5, 0.5))[:, 0]
    assert out[[0, 4_410, 8_820, 13_230]] == pytest.approx([1.0, 0.5, 0.25, 0.125], abs=1e-6)
    assert np.count_nonzero(np.abs(out) > 1e-6) <= 12


def test_width_leaves_the_mono_sum_and_centres_the_bass() -> None:
    wave = noise(1.0)
    out = samples_of(width(audio_of(wave), 1.6, 120.0))
    assert np.abs(out.sum(axis=1) - wave.sum(axis=1)).max() < 1e-6
    deep = np.concatenate([sine(40.0, 1.0, channels=1), -sine(40.0, 1.0, channels=1)], axis=1)
    assert rms_db(samples_of(width(audio_of(deep), 1.6, 120.0))[10_000:]) < rms_db(deep) - 10.0
    narrow = samples_of(width(audio_of(wave), 0.0, 0.0))
    assert np.abs(narrow[:, 0] - narrow[:, 1]).max() < 1e-6


def test_pan_and_mono() -> None:
    tone = sine(440.0, 0.1, channels=1)
    left = samples_of(pan(audio_of(tone), -1.0))
    assert np.allclose(left[:, :1], tone) and np.abs(left[:, 1]).max() < 1e-6
    middle = samples_of(pan(audio_of(tone), 0.0))
    assert rms_db(middle) + 3.01 == pytest.approx(rms_db(tone), abs=0.01)
    stereo = samples_of(pan(audio_of(noise(0.1)), 1.0))
    assert np.abs(stereo[:, 0]).max() < 1e-6
    wave = noise(0.1)
    assert np.allclose(samples_of(mono(audio_of(wave)))[:, 0], wave.mean(axis=1), atol=1e-7)


def test_saturation_makes_harmonics_but_no_aliases() -> None:
    hz = 7_000.0
    out = samples_of(saturate(audio_of(sine(hz, 1.0, -3.0)), 12.0))
    assert level_at_db(out, 3 * hz) > -45.0
    for order in (5, 7, 9):
        folded_hz = abs((order * hz + RATE_HZ / 2) % RATE_HZ - RATE_HZ / 2)
        assert level_at_db(out, folded_hz) < -55.0


def test_bitcrush_leaves_as_many_steps_as_bits_allow() -> None:
    out = samples_of(bitcrush(audio_of(sine(100.0, 0.5, 0.0, channels=1)), 3))
    assert len(np.unique(out)) == 9


def test_chorus_spreads_a_tone_and_keeps_the_level() -> None:
    wave = noise(1.0)
    assert rms_db(samples_of(chorus(audio_of(wave), 0.5))) == pytest.approx(rms_db(wave), abs=0.5)


def test_trim_is_exact_and_counts_from_the_end() -> None:
    wave = noise(1.0)
    assert np.array_equal(samples_of(trim(audio_of(wave), 0.25, 0.75)), wave[11_025:33_075])
    assert np.array_equal(samples_of(trim(audio_of(wave), -0.25)), wave[-11_025:])
    assert np.array_equal(samples_of(trim(audio_of(wave), 0.0, -0.25)), wave[:-11_025])
    with pytest.raises(SoundError, match="Nothing is left"):
        trim(audio_of(wave), 2.0, 3.0)


def test_a_loop_has_exactly_its_length_and_no_dip_at_the_joints() -> None:
    wave = noise(2.0)
    out = samples_of(loop(audio_of(wave), 7.3, 0.5))
    assert len(out) == round(7.3 * RATE_HZ)
    levels = [rms_db(out[start : start + 4_410]) for start in range(0, 6 * RATE_HZ, 4_410)]
    assert max(levels) - min(levels) < 0.7
    short = samples_of(loop(audio_of(wave), 1.0))
    assert len(short) == RATE_HZ


def test_reverse_twice_is_nothing() -> None:
    wave = noise(0.7)
    assert np.array_equal(samples_of(reverse(audio_of(wave))), wave[::-1])
    assert np.array_equal(samples_of(reverse(reverse(audio_of(wave)))), wave)


def test_silence_is_taken_from_the_ends_or_everywhere() -> None:
    quiet = np.zeros((2 * RATE_HZ, 2), dtype=np.float32)
    wave = np.concatenate([quiet, noise(1.0), quiet, noise(1.0), quiet])
    ends = samples_of(silence(audio_of(wave), "ends"))
    assert len(ends) / RATE_HZ == pytest.approx(4.04, abs=0.02)
    everywhere = samples_of(silence(audio_of(wave), "all"))
    assert len(everywhere) / RATE_HZ == pytest.approx(2.29, abs=0.03)
    before = samples_of(silence(audio_of(noise(0.5)), insert_s=1.5))
    assert not before[: int(1.5 * RATE_HZ)].any() and len(before) == 2 * RATE_HZ
    with pytest.raises(SoundError, match="whole sound is silence"):
        silence(audio_of(quiet), "ends")


def _saved(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> str:
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    return str(path)


def test_concat_joins_files_of_other_rates_and_channels(tmp_path: Path) -> None:
    wave = noise(1.0)
    other = _saved(tmp_path / "b.wav", sine(440.0, 1.0, -20.0, 48_000, 1), 48_000)
    out = samples_of(concat(audio_of(wave), [other]))
    assert len(out) == 2 * RATE_HZ and np.array_equal(out[:RATE_HZ], wave)
    assert level_at_db(out[RATE_HZ + 2_000 : -2_000], 440.0) == pytest.approx(-20.0, abs=0.1)
    melted = samples_of(concat(audio_of(wave), [_saved(tmp_path / "c.wav", noise(1.0, seed=2))], 0.5))
    assert len(melted) == round(1.5 * RATE_HZ)
    assert rms_db(melted[RATE_HZ // 2 : RATE_HZ]) == pytest.approx(-20.0, abs=0.2)
    same = samples_of(concat(audio_of(sine(440.0)), [_saved(tmp_path / "d.wav", sine(440.0))], 0.5))
    assert np.abs(same).max() < 0.1 * 1.02, "alike sounds must not swell where they melt"


def test_mix_adds_and_is_as_long_as_the_longest(tmp_path: Path) -> None:
    wave, other = noise(0.5), noise(1.0, seed=2)
    out = samples_of(mix(audio_of(wave), [_saved(tmp_path / "b.wav", other)], -6.0206))
    assert len(out) == RATE_HZ
    assert np.allclose(out[: len(wave)], wave + 0.5 * other[: len(wave)], atol=1e-5)
    assert np.allclose(out[len(wave) :], 0.5 * other[len(wave) :], atol=1e-5)
    with pytest.raises(UsageError, match="at least one more file"):
        mix(audio_of(wave))


@pytest.mark.parametrize(
    ("tool", "ratio"), [(lambda a: pitch(a, 4.0, 50.0), 2 ** (4.5 / 12)), (lambda a: retune(a, 440.0, 432.0), 432 / 440)]
)
def test_pitch_moves_and_the_length_stays(tool: Any, ratio: float) -> None:
    out = samples_of(tool(audio_of(sine(440.0, 2.0, channels=1))))
    assert len(out) == 2 * RATE_HZ
    middle = out[RATE_HZ // 2 : -RATE_HZ // 2, 0] * np.hanning(RATE_HZ)
    spectrum = np.abs(np.fft.rfft(middle, 16 * RATE_HZ))
    found_hz = spectrum.argmax() / 16
    assert abs(1_200 * np.log2(found_hz / (440.0 * ratio))) < 2.0


def test_tempo_changes_the_length_exactly() -> None:
    assert len(samples_of(tempo(audio_of(noise(1.0)), 1.25))) == round(RATE_HZ / 1.25)


def test_convert_changes_the_rate() -> None:
    assert convert(audio_of(noise(0.1)), rate=22_050).sample_rate_hz == 22_050
    assert convert(audio_of(noise(0.1)), fmt="mp3").sample_rate_hz == RATE_HZ

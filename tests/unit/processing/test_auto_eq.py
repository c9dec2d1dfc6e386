"""AutoEQ: the spectrum of the target wherever six decibels allow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.errors import UsageError
from llm_music_gen.processing.auto.eq import apply_eq, auto_eq, choose_eq, eq_choice, mean_power
from llm_music_gen.processing.auto.targets import target, targets
from llm_music_gen.processing.dsp.fir import convolved, minimum_phase
from llm_music_gen.processing.dsp.spectrum import LongTermSpectrum, level_at, third_octaves
from tests.unit.processing.made_sounds import RATE, audio_of, music, noise, samples_of


def _shaped(name: str, away_db: NDArray[np.float64], length_s: float = 4.0, rate: int = RATE) -> NDArray[np.float32]:
    """Noise with the spectrum of a target, bent by so many decibels in each third-octave."""
    white = np.fft.rfft(noise(length_s, 1.0, rate, channels=2), axis=0)
    frequencies = np.maximum(np.fft.rfftfreq(round(length_s * rate), 1 / rate), 1.0)
    bands = targets()[name].bands
    curve = level_at(frequencies, bands) + np.interp(np.log(frequencies), np.log(bands.centres_hz), away_db)
    out = np.fft.irfft(white * (10 ** (curve / 20) / np.sqrt(frequencies))[:, None], round(length_s * rate), axis=0)
    return np.asarray(0.1 * out / out.std(), dtype=np.float32)


def _error_db(samples: NDArray[np.float32], name: str, rate: int = RATE) -> NDArray[np.float64]:
    bands = third_octaves(audio_of(samples, rate))
    away = np.array(bands.levels_db) - level_at(bands.centres_hz, targets()[name].bands)
    return np.asarray(away - np.median(away))


def _bends(most_db: float, seed: int) -> NDArray[np.float64]:
    walk = np.cumsum(np.random.default_rng(seed).normal(0, 1.7, 30))
    return np.asarray(np.clip(walk - np.median(walk), -most_db, most_db))


@pytest.mark.parametrize("name", ["pop", "speech", "bright"])
@pytest.mark.parametrize("most_db", [5.5])
def test_every_third_octave_comes_within_a_decibel_and_a_half(name: str, most_db: float) -> None:
    samples = _shaped(name, _bends(most_db, seed=len(name)))
    out = samples_of(auto_eq(audio_of(samples), name))
    before, after = np.abs(_error_db(samples, name)), np.abs(_error_db(out, name))
    assert before.max() > 2.0
    assert after.max() < 1.5


@pytest.mark.parametrize("rate", [22_050, 96_000])
def test_it_does_so_at_any_rate(rate: int) -> None:
    samples = _shaped("pop", _bends(4.0, seed=9), rate=rate)
    assert np.abs(_error_db(samples_of(auto_eq(audio_of(samples, rate), "pop")), "pop", rate)).max() < 1.5


def test_nothing_is_changed_by_more_than_six_decibels() -> None:
    samples = _shaped("pop", np.linspace(-20, 20, 30))
    choice = eq_choice(audio_of(samples), "pop")
    assert max(abs(gain) for gain in choice.gains_db) <= 6.0
    taps = minimum_phase(np.array(choice.curve_db), len(choice.curve_db) // 2)
    assert np.abs(20 * np.log10(np.abs(np.fft.rfft(taps, 1 << 17)))[20:]).max() < 6.3
    assert max(abs(gain) for gain in eq_choice(audio_of(samples), "pop", max_db=2.0).gains_db) <= 2.0


def test_a_reference_file_is_what_it_sounds_like_afterwards(tmp_path: Path) -> None:
    import soundfile

    reference = tmp_path / "reference.wav"
    soundfile.write(reference, _shaped("acoustic", np.zeros(30)), RATE)
    samples = _shaped("acoustic", _bends(4.0, seed=5))
    out = samples_of(auto_eq(audio_of(samples), reference=str(reference)))
    bands, aim = third_octaves(audio_of(out)), third_octaves(audio_of(_shaped("acoustic", np.zeros(30))))
    away = np.array(bands.levels_db) - np.array(aim.levels_db)
    assert np.abs(away - np.median(away)).max() < 1.5
    assert "reference.wav" in eq_choice(audio_of(samples), reference=str(reference)).reason


def test_without_a_target_the_nearest_kind_is_taken() -> None:
    for name in ("pop", "speech"):
        power = mean_power(audio_of(_shaped(name, _bends(2.0, seed=3))))
        assert choose_eq(power, RATE).target == name


def test_what_is_on_target_is_left_nearly_alone() -> None:
    choice = eq_choice(audio_of(_shaped("pop", np.zeros(30), 8.0)), "pop")
    assert max(abs(gain) for hz, gain in zip(choice.centres_hz, choice.gains_db, strict=True) if hz > 40) < 1.0


def test_an_unknown_target_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="bright"):
        target("brigth")


def test_tones_in_a_band_are_moved_as_far_as_the_band() -> None:
    samples = np.repeat(music(4.0), 2, axis=1)
    choice = eq_choice(audio_of(samples), "pop")
    before, after = third_octaves(audio_of(samples)), third_octaves(audio_of(samples_of(apply_eq(audio_of(samples), choice))))
    loud = np.array(before.levels_db) > max(before.levels_db) - 25
    moved = np.array(after.levels_db) - np.array(before.levels_db)
    assert np.abs(moved - np.array(choice.gains_db))[loud].max() < 1.5


def test_a_curve_becomes_a_filter_without_delay() -> None:
    curve = 5.0 * np.sin(np.linspace(0, 9, 1025))
    taps = minimum_phase(curve, 512)
    assert 20 * np.log10(np.abs(np.fft.rfft(taps, 2048))) == pytest.approx(curve, abs=0.1)
    assert int(np.argmax(np.abs(taps))) == 0
    impulse = np.zeros((5_000, 2), np.float32)
    impulse[100] = 1.0
    assert samples_of(convolved(audio_of(impulse), taps))[100:612, 0] == pytest.approx(taps, abs=1e-6)


def test_the_blocks_of_the_stream_do_not_matter() -> None:
    samples = _shaped("pop", _bends(4.0, seed=2), 3.0)
    once = samples_of(auto_eq(audio_of(samples, block=777), "pop"))
    assert np.array_equal(once, samples_of(auto_eq(audio_of(samples, block=1 << 18), "pop")))


def test_a_long_term_spectrum_counts_power() -> None:
    spectrum = LongTermSpectrum(audio_of(samples := noise(4.0, 0.1)))
    spectrum.push(samples)
    assert 10 * np.log10(spectrum.power().sum()) == pytest.approx(-20.0, abs=0.2)

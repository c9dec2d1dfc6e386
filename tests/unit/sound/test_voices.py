"""The studio's own instruments, measured."""

from __future__ import annotations

import numpy as np
import pytest

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.voices import VOICES, voice_named
from llm_music_gen.units import SAMPLE_RATE_HZ, midi_to_hz

TONAL = ("sub", "reese", "supersaw", "pad", "pluck", "bell", "wobble")


@pytest.mark.parametrize("name", sorted(VOICES))
def test_a_voice_is_the_same_every_time_loud_enough_and_ends_at_zero(name: str) -> None:
    one, other = (voice_named(name)(48, 100, 30_000, 440.0, 120.0) for _ in range(2))
    assert np.array_equal(one, other)
    assert one.dtype == np.float32
    assert 0.02 < np.abs(one).max() < 1.0
    assert np.abs(one[-1]).max() < 1e-3
    assert abs(float(one.mean())) < 5e-3


@pytest.mark.parametrize("name", TONAL)
@pytest.mark.parametrize("a4_hz", [440.0, 432.0])
def test_a_tonal_voice_has_its_pitch_within_a_cent(name: str, a4_hz: float) -> None:
    pitch = 45
    samples = voice_named(name)(pitch, 100, 3 * SAMPLE_RATE_HZ, a4_hz, 120.0)[: 3 * SAMPLE_RATE_HZ].mean(axis=1)
    size = 1 << 21
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
    hz = midi_to_hz(pitch, a4_hz)
    low, high = int(hz * 0.97 * size / SAMPLE_RATE_HZ), int(hz * 1.03 * size / SAMPLE_RATE_HZ)
    found = (low + np.argmax(spectrum[low:high])) * SAMPLE_RATE_HZ / size
    assert 1200 * np.log2(found / hz) == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("name", ["supersaw", "pluck", "pad", "reese"])
def test_what_is_not_a_harmonic_is_60_db_down(name: str) -> None:
    pitch = 84
    samples = voice_named(name)(pitch, 100, 2 * SAMPLE_RATE_HZ, 440.0, 120.0)[: 2 * SAMPLE_RATE_HZ, 0]
    power = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) ** 2
    frequency = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    hz = midi_to_hz(pitch)
    below = power[(frequency > 60) & (frequency < hz * 0.9)].sum()
    assert 10 * np.log10(below / power.sum()) < -60


def test_louder_notes_are_louder() -> None:
    soft, loud = (np.abs(voice_named("sub")(36, velocity, 20_000, 440.0, 120.0)).max() for velocity in (40, 120))
    assert loud > 3 * soft


def test_an_unknown_voice_names_the_known_ones() -> None:
    with pytest.raises(SoundError, match="supersaw"):
        voice_named("kazoo")

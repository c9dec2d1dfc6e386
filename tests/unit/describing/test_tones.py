"""Standing tones within a tenth of a hertz, beats within a twentieth, and nothing where there is nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.describing.tones import Beat, Tone, ToneFinder

RATE_HZ = 22_050


def found(samples: NDArray[Any], rate_hz: int = RATE_HZ, block: int = 20_011) -> tuple[tuple[Tone, ...], Beat | None]:
    finder = ToneFinder(rate_hz, len(samples))
    for start in range(0, len(samples), block):
        finder.push(np.asarray(samples[start : start + block], dtype=np.float32))
    return finder.tones(), finder.beat()


def sines(hz: tuple[float, ...], length_s: float, level: float = 0.1, rate_hz: int = RATE_HZ) -> NDArray[np.float64]:
    t = np.arange(round(length_s * rate_hz)) / rate_hz
    return np.asarray(sum(level * np.sin(2 * np.pi * one * t + 0.3 * one) for one in hz), dtype=np.float64)


@pytest.mark.parametrize("length_s", [10.0, 13.7, 40.0])
@pytest.mark.parametrize("hz", [(432.037,), (136.1, 528.013, 963.3), (40.02, 3_111.11)])
def test_tones_under_noise_are_read_to_a_tenth_of_a_hertz(hz: tuple[float, ...], length_s: float) -> None:
    noise = np.random.default_rng(1).standard_normal(round(length_s * RATE_HZ)) * 0.05
    tones, _ = found((sines(hz, length_s) + noise)[:, None])
    assert sorted(tone.frequency_hz for tone in tones) == pytest.approx(sorted(hz), abs=0.02)
    assert all(tone.level_dbfs == pytest.approx(-20.0, abs=0.5) and tone.share > 0.99 for tone in tones)


@pytest.mark.parametrize("beat_hz", [0.7, 4.03, 10.0, 39.5])
def test_beats_between_the_ears_are_read_to_a_twentieth_of_a_hertz(beat_hz: float) -> None:
    noise = np.random.default_rng(2).standard_normal((round(12 * RATE_HZ), 2)) * 0.03
    ears = np.stack((sines((200 - beat_hz / 2,), 12), sines((200 + beat_hz / 2,), 12)), axis=1)
    _, beat = found(ears + noise)
    assert beat is not None and not beat.glides
    assert beat.beat_hz == pytest.approx(beat_hz, abs=0.02) and beat.carrier_hz == pytest.approx(200, abs=0.02)


def test_a_beat_that_glides_is_given_as_a_range() -> None:
    t = np.arange(60 * RATE_HZ) / RATE_HZ
    phase = np.cumsum(np.interp(t, [0, 60], [10, 8])) / RATE_HZ
    ears = 0.1 * np.stack((np.sin(2 * np.pi * (200 * t - phase / 2)), np.sin(2 * np.pi * (200 * t + phase / 2))), axis=1)
    beat = found(ears)[1]
    assert beat is not None and beat.glides
    assert 8.0 <= beat.lowest_hz < 8.6 and 9.4 < beat.highest_hz <= 10.0


def test_the_same_tone_on_both_ears_does_not_beat_and_noise_has_no_tones() -> None:
    both = np.repeat(sines((300, 310), 12)[:, None], 2, axis=1)
    assert found(both)[1] is None
    assert [tone.channels for tone in found(both)[0]] == ["both", "both"]
    noise = np.random.default_rng(3).standard_normal((30 * RATE_HZ, 2)) * 0.1
    assert found(noise) == ((), None)
    assert found(np.zeros((12 * RATE_HZ, 2))) == ((), None)
    assert found(np.zeros((100, 1))) == ((), None)


def test_notes_that_come_and_go_are_no_standing_tones() -> None:
    melody = np.concatenate([sines((hz,), 0.4) * np.hanning(round(0.4 * RATE_HZ)) for hz in (262, 294, 330, 349, 392) * 8])
    assert found(melody[:, None])[0] == ()


def test_notes_that_come_again_are_read_to_half_a_hertz() -> None:
    pitches = (262.3, 294.7, 330.1, 349.9, 392.2)
    melody = np.concatenate([sines((hz,), 0.5) * np.hanning(round(0.5 * RATE_HZ)) for hz in pitches * 6])
    finder = ToneFinder(RATE_HZ, len(melody))
    finder.push(melody[:, None].astype(np.float32))
    assert sorted(note.frequency_hz for note in finder.notes()) == pytest.approx(sorted(pitches), abs=0.25)
    assert not any(note.stands for note in finder.notes())


def test_a_tone_in_one_ear_says_which() -> None:
    ears = np.stack((sines((500,), 12), 0.01 * sines((700,), 12)), axis=1)
    assert found(ears)[0][0].channels == "left"

"""Tones that are held for hours: exact, the same in any block, silent where they end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.long_form import HeldTone
from llm_music_gen.errors import SoundError
from llm_music_gen.sound.bed.field import Partial, Tone, ToneField
from llm_music_gen.sound.bed.timbres import TIMBRES, held

RATE = 44_100
EIGHT_HOURS = 8 * 3_600 * RATE
LONG_HELD = Tone(0, RATE, 9 * 3_600 * RATE, RATE, (Partial(528.0, 0.5, 0.4),))
TONE = HeldTone(0.0, 60.0, 136.1, "pad", -20.0, 1.0, 1.0)


def heterodyned_hz(samples: NDArray[np.float32], near_hz: float) -> float:
    """Frequency by the slope of the phase against a reference, in windows of a tenth of a second."""
    turn = np.exp(-2j * np.pi * near_hz * np.arange(len(samples)) / RATE)
    window = RATE // 10
    parts = (samples * turn)[: len(samples) // window * window].reshape(-1, window)
    phase = np.unwrap(np.angle(parts @ np.hanning(window)))
    return near_hz + float(np.polyfit(np.arange(len(phase)) * 0.1, phase, 1)[0]) / (2 * np.pi)


def cents(hz: float, wanted_hz: float) -> float:
    return 1200.0 * float(np.log2(hz / wanted_hz))


@pytest.mark.parametrize("start", [2 * RATE, EIGHT_HOURS])
def test_a_tone_lies_on_its_frequency_at_the_beginning_and_after_eight_hours(start: int) -> None:
    sound = ToneField([LONG_HELD]).block(start, 3 * RATE)
    assert abs(cents(heterodyned_hz(sound[:, 0], 528.0), 528.0)) < 0.001
    assert np.abs(sound[:, 0]).max() == pytest.approx(0.5, abs=0.002)


def test_the_phase_after_eight_hours_is_the_one_that_was_never_interrupted() -> None:
    early, late = ToneField([LONG_HELD]), ToneField([LONG_HELD])
    # 528 Hz has whole periods in a second, so blocks whole seconds apart are alike.
    assert np.allclose(early.block(2 * RATE, 4_096), late.block(EIGHT_HOURS, 4_096), atol=2e-4)


@pytest.mark.parametrize("start", [0, 1, 262_143, 300_000, EIGHT_HOURS + 17])
def test_a_block_is_the_slice_of_a_larger_one_bit_for_bit(start: int) -> None:
    tones = [LONG_HELD, Tone(40_000, 9_000, 400_000, 50_000, (Partial(97.3, 0.2, 0.3, 4.0), Partial(811.0, 0.1, 0.1, 0.0, 0.4)))]
    whole = ToneField(tones).block(max(0, start - 5_000), 40_000)
    own = ToneField(tones).block(start, 7_001)
    before = start - max(0, start - 5_000)
    assert np.array_equal(own, whole[before : before + 7_001])


def test_tones_on_one_frequency_add_their_loudness() -> None:
    one = ToneField([LONG_HELD]).block(4 * RATE, RATE)
    both = ToneField([LONG_HELD, LONG_HELD]).block(4 * RATE, RATE)
    assert np.allclose(both, 2 * one, atol=1e-5)


def test_before_the_onset_and_after_the_release_there_is_silence() -> None:
    tone = Tone(RATE, 4_000, 3 * RATE, 20_000, (Partial(220.0, 0.5, 0.5),))
    field = ToneField([tone])
    sound = field.block(0, 6 * RATE)
    knot = 1_024  # loudness runs straight between knots, so a tone reaches at most one knot further
    assert not np.any(sound[: RATE - knot])
    assert not np.any(sound[tone.end_frame + knot :])
    assert np.abs(sound[2 * RATE : 2 * RATE + 441]).max() > 0.49
    assert np.abs(sound[tone.end_frame - 2_000 : tone.end_frame]).max() < 0.1
    assert np.abs(np.diff(sound[:, 0])).max() < 0.5 * 2 * np.pi * 220.0 / RATE * 1.01, "a click"


def test_two_tones_that_turn_over_in_one_stretch_keep_their_power() -> None:
    length, turn = 4 * RATE, 2 * RATE
    field = ToneField(
        [
            Tone(0, 100, length, turn, (Partial(300.0, 0.4, 0.4),)),
            Tone(length - turn, turn, length, 100, (Partial(410.0, 0.4, 0.4),)),
        ]
    )
    sound = field.block(length - turn, turn)[:, 0].astype(np.float64)
    power = (sound[: turn // 2_205 * 2_205] ** 2).reshape(-1, 2_205).mean(axis=1)
    assert 10 * np.log10(power.max() / power.min()) < 0.5


def test_what_would_fold_back_is_left_out() -> None:
    high = Tone(0, 100, 10 * RATE, 100, (Partial(0.46 * RATE, 1.0, 1.0), Partial(30_000.0, 1.0, 1.0)))
    assert not np.any(ToneField([high]).block(RATE, RATE))
    bright = held(replace(TONE, frequency_hz=4_000.0, brightness_hz=20_000.0))
    sound = ToneField([bright]).block(5 * RATE, RATE)[:, 0]
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(RATE)))
    wanted = {4_000 * number for number in range(1, 5)}
    for hz in range(100, RATE // 2):
        if min(abs(hz - place) for place in wanted) > 20:
            assert spectrum[hz] < 3e-5 * spectrum.max(), hz


@pytest.mark.parametrize("voice", sorted(TIMBRES))
@pytest.mark.parametrize("frequency_hz", [68.05, 264.0, 880.0])
def test_the_strongest_partial_of_every_voice_is_exactly_its_pitch(voice: str, frequency_hz: float) -> None:
    partials = held(replace(TONE, voice=voice, frequency_hz=frequency_hz)).partials
    strongest = max(partials, key=lambda partial: partial.left**2 + partial.right**2)
    assert strongest.frequency_hz == frequency_hz
    others = [partial for partial in partials if partial.frequency_hz != frequency_hz]
    assert all(partial.left + partial.right < strongest.left + strongest.right for partial in others)


def test_what_beats_in_a_bowl_does_so_in_mirrored_pairs() -> None:
    partials = held(replace(TONE, voice="bowl", frequency_hz=264.0)).partials
    for centre, below, above in zip(partials[::3], partials[1::3], partials[2::3], strict=True):
        assert centre.frequency_hz - below.frequency_hz == pytest.approx(above.frequency_hz - centre.frequency_hz)
        assert below.left + below.right == pytest.approx(above.left + above.right)
        assert (below.left, below.right) == pytest.approx((above.right, above.left))


@pytest.mark.parametrize("voice", sorted(TIMBRES))
def test_every_voice_measures_as_its_pitch(voice: str) -> None:
    tone = replace(TONE, voice=voice, frequency_hz=264.0)
    sound = ToneField([held(tone)]).block(2 * RATE, 10 * RATE)
    assert abs(cents(heterodyned_hz(sound.sum(axis=1), 264.0), 264.0)) < 0.1


def test_panning_keeps_the_power() -> None:
    for pan in (-1.0, -0.3, 0.0, 0.7, 1.0):
        partial = held(replace(TONE, voice="glass", pan=pan)).partials[0]
        middle = held(replace(TONE, voice="glass")).partials[0]
        assert partial.left**2 + partial.right**2 == pytest.approx(2 * middle.left**2)


def test_a_voice_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(SoundError, match="no held voice 'theremin'") as caught:
        held(replace(TONE, voice="theremin"))
    assert "bowl" in str(caught.value)

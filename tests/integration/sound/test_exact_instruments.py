"""Instruments of a real soundfont on promised frequencies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.score import Intonation, Part, PlayedNote
from llm_music_gen.sound.soundfonts import list_soundfonts
from llm_music_gen.sound.synth import FluidNoteSynth, holds_pitch, steady_share
from llm_music_gen.tuning.frequency import parse_frequency
from llm_music_gen.tuning.intonation import pitch_hz
from llm_music_gen.tuning.retune import tune_to
from llm_music_gen.units import SAMPLE_RATE_HZ

A4_HZ = tune_to(parse_frequency("528")).a4_hz
#: The soundfont that comes with the packages: many of its presets are loops that stand still.
SOUNDFONT = next(soundfont.path for soundfont in list_soundfonts() if soundfont.name == "TimGM6mb")
EXACT = Intonation(exact=True)
#: Organs, plucked and struck strings, basses, leads.
PROGRAMS = (0, 4, 5, 16, 19, 24, 26, 33, 46, 73, 74, 79, 84, 108)


def line_hz(samples: NDArray[np.float32], near_hz: float) -> float:
    """The strongest spectral line within 50 cents of a frequency: another method than the calibration's own."""
    mono = samples[round(0.25 * SAMPLE_RATE_HZ) : 2 * SAMPLE_RATE_HZ].sum(axis=1, dtype=np.float64)
    size = 1 << 18
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), size))
    low, high = (round(near_hz * 2 ** (cents / 1200) * size / SAMPLE_RATE_HZ) for cents in (-50, 50))
    place = low + int(spectrum[low : high + 1].argmax())
    a, b, c = np.log(spectrum[place - 1 : place + 2])
    return float((place + 0.5 * (a - c) / (a - 2 * b + c)) * SAMPLE_RATE_HZ / size)


def cents_off(samples: NDArray[np.float32], wanted_hz: float) -> float:
    return float(1200 * np.log2(line_hz(samples, wanted_hz) / wanted_hz))


def test_notes_of_two_seconds_are_within_a_cent_where_the_preset_holds_its_pitch(tmp_path: Path) -> None:
    synth = FluidNoteSynth(SOUNDFONT, A4_HZ, EXACT, cache_dir=tmp_path)
    plain = FluidNoteSynth(SOUNDFONT, A4_HZ, cache_dir=tmp_path)
    errors, uncorrected = [], []
    for number, program in enumerate(PROGRAMS):
        for key, velocity in ((48 + number % 12, 48), (60 + number % 12, 112), (72 + number % 7, 80)):
            hold = synth.hold(0, program, key, velocity)
            if hold is not None and hold.holds:
                wanted_hz = pitch_hz(key, A4_HZ, EXACT)
                errors.append(cents_off(synth.note(0, program, key, velocity, 2 * SAMPLE_RATE_HZ), wanted_hz))
                uncorrected.append(cents_off(plain.note(0, program, key, velocity, 2 * SAMPLE_RATE_HZ), wanted_hz))
    synth.close()
    plain.close()
    assert len(errors) > 20
    assert max(abs(error) for error in errors) < 1.0
    assert max(abs(error) for error in uncorrected) > 2.0


def test_exact_notes_are_the_same_in_any_order_cold_and_remembered(tmp_path: Path) -> None:
    notes = [(0, 46, 60, 100), (0, 73, 72, 64), (0, 16, 50, 90), (128, 0, 38, 100), (0, 46, 61, 100)]
    made = []
    for order, folder in ((notes, "a"), (notes[::-1], "b"), (notes, "a")):
        synth = FluidNoteSynth(SOUNDFONT, A4_HZ, EXACT, cache_dir=tmp_path / folder)
        made.append({note: synth.note(*note, 30_000) for note in order})
        synth.close()
    assert list((tmp_path / "a" / "calibration").iterdir())
    for note in notes:
        assert np.array_equal(made[0][note], made[1][note]) and np.array_equal(made[0][note], made[2][note])


def test_a_just_third_of_an_organ_does_not_beat_with_its_tonic(tmp_path: Path) -> None:
    just = Intonation("just", tonic_pc=0)
    synth = FluidNoteSynth(SOUNDFONT, A4_HZ, just, cache_dir=tmp_path)
    hold = holds_pitch(SOUNDFONT, 0, 16, 60)
    low, high = (synth.note(0, 16, key, 100, 2 * SAMPLE_RATE_HZ) for key in (60, 64))
    synth.close()
    assert hold.holds
    low_hz, high_hz = line_hz(low, 264.0), line_hz(high, 330.0)
    assert low_hz == pytest.approx(264.0, abs=0.05)
    assert abs(5 * low_hz - 4 * high_hz) < 0.3


def test_parts_whose_preset_wavers_are_told_apart() -> None:
    def part(program: int, **options: bool | str) -> Part:
        notes = (PlayedNote(0.0, 8.0, 60, 80), PlayedNote(8.0, 8.0, 67, 80), PlayedNote(16.0, 1.0, 72, 80))
        return replace(Part("One", "pad", program, notes), **options)  # type: ignore[arg-type]

    strings, organ = 48, 16
    assert steady_share(SOUNDFONT, part(organ), 120.0) == 1.0
    assert steady_share(SOUNDFONT, part(strings), 120.0) == 0.0
    for fine in (part(strings, voice="pad"), part(strings, is_drums=True)):
        assert steady_share(SOUNDFONT, fine, 120.0) == 1.0
    # Nothing is held long enough to be heard wavering.
    assert steady_share(SOUNDFONT, part(strings), 480.0) == 1.0

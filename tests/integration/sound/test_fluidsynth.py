"""The real FluidSynth with a real soundfont."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.sound.synth import DRUM_BANK, FluidNoteSynth
from llm_music_gen.units import SAMPLE_RATE_HZ

NOTES = [(0, 0, 60), (0, 4, 70), (0, 33, 40), (0, 48, 60), (0, 73, 72), (0, 89, 64), (DRUM_BANK, 0, 38), (DRUM_BANK, 0, 46)]


@pytest.fixture(scope="module")
def synth() -> Iterator[FluidNoteSynth]:
    made = FluidNoteSynth(find_soundfont(None).path)
    yield made
    made.close()


def peak_hz(synth: FluidNoteSynth, program: int, pitch: int) -> float:
    samples = synth.note(0, program, pitch, 100, 4 * SAMPLE_RATE_HZ)[SAMPLE_RATE_HZ : 4 * SAMPLE_RATE_HZ].sum(axis=1)
    size = 1 << 21
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / size)


def test_a_note_is_the_same_whatever_was_played_before(synth: FluidNoteSynth) -> None:
    once = {note: synth.note(*note, 100, 20_000) for note in NOTES}
    again = {note: synth.note(*note, 100, 20_000) for note in reversed(NOTES)}
    other = FluidNoteSynth(find_soundfont(None).path)
    fresh = {note: other.note(*note, 100, 20_000) for note in sorted(NOTES)}
    other.close()
    for note in NOTES:
        assert np.array_equal(once[note], again[note])
        assert np.array_equal(once[note], fresh[note])


def test_notes_have_their_pitch_and_end(synth: FluidNoteSynth) -> None:
    # Samples of soundfonts are off by up to 19 cents themselves.
    assert 1200 * np.log2(peak_hz(synth, 73, 69) / 440.0) == pytest.approx(0.0, abs=25.0)
    samples = synth.note(0, 0, 60, 100, SAMPLE_RATE_HZ)
    assert np.abs(samples[:4000]).max() > 0.02
    assert np.abs(samples[-1]).max() < 1e-4


def test_another_reference_pitch_moves_everything_exactly(synth: FluidNoteSynth) -> None:
    low = FluidNoteSynth(find_soundfont(None).path, a4_hz=432.0)
    cents = 1200 * np.log2(peak_hz(low, 73, 69) / peak_hz(synth, 73, 69))
    low.close()
    assert cents == pytest.approx(1200 * np.log2(432 / 440), abs=0.3)


def test_a_program_that_is_missing_is_replaced(synth: FluidNoteSynth) -> None:
    assert np.abs(synth.note(77, 5, 60, 100, 10_000)).max() > 0.01


def test_nothing_is_printed(synth: FluidNoteSynth, capfd: pytest.CaptureFixture[str]) -> None:
    synth.note(0, 0, 60, 100, 1_000)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


def test_loading_the_library_prints_nothing_even_where_continuous_integration_runs() -> None:
    code = "from llm_music_gen.sound.synth import fluidsynth_version; fluidsynth_version()"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "CI": "true"}, check=True
    )
    assert run.stdout == ""

"""Stems add up to the mix before the master."""

from __future__ import annotations

import numpy as np
import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.sound.mix import mix_blocks
from llm_music_gen.sound.notes import NoteCache
from llm_music_gen.sound.stems import stem_blocks
from tests.fakes.sine_synth import SineSynth


def _arrangement(mix: dict[str, float]) -> Arrangement:
    kicks = tuple(PlayedNote(float(beat), 0.5, 36, 110) for beat in range(8))
    tune = tuple(PlayedNote(float(beat), 0.9, 72 + beat, 120) for beat in range(6))
    chord = tuple(PlayedNote(0.0, 6.0, pitch, 127) for pitch in (52, 55, 60))
    parts = (
        Part("Drums", "drums", 0, kicks, is_drums=True, reverb_send=0.1),
        Part("Tune", "melody", 80, tune, pan=0.4, gain_db=3.0),
        Part("Pad", "pad", 90, chord, pan=-0.5, reverb_send=0.6, gain_db=4.0),
        Part("Silent", "bass", 33, ()),
    )
    return Arrangement("Test", Key("C"), Meter(4, 4), 120.0, parts, 44_100 * 5, mix=mix)


@pytest.mark.parametrize("glue", [0.0, 1.0])
def test_stems_add_up_to_the_mix_within_60_db(glue: float) -> None:
    arrangement = _arrangement(
        {
            "glue": glue,
            "sidechain_db": 6.0,
            "delay_gain_db": -12.0,
            "tilt_db": -4.0,
            "reverb_gain_db": 0.0,
            "pad_lowpass_hz": 2_000.0,
        }
    )
    mix = np.concatenate([block for _, block in mix_blocks(arrangement, NoteCache(SineSynth(), 440.0, 120.0))])
    pieces = [stems for _, stems in stem_blocks(arrangement, NoteCache(SineSynth(), 440.0, 120.0))]
    stems = [np.concatenate([piece[number] for piece in pieces]) for number in range(4)]
    left_over = sum(stems) - mix
    assert mix.shape == left_over.shape == (44_100 * 5, 2)
    assert np.sqrt(np.mean(left_over**2)) <= 1e-3 * np.sqrt(np.mean(mix**2))
    # Each of the three that play is heard alone, and who does not play is silent.
    assert all(np.abs(stem).max() > 0.01 for stem in stems[:3])
    assert not stems[3].any()

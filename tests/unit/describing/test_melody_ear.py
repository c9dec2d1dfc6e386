"""The ear for melodies, on performances whose notes are known."""

from __future__ import annotations

import numpy as np
import pytest

from llm_music_gen.describing.melody.notes import Performance
from tests.unit.describing.some_melodies import (
    DOTTED,
    PERFORMERS,
    RATE_HZ,
    TWINKLE,
    Played,
    f1,
    heard,
    piano,
    played,
    plucked,
    sung,
    whistled,
    with_noise,
)  # fmt: skip


def pitches(performance: Performance) -> list[int]:
    return [note.pitch for note in performance.notes]


@pytest.mark.parametrize("performer", PERFORMERS)
def test_every_note_of_a_detuned_performance_is_heard(performer: str) -> None:
    perform, transposed = PERFORMERS[performer]
    notes = played(DOTTED, 120, jitter_s=0.02, transposed=transposed)
    performance = heard(perform(notes, cents=25))
    assert pitches(performance) == [note.pitch for note in notes]
    assert f1(notes, performance) >= 0.95
    assert performance.tuning_cents == pytest.approx(25, abs=9)  # stiff strings are sharp themselves
    assert performance.confidence > 0.9


@pytest.mark.parametrize("performer", PERFORMERS)
def test_noise_15_db_under_the_melody_hides_hardly_a_note(performer: str) -> None:
    perform, transposed = PERFORMERS[performer]
    notes = played(TWINKLE[:7], 90, jitter_s=0.02, transposed=transposed)
    performance = heard(with_noise(perform(notes, cents=25), 15))
    assert f1(notes, performance) >= 0.9
    assert performance.confidence > 0.6


def test_vibrato_of_a_semitone_and_trembling_level_stay_one_note() -> None:
    notes = played(((60, 3), (64, 3)), 100)
    sound = sung(notes, vibrato_cents=80)
    trembling = sound * 10 ** (2 / 20 * np.sin(2 * np.pi * 5.6 * np.arange(len(sound)) / RATE_HZ))
    assert pitches(heard(sound)) == pitches(heard(trembling)) == [60, 64]


def test_notes_struck_again_at_the_same_pitch_are_told_apart() -> None:
    notes = played([(64, 0.25)] * 8 + [(67, 0.5)] * 4, 100)
    assert f1(notes, heard(plucked(notes, decay_s=0.3))) == 1.0


def test_a_legato_line_is_cut_where_the_pitch_changes() -> None:
    notes = played(DOTTED, 100)
    t = np.arange(round((notes[-1].start_s + notes[-1].length_s) * RATE_HZ)) / RATE_HZ
    corners = [(at, note.pitch) for note in notes for at in (note.start_s + 0.02, note.start_s + note.length_s - 0.02)]
    pitch = np.interp(t, [at for at, _ in corners], [pitch for _, pitch in corners])
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / RATE_HZ
    sound = np.where(t < notes[0].start_s, 0.0, sum(np.sin(k * phase) / k for k in range(1, 8)))
    assert f1(notes, heard(sound)) >= 0.95


@pytest.mark.parametrize("kind", ["silence", "white", "clicks", "hum"])
def test_nothing_is_heard_where_no_voice_is(kind: str) -> None:
    t = np.arange(3 * RATE_HZ) / RATE_HZ
    sounds = {
        "silence": np.zeros(len(t)),
        "white": 0.1 * np.random.default_rng(0).normal(size=len(t)),
        "clicks": np.where(np.arange(len(t)) % (RATE_HZ // 3) == 0, 0.8, 0.0),
        "hum": 0.1 * np.asarray(sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3, 5))),
    }
    performance = heard(sounds[kind])
    assert performance.notes == ()
    assert performance.confidence == 0.0


@pytest.mark.parametrize("above", [(4, 7), (7,), (4,)])
def test_chords_are_no_melody(above: tuple[int, ...]) -> None:
    roots = played(((48, 1), (50, 1), (52, 1), (53, 1), (55, 1)), 80)
    chord = sum(piano([Played(n.start_s, n.length_s, n.pitch + up) for n in roots]) for up in (0, *above))
    assert heard(np.asarray(chord)).confidence < 0.3


def test_channels_out_of_phase_do_not_cancel() -> None:
    notes = played(TWINKLE[:7], 120)
    sound = sung(notes)
    assert f1(notes, heard(np.stack((sound, -sound), axis=1))) == 1.0


@pytest.mark.parametrize("rate_hz", [16_000, 96_000])
def test_other_sample_rates_are_heard_alike(rate_hz: int) -> None:
    from scipy.signal import resample_poly

    notes = played(TWINKLE[:7], 120)
    common = int(np.gcd(rate_hz, RATE_HZ))
    assert f1(notes, heard(resample_poly(sung(notes), rate_hz // common, RATE_HZ // common), rate_hz)) == 1.0


def test_sound_shorter_than_a_window_is_no_melody() -> None:
    for frames in (0, 1, 500):
        assert heard(0.1 * np.ones(frames)).notes == ()


def test_who_sinks_by_most_of_a_semitone_still_means_the_same_notes() -> None:
    notes = played([*DOTTED, *DOTTED], 120, transposed=24)
    assert pitches(heard(whistled(notes, sinking_cents=80))) == [note.pitch for note in notes]

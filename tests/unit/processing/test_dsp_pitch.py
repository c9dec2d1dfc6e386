"""A voice is heard exactly, understood patiently, and moved without touching vowels and vibrato."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.errors import NotationError, UsageError
from llm_music_gen.processing.auto.tune import auto_pitch_corrector, choose_pitch, midi_pitch, pitch_choice
from llm_music_gen.processing.dsp.correct import corrected, correction_of
from llm_music_gen.processing.dsp.notes import key_of
from llm_music_gen.processing.dsp.pitch import PitchTrack, track_pitch
from llm_music_gen.processing.dsp.psola import repitched
from tests.unit.processing.made_sounds import RATE, audio_of, formants, noise, pulses, samples_of, sine, sung

A_MINOR_TUNE = [57, 59, 60, 62, 64, 62, 60, 59, 57]
NOTE_S, GAP_S = 0.5, 0.05


def _cents(
    track: PitchTrack, wanted_hz: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int_], NDArray[np.float64]]:
    """Error of each steady step in cents, the number of its note, and its time in the note."""
    frames = np.minimum(np.arange(len(track.frequencies_hz)) * track.hop_frames, len(wanted_hz) - 1)
    whole = round(NOTE_S * RATE) + round(GAP_S * RATE)
    number, place = frames // whole, frames % whole / RATE
    steady = track.voiced & (wanted_hz[frames] > 0) & (place > 0.07) & (place < NOTE_S - 0.06)
    error = 1200 * np.log2(track.frequencies_hz[steady] / wanted_hz[frames[steady]])
    return error, number[steady], place[steady]


def _moved(hz: NDArray[np.float64], off_cents: list[float]) -> NDArray[np.float64]:
    """The pitches that a perfect correction gives: every note moved by what it was off, vibrato as it was."""
    whole = round(NOTE_S * RATE) + round(GAP_S * RATE)
    number = np.minimum(np.arange(len(hz)) // whole, len(off_cents) - 1)
    return np.asarray(hz * 2 ** (-np.array(off_cents)[number] / 1200))


@pytest.mark.parametrize("lowest", [45, 57, 72])
def test_pitch_is_heard_within_a_few_cents(lowest: int) -> None:
    samples, hz = sung([lowest, lowest + 4, lowest + 7], [13.0, -28.0, 0.0])
    error, _, _ = _cents(track_pitch(audio_of(samples)), hz)
    assert np.median(np.abs(error)) < 1.5
    assert np.percentile(np.abs(error), 95) < 4.0


@pytest.mark.parametrize("samples", [noise(1.0), np.zeros((4_000, 2), np.float32)], ids=["noise", "silence"])
def test_what_is_not_sung_has_no_pitch(samples: NDArray[np.float32]) -> None:
    assert not track_pitch(audio_of(samples)).voiced.any()


@pytest.mark.parametrize("key", [None, Key("A", "minor")], ids=["key found", "key given"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_voice_off_by_up_to_forty_cents_comes_onto_its_notes(key: Key | None, seed: int) -> None:
    off = np.random.default_rng(seed).choice([-40.0, -25.0, 30.0, 40.0], len(A_MINOR_TUNE)).tolist()
    samples, hz = sung(A_MINOR_TUNE, off, NOTE_S, GAP_S)
    heard = correction_of(audio_of(samples), key)
    assert str(heard.key) == "A minor"
    assert [note.note for note in heard.notes] == A_MINOR_TUNE
    error, _, _ = _cents(track_pitch(corrected(audio_of(samples), key)), _moved(hz, off))
    assert np.median(np.abs(error)) < 5.0
    assert np.percentile(np.abs(error), 95) < 15.0


@pytest.mark.parametrize("seed", [1, 2])
def test_with_its_notes_given_it_may_be_off_by_sixty(seed: int) -> None:
    off = np.random.default_rng(seed).choice([-60.0, 60.0], len(A_MINOR_TUNE)).tolist()
    samples, hz = sung(A_MINOR_TUNE, off, NOTE_S, GAP_S)
    given = [float(note) for note in A_MINOR_TUNE]
    assert [note.note for note in correction_of(audio_of(samples), notes=given).notes] == A_MINOR_TUNE
    error, _, _ = _cents(track_pitch(corrected(audio_of(samples), notes=given)), _moved(hz, off))
    assert np.median(np.abs(error)) < 5.0
    assert np.percentile(np.abs(error), 95) < 15.0


def test_given_notes_in_no_order_are_a_choice_of_notes() -> None:
    samples, _ = sung([64, 60, 64, 67, 60], [30.0, -50.0, 45.0, -20.0, 10.0])
    notes = correction_of(audio_of(samples), notes=[60.0, 64.0, 67.0]).notes
    assert [note.note for note in notes] == [64, 60, 64, 67, 60]


def test_notes_sung_without_a_break_are_told_apart() -> None:
    samples, _ = sung([45, 47, 48, 50, 52], [40.0, -40.0, 35.0, -38.0, 20.0], gap_s=0.0)
    assert [note.note for note in correction_of(audio_of(samples), Key("A", "minor")).notes] == [45, 47, 48, 50, 52]


def test_a_leading_note_of_minor_and_a_chromatic_note_of_a_guessed_key_stay_what_they_are() -> None:
    tune = [57, 60, 64, 62, 60, 59, 56, 57]
    samples, _ = sung(tune, [20.0, -30.0, 10.0, 25.0, -20.0, 15.0, -35.0, 30.0], note_s=0.4)
    assert [note.note for note in correction_of(audio_of(samples), Key("A", "minor")).notes] == tune
    chromatic = [60, 62, 64, 65, 67, 66, 67, 64, 60]
    samples, _ = sung(chromatic, [30.0, -38.0, 25.0, 40.0, -30.0, 38.0, 20.0, -35.0, 0.0], note_s=0.4)
    assert [note.note for note in correction_of(audio_of(samples)).notes] == chromatic
    # A key that is given holds: what lies outside is moved onto it.
    assert 66 not in [note.note for note in correction_of(audio_of(samples), Key("C")).notes]


def test_vibrato_stays() -> None:
    off = [38.0, -36.0, 40.0]
    samples, hz = sung([57, 60, 64], off, NOTE_S, GAP_S, vibrato_cents=45.0)
    track = track_pitch(corrected(audio_of(samples), Key("A", "minor")))
    error, number, place = _cents(track, np.where(hz > 0, 440.0, 0.0))
    for note in range(3):
        swing = np.ptp(error[(number == note) & (place > 0.25)])
        assert swing == pytest.approx(90.0, rel=0.12)


@pytest.mark.parametrize("off", [-40.0, 40.0])
def test_formants_of_a_low_voice_stay(off: float) -> None:
    def vowel(hz: float) -> NDArray[np.float32]:
        return (0.4 * formants(pulses(np.full(round(1.2 * RATE), hz))))[:, None].astype(np.float32)

    samples = vowel(110.0 * 2 ** (off / 1200))
    out = samples_of(corrected(audio_of(samples), notes=[45.0]))
    assert 1200 * np.log2(np.median(track_pitch(audio_of(out)).frequencies_hz) / 110.0) == pytest.approx(0.0, abs=2.0)
    # Against the voice before, and against the same voice sung at the right pitch.
    for reference in (samples, vowel(110.0)):
        assert _formants_hz(out) == pytest.approx(_formants_hz(reference), rel=0.03)


VOWELS = {
    "schwa": ((500.0, 70.0), (1500.0, 90.0), (2500.0, 120.0), (3500.0, 200.0)),
    "ee": ((300.0, 60.0), (2200.0, 90.0), (2900.0, 120.0), (3500.0, 200.0)),
    "oo": ((320.0, 60.0), (800.0, 80.0), (2300.0, 120.0), (3400.0, 200.0)),
}


@pytest.mark.parametrize("name", VOWELS)
@pytest.mark.parametrize("off", [-40.0, 40.0])
def test_the_resonances_of_a_voice_moved_to_110_hz_are_within_three_percent_of_those_it_was_made_with(
    name: str, off: float
) -> None:
    resonances = VOWELS[name]
    made = np.array([centre for centre, _ in resonances])[:3]
    source = pulses(np.full(RATE, 110.0 * 2 ** (off / 1200)))
    out = samples_of(corrected(audio_of((0.4 * formants(source, RATE, resonances))[:, None].astype(np.float32)), notes=[45.0]))
    assert _resonances_hz(out, 110.0, resonances) == pytest.approx(made, rel=0.03)
    # The measurement itself is exact.
    true = (0.4 * formants(pulses(np.full(RATE, 110.0)), RATE, resonances))[:, None].astype(np.float32)
    assert _resonances_hz(true, 110.0, resonances) == pytest.approx(made, rel=0.001)


def test_half_the_strength_is_half_the_way_and_none_is_none() -> None:
    samples, _ = sung([57], [40.0], note_s=1.0, vibrato_cents=0.0)
    audio = audio_of(samples)
    half = track_pitch(corrected(audio, Key("A", "minor"), 0.5)).frequencies_hz
    assert 1200 * np.log2(np.median(half[half > 0]) / 220.0) == pytest.approx(20.0, abs=2.0)
    assert corrected(audio, Key("A", "minor"), 0.0) is audio


def test_loudness_length_and_what_is_not_sung_stay() -> None:
    samples, _ = sung([57, 64], [40.0, -40.0])
    out = samples_of(corrected(audio_of(samples), Key("A", "minor")))
    assert len(out) == len(samples)
    assert 20 * np.log10(out.std() / samples.std()) == pytest.approx(0.0, abs=1.0)
    hiss = noise(1.0, 0.05)
    assert np.array_equal(samples_of(corrected(audio_of(hiss))), hiss)


@pytest.mark.parametrize("cents", [-300, 200, 700])
def test_larger_steps_are_exact_too(cents: int) -> None:
    samples, hz = sung([60], [0.0], note_s=NOTE_S, gap_s=GAP_S)
    track = track_pitch(audio_of(samples))
    out = repitched(audio_of(samples), track, np.full(len(track.frequencies_hz), 2 ** (cents / 1200)))
    error, _, _ = _cents(track_pitch(out), hz * 2 ** (cents / 1200))
    assert np.median(np.abs(error)) < 3.0


def test_the_blocks_of_the_stream_do_not_matter() -> None:
    samples, _ = sung([57, 60], [35.0, -35.0])
    stereo = np.repeat(samples, 2, axis=1)
    once = samples_of(corrected(audio_of(stereo, block=313), Key("A", "minor")))
    assert np.array_equal(once, samples_of(corrected(audio_of(stereo, block=1 << 18), Key("A", "minor"))))


def test_the_key_follows_the_notes() -> None:
    samples, _ = sung([62, 66, 69, 74, 71, 67, 69, 62], [0.0] * 8, note_s=0.3)
    assert str(key_of(track_pitch(audio_of(samples)))) == "D major"


def test_the_tool_says_what_it_heard() -> None:
    samples, _ = sung(A_MINOR_TUNE, [30.0] * 9, note_s=0.3)
    choice = pitch_choice(audio_of(samples))
    assert choice.arguments() == {"key": "Am", "strength": 1.0}
    assert "9 notes in A minor, 30 cents off" in choice.reason
    true, _ = sung(A_MINOR_TUNE, [2.0] * 9, note_s=0.3)
    assert choose_pitch(correction_of(audio_of(true))).strength < 0.9
    assert "No single voice" in pitch_choice(audio_of(noise(0.5))).reason


def test_names_of_keys_and_notes_are_read_and_wrong_ones_refused() -> None:
    assert [midi_pitch(name) for name in ("C4", "a3", "F#2", "Bb5")] == [60, 57, 42, 82]
    with pytest.raises(UsageError, match="not a note"):
        midi_pitch("H2")
    with pytest.raises(NotationError):
        pitch_choice(audio_of(sine(220.0, 0.1)), key="X dur")


@pytest.mark.parametrize(
    ("frames", "channels", "rate"), [(0, 2, 44_100), (1, 1, 44_100), (900, 32, 48_000), (4_000, 2, 4_000), (60_000, 1, 192_000)]
)
def test_odd_shapes_survive(frames: int, channels: int, rate: int) -> None:
    wave = np.sin(2 * np.pi * 230 * np.arange(frames) / rate)
    samples = np.repeat(0.3 * wave[:, None], channels, axis=1).astype(np.float32)
    assert np.isfinite(samples_of(auto_pitch_corrector(audio_of(samples, rate), "C"))).all()


def _formants_hz(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The first three resonances by linear prediction, the median over many windows."""
    from scipy.linalg import solve_toeplitz
    from scipy.signal import decimate

    found = []
    for start in range(round(0.3 * RATE), round(0.9 * RATE), 701):
        part = decimate(samples[start : start + 2_048, 0].astype(np.float64), 4)
        part = np.diff(part, prepend=part[0]) * np.hamming(len(part))
        correlation = np.correlate(part, part, "full")[len(part) - 1 :][:15]
        roots = np.roots(np.concatenate(([1.0], -solve_toeplitz(correlation[:14], correlation[1:]))))
        roots = roots[(roots.imag > 0) & (-np.log(np.abs(roots)) * RATE / 4 / np.pi < 400)]
        hz = np.sort(np.angle(roots) * RATE / 4 / (2 * np.pi))
        hz = hz[hz > 300]
        if len(hz) >= 3:
            found.append(hz[:3])
    return np.asarray(np.median(found, axis=0))


def _resonances_hz(samples: NDArray[np.float32], pitch_hz: float, near: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """The first three resonances of a sung vowel by fitting the source-filter model itself to its harmonics.

    Linear prediction is drawn towards the nearest harmonic, which at 110 Hz moves a resonance by up to 2 %.
    """
    from scipy.optimize import least_squares

    part = samples[round(0.25 * RATE) : round(0.75 * RATE), 0].astype(np.float64)
    window, at = np.hanning(len(part)), np.arange(len(part)) / RATE
    orders = np.arange(1, int(4_000 / pitch_hz) + 1)
    heard_db = np.array(
        [20 * np.log10(np.abs(np.sum(part * window * np.exp(-2j * np.pi * order * pitch_hz * at))) + 1e-9) for order in orders]
    )
    turn = np.exp(-2j * np.pi * orders * pitch_hz / RATE)

    def model_db(values: NDArray[np.float64]) -> NDArray[np.float64]:
        out = values[0] - 20 * np.log10(orders)
        for centre_hz, width_hz in values[1:].reshape(-1, 2):
            radius = np.exp(-np.pi * width_hz / RATE)
            out -= 20 * np.log10(np.abs(1 - 2 * radius * np.cos(2 * np.pi * centre_hz / RATE) * turn + (radius * turn) ** 2))
        return np.asarray(out)

    start = np.concatenate(([0.0], 1.02 * np.array(near).ravel()))
    start[0] = np.mean(heard_db - model_db(start))
    audible = np.where(heard_db > heard_db.max() - 50, 1.0, 0.1)
    found = least_squares(lambda values: (model_db(values) - heard_db) * audible, start, loss="soft_l1")
    return np.asarray(found.x[1::2][:3])

"""The voice over a track: how the music gives way, that any stretch is the same alone, and how loud it all is."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.long import store
from llm_music_gen.sound.long.narration import Ducking, Narration, VoicedSegments, narrated_loudness
from llm_music_gen.sound.long.store import FinishedSegments, SegmentRow, segment_count, segment_range, write_segment
from llm_music_gen.sound.loudness import LoudnessMeter, TruePeak

RATE = 44_100
DUCKING = Ducking(11.0, 0.8, 3.0, 5.0)
#: Two close together, one apart.
SPANS = ((4 * RATE, 2 * RATE), (8 * RATE, RATE), (16 * RATE, 3 * RATE // 2))
FRAMES = 24 * RATE + 777
SEGMENT = 7 * RATE


def curve(ducking: Ducking = DUCKING, spans: tuple[tuple[int, int], ...] = SPANS) -> NDArray[np.float64]:
    """In dB."""
    gain = ducking.gain(ducking.together(spans), 0, FRAMES)[:, 0]
    return np.asarray(20 * np.log10(gain.astype(np.float64)))


@pytest.fixture(scope="module")
def narration(tmp_path_factory: pytest.TempPathFactory) -> Narration:
    """Noise in syllables instead of a voice."""
    path = tmp_path_factory.mktemp("narration") / "speech.flac"
    frames = sum(length for _, length in SPANS)
    noise = 0.1 * np.random.default_rng(1).standard_normal(frames)
    soundfile.write(path, noise * np.abs(np.sin(np.arange(frames) * 2 * np.pi * 3 / RATE)), RATE, subtype="PCM_24")
    return Narration(path, SPANS, DUCKING)


@pytest.fixture(scope="module")
def music() -> NDArray[np.float32]:
    """A chord with some air."""
    at = np.arange(FRAMES) / RATE
    tone = sum(0.05 * np.sin(2 * np.pi * hz * at) for hz in (220.0, 277.0, 330.0))
    return (np.stack((tone, tone), 1) + 0.01 * np.random.default_rng(2).standard_normal((FRAMES, 2))).astype(np.float32)


@pytest.fixture
def segments(tmp_path: Path, music: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> FinishedSegments:
    monkeypatch.setattr(store, "SEGMENT_FRAMES", SEGMENT)
    ranges = [segment_range(index, FRAMES) for index in range(segment_count(FRAMES))]
    sums = [write_segment(tmp_path, index, music[first : first + length]) for index, (first, length) in enumerate(ranges)]
    return FinishedSegments(tmp_path, FRAMES, tuple(sums))


def test_the_music_is_down_before_the_first_word_and_comes_up_after_the_last() -> None:
    level_db = curve()
    assert level_db[4 * RATE : 9 * RATE] == pytest.approx(-11.0, abs=1e-5), "a short pause is held"
    assert level_db[16 * RATE : 16 * RATE + 3 * RATE // 2] == pytest.approx(-11.0, abs=1e-5)
    assert level_db[: round(3.2 * RATE)] == pytest.approx(0.0)
    assert level_db[12 * RATE : round(15.2 * RATE)] == pytest.approx(0.0), "a long pause is not"
    assert level_db[round(3.6 * RATE)] == pytest.approx(-5.5, abs=0.001), "the ramp's middle"
    assert level_db[round(10.5 * RATE)] == pytest.approx(-5.5, abs=0.001)
    assert level_db.min() == pytest.approx(-11.0, abs=1e-5), "never twice"


def test_it_moves_smoothly() -> None:
    level_db = curve()
    steepest = 1.5 * 11.0  # of the smooth step, in dB over the ramp's length
    assert -np.diff(level_db).min() * RATE == pytest.approx(steepest / 0.8, rel=0.01)
    assert np.diff(level_db).max() * RATE == pytest.approx(steepest / 3.0, rel=0.01)


def test_ramps_never_meet_even_where_no_hold_was_asked_for() -> None:
    ducking = Ducking(11.0, 0.8, 3.0, 0.0)
    for gap_s in (0.0, 1.0, 3.7, 3.8, 3.9, 6.0):
        spans = ((4 * RATE, RATE), (round((5 + gap_s) * RATE), RATE))
        level_db = curve(ducking, spans)
        between = level_db[5 * RATE : round((5 + gap_s) * RATE)]
        if gap_s <= 3.8:
            assert between == pytest.approx(-11.0, abs=1e-5)
        else:
            assert between.max() == pytest.approx(0.0)
        assert level_db.min() == pytest.approx(-11.0, abs=1e-5)


def test_any_stretch_is_the_same_alone(narration: Narration, music: NDArray[np.float32]) -> None:
    voice = narration.voiced(0.7)
    whole = voice.over(music, 0)
    rng = np.random.default_rng(3)
    for _ in range(12):
        first, stop = sorted(rng.integers(0, FRAMES, 2))
        np.testing.assert_array_equal(voice.over(music[first:stop], int(first)), whole[first:stop])


def test_where_nobody_speaks_nothing_changes(narration: Narration, music: NDArray[np.float32]) -> None:
    whole = narration.voiced(0.7).over(music, 0)
    for first_s, stop_s in ((0.0, 3.2), (12.0, 15.2), (20.5, 24.0)):
        first, stop = round(first_s * RATE), round(stop_s * RATE)
        np.testing.assert_array_equal(whole[first:stop], music[first:stop])


def test_pieces_of_segments_add_up_wherever_they_are_cut_and_in_another_process(
    narration: Narration, segments: FinishedSegments
) -> None:
    voiced = VoicedSegments.of(segments, narration.voiced(0.7))
    whole = np.concatenate(list(voiced.blocks(0.5)))
    assert len(whole) == FRAMES
    sent = pickle.loads(pickle.dumps(voiced))
    for step in (5 * RATE, SEGMENT, 9 * RATE + 13):
        parts = [
            piece for first in range(0, FRAMES, step) for piece in sent.pieces(first, min(FRAMES, first + step), 0.5)
        ]  # fmt: skip
        np.testing.assert_array_equal(np.concatenate(parts), whole)


def rows(music: NDArray[np.float32]) -> dict[int, SegmentRow]:
    found = {}
    meter, peak = LoudnessMeter(RATE, true_peak=False), TruePeak()
    for index, first in enumerate(range(0, FRAMES, SEGMENT)):
        before = len(meter.steps())
        meter.push(music[first : first + SEGMENT])
        peak.push(music[first : first + SEGMENT])
        found[index] = SegmentRow(index, "", peak.value(), tuple(meter.steps()[before:]), {})
    return found


def test_the_loudness_of_the_whole_is_known_before_it_is_written(narration: Narration, music: NDArray[np.float32]) -> None:
    told = narrated_loudness(rows(music), narration, FRAMES)
    meter = LoudnessMeter(RATE)
    meter.push(narration.voiced(told.level).over(music, 0))
    measured = meter.result()
    assert told.integrated_lufs == pytest.approx(measured.integrated_lufs, abs=0.1)
    assert measured.true_peak_dbtp <= told.true_peak_db + 0.05
    assert told.true_peak_db < measured.true_peak_dbtp + 4.0, "the bound is of use"


@pytest.mark.parametrize("over_lu", [0.0, -3.0])
def test_the_voice_is_as_loud_as_the_music_alone(narration: Narration, music: NDArray[np.float32], over_lu: float) -> None:
    wanted = Narration(narration.speech, SPANS, DUCKING, over_lu)
    told = narrated_loudness(rows(music), wanted, FRAMES)
    alone, voice = LoudnessMeter(RATE), LoudnessMeter(RATE)
    alone.push(music)
    spoken = narration.read(0, sum(length for _, length in SPANS)) * np.float32(told.level)
    voice.push(np.repeat(spoken, 2, axis=1))
    assert voice.result().integrated_lufs - alone.result().integrated_lufs == pytest.approx(over_lu, abs=0.5)


def test_a_voice_that_is_silent_cut_short_or_gone_gets_one_sentence(tmp_path: Path, music: NDArray[np.float32]) -> None:
    silent = tmp_path / "silent.flac"
    soundfile.write(silent, np.zeros(sum(length for _, length in SPANS)), RATE)
    with pytest.raises(SoundError, match="silent"):
        narrated_loudness(rows(music), Narration(silent, SPANS, DUCKING), FRAMES)
    short = tmp_path / "short.flac"
    soundfile.write(short, np.zeros(RATE), RATE)
    for path in (short, tmp_path / "gone.flac"):
        with pytest.raises(SoundError, match="cannot be read"):
            Narration(path, SPANS, DUCKING).voiced(1.0).over(music, 0)

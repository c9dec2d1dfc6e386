"""Time-stretching and transposition: lengths, pitch, transients, seams."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.errors import UsageError
from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.dsp import stretch
from tests.unit.processing.made_sounds import audio_of, pitch_hz, samples_of, sine

RATE = 44_100


@pytest.mark.parametrize("ratio", [0.37, 0.8, 1.25, 1.9, 3.3])
def test_the_length_is_exact_and_the_pitch_stays(ratio: float) -> None:
    audio = audio_of(sine(220.0, 2.0))
    out = stretch.stretched(audio, ratio)
    samples = samples_of(out)
    assert len(samples) == out.frames == round(audio.frames * ratio)
    middle = samples[len(samples) // 4 : -len(samples) // 4, 0]
    assert abs(1200 * np.log2(pitch_hz(middle, RATE) / 220.0)) < 2.0


@pytest.mark.parametrize(
    ("frequency_hz", "semitones"), [(55.0, 3.0), (110.0, -7.0), (440.0, 12.0), (3_000.0, 0.37), (220.0, -12.0)]
)
def test_transposition_is_exact_to_two_cents_and_keeps_the_length(frequency_hz: float, semitones: float) -> None:
    audio = audio_of(sine(frequency_hz, 2.5))
    samples = samples_of(stretch.stretched(audio, 1.0, semitones))
    assert len(samples) == audio.frames
    middle = samples[len(samples) // 5 : -len(samples) // 5, 0]
    assert abs(1200 * np.log2(pitch_hz(middle, RATE) / (frequency_hz * 2 ** (semitones / 12)))) < 2.0
    level = 20 * np.log10(np.sqrt(np.mean(middle**2) * 2) / 0.5)
    assert abs(level) < 1.0


def test_transients_stay_sharper_than_a_phase_vocoder_leaves_them() -> None:
    rng = np.random.default_rng(1)
    samples = 0.1 * sine(220.0, 3.0)
    onsets = [round(RATE * at) for at in (0.5, 1.0, 1.5, 2.0, 2.5)]
    for onset in onsets:
        samples[onset : onset + 2000, 0] += 0.6 * rng.normal(size=2000) * np.exp(-np.arange(2000) / 200)
    for ratio in (0.75, 1.5):
        ours = _sharpness_db(samples_of(stretch.stretched(audio_of(samples), ratio))[:, 0], onsets, ratio)
        vocoder = _sharpness_db(_phase_vocoder(samples[:, 0], ratio), onsets, ratio)
        assert ours > vocoder + 6.0


def test_pieces_join_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretch, "_PIECE_SAMPLES", 1 << 16)
    samples = sine(330.0, 6.0) + 0.5 * sine(495.0, 6.0)
    out = samples_of(stretch.stretched(audio_of(samples), 1.3))[:, 0]
    assert len(out) == round(len(samples) * 1.3)
    beat = RATE * 2 // 165  # two periods of what the two tones have in common
    level = np.sqrt(np.convolve(out**2, np.ones(beat) / beat, mode="valid"))[RATE // 5 : -RATE // 5]
    assert 20 * np.log10(level.max() / level.min()) < 1.5


@pytest.mark.parametrize("block", [1, 997, 1 << 18])
def test_the_blocks_of_the_input_do_not_matter(block: int) -> None:
    samples = sine(330.0, 0.5)
    once = samples_of(stretch.stretched(audio_of(samples), 0.9, 2.0))
    again = samples_of(stretch.stretched(audio_of(samples, block=block), 0.9, 2.0))
    assert np.array_equal(once, again)


@pytest.mark.parametrize(
    ("frames", "channels", "rate"), [(1, 1, 44_100), (10, 2, 1), (300, 32, 8_000), (2_000, 3, 384_000), (0, 2, 44_100)]
)
def test_odd_shapes_survive(frames: int, channels: int, rate: int) -> None:
    samples = np.random.default_rng(3).normal(0, 0.1, (frames, channels)).astype(np.float32)
    out = stretch.stretched(audio_of(samples, rate), 1.5, -1.0)
    assert samples_of(out).shape == (out.frames, channels)
    assert np.isfinite(samples_of(out)).all()


def test_silence_stays_silent() -> None:
    assert not samples_of(stretch.stretched(audio_of(np.zeros((RATE, 2), np.float32)), 1.2, 3.0)).any()


def test_what_cannot_be_stretched_is_said() -> None:
    audio = audio_of(sine(220.0, 0.1))
    with pytest.raises(UsageError, match="times as long"):
        stretch.stretched(audio, 100.0)
    with pytest.raises(UsageError, match="semitones"):
        stretch.stretched(audio, 1.0, 99.0)


def test_nothing_to_do_returns_the_stream_itself() -> None:
    audio: Audio = audio_of(sine(220.0, 0.1))
    assert stretch.stretched(audio) is audio


def _sharpness_db(samples: NDArray[np.float32], onsets: list[int], ratio: float) -> float:
    """Energy above 2 kHz just after the onsets against that before them (pre-echo)."""
    from scipy.signal import butter, sosfiltfilt

    energy = sosfiltfilt(butter(4, 2_000, "highpass", fs=RATE, output="sos"), samples) ** 2
    figures = []
    for onset in onsets:
        at, before, after = round(onset * ratio), round(0.002 * RATE), round(0.012 * RATE)
        figures.append(energy[at - before : at + after].sum() / energy[at - round(0.06 * RATE) : at - before].sum())
    return float(10 * np.log10(np.median(figures)))


def _phase_vocoder(samples: NDArray[np.float32], ratio: float, window: int = 2048, hop: int = 512) -> NDArray[np.float32]:
    """The textbook one (Laroche and Dolson 1999, without phase locking)."""
    shape, bins = np.hanning(window + 1)[:-1], 2 * np.pi * np.arange(window // 2 + 1) / window
    padded = np.pad(samples.astype(np.float64), window)
    out = np.zeros(round(len(padded) * ratio) + 2 * window)
    phase = np.zeros(len(bins))
    for number in range(int((len(padded) - window) / hop * ratio) - 1):
        at = round(number * hop / ratio)
        now = np.fft.rfft(shape * padded[at : at + window])
        before = np.fft.rfft(shape * padded[max(0, at - hop) : max(0, at - hop) + window])
        advance = np.angle(now) - np.angle(before) - bins * hop
        phase = phase + (bins + (advance - 2 * np.pi * np.round(advance / (2 * np.pi))) / hop) * hop
        out[number * hop : number * hop + window] += shape * np.fft.irfft(np.abs(now) * np.exp(1j * phase)) / 1.5
    start = round(window * ratio)  # the centre of a window, not its start, keeps its place in time
    return out[start - round(window / 2 * (ratio - 1)) :][: round(len(samples) * ratio)].astype(np.float32)

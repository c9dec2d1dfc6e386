"""Recognition of events: streams, any rate, bounded memory, what the windows come to."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.describing.events import CHILDREN, LABELS, SCENES, recognise, shipped_model, summary, with_parents
from llm_music_gen.describing.events.features import LogMel, Resampler
from llm_music_gen.describing.events.model import MELS, OUTPUTS, WINDOW_FRAMES, Window
from llm_music_gen.errors import ModelError, SoundError


class Louder:
    """Says music where a window is loud."""

    name = "louder"
    thresholds = dict.fromkeys(LABELS, 0.5)

    def probabilities(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        assert log_mel.shape[1:] == (WINDOW_FRAMES, MELS)
        out = np.zeros((len(log_mel), OUTPUTS), dtype=np.float32)
        out[:, LABELS.index("Music")] = log_mel.mean(axis=(1, 2)) > -70
        out[:, len(LABELS)] = 1.0
        return out


def _cut(sound: NDArray[np.float32], random: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    at = 0
    while at < len(sound):
        size = int(random.integers(1, 30_000))
        yield sound[at : at + size]
        at += size


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_a_stream_in_odd_blocks_gives_what_the_whole_gives(rate_hz: int) -> None:
    random = np.random.default_rng(3)
    sound = random.normal(0, 0.1, (rate_hz * 13, 2)).astype(np.float32)
    model = shipped_model()
    whole = list(recognise([sound], rate_hz, model))
    stream = list(recognise(_cut(sound, random), rate_hz, model))
    assert [(one.start_s, one.end_s) for one in whole] == [(one.start_s, one.end_s) for one in stream]
    for one, other in zip(whole, stream, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
    assert whole[-1].end_s == pytest.approx(13, abs=0.05)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_resampling_keeps_a_tone(rate_hz: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate_hz) / rate_hz).astype(np.float32)
    resampler = Resampler(rate_hz)
    out = np.concatenate([resampler.push(tone), resampler.finish()])
    expected = np.sin(2 * np.pi * 1000 * np.arange(len(out)) / 16_000)
    assert len(out) == 16_000
    assert np.abs(out - expected)[500:-500].max() < 1e-3


def test_what_lies_above_the_new_band_does_not_fold_back() -> None:
    tone = np.sin(2 * np.pi * 9_500 * np.arange(44_100) / 44_100).astype(np.float32)
    resampler = Resampler(44_100)
    assert np.abs(np.concatenate([resampler.push(tone), resampler.finish()])[500:-500]).max() < 0.003


def test_memory_does_not_grow_with_the_length() -> None:
    def peak(blocks: int) -> int:
        block = np.random.default_rng(1).normal(0, 0.1, (16_000 * 5, 1)).astype(np.float32)
        tracemalloc.start()
        for _ in recognise((block for _ in range(blocks)), 16_000, Louder()):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(48) < 1.3 * peak(6)


def test_one_block_of_any_size_is_taken_in_pieces() -> None:
    sound = np.zeros((16_000 * 60, 1), dtype=np.float32)
    assert len(list(recognise([sound], 16_000, Louder()))) == 23


@pytest.mark.parametrize("frames", [0, 1, 511])
def test_what_is_too_short_to_hear_gives_no_windows(frames: int) -> None:
    windows = list(recognise([np.zeros((frames, 2), dtype=np.float32)], 16_000, Louder()))
    assert windows == []
    assert summary(windows, Louder()).heard == ()


def test_a_short_sound_fills_one_window() -> None:
    windows = list(recognise([np.full((8_000, 1), 0.5, dtype=np.float32)], 16_000, Louder()))
    assert len(windows) == 1
    assert windows[0].end_s == pytest.approx(0.5, abs=0.03)


def test_what_is_no_number_is_taken_for_silence() -> None:
    sound = np.full((16_000 * 6, 1), np.nan, dtype=np.float32)
    found = summary(recognise([sound], 16_000, shipped_model()), shipped_model())
    assert all(np.isfinite(value) for value in found.labels.values())


@pytest.mark.parametrize("rate_hz", [0, -1, 100, 10**9])
def test_an_impossible_rate_is_refused(rate_hz: int) -> None:
    with pytest.raises(SoundError, match="sample rate"):
        LogMel(rate_hz)


def test_spans_say_when_and_join_their_windows() -> None:
    quiet, loud = np.zeros((16_000 * 20, 1), dtype=np.float32), np.random.default_rng(1).normal(0, 0.3, (16_000 * 20, 1))
    found = summary(recognise([quiet, loud.astype(np.float32), quiet], 16_000, Louder()), Louder())
    assert found.heard == ("Music",)
    assert [span.label for span in found.spans] == ["Music"]
    assert found.spans[0].start_s == pytest.approx(20, abs=4)
    assert found.spans[0].end_s == pytest.approx(40, abs=4)
    assert found.shares["Music"] == pytest.approx(1 / 3, abs=0.12)
    assert found.scenes[SCENES[0]] == pytest.approx(1.0)


def test_a_child_brings_its_parents() -> None:
    assert with_parents({"Traffic"}) == {"Traffic", "Vehicle", "Sounds of things"}
    probabilities = np.zeros(OUTPUTS, dtype=np.float32)
    probabilities[LABELS.index("Bird")] = 0.9
    found = summary([Window(0, 5, probabilities)], Louder())
    assert set(found.heard) == {"Bird", "Animal"}
    assert found.labels["Animal"] >= found.labels["Bird"]


def test_the_hierarchy_names_labels_only() -> None:
    assert len(LABELS) == 15
    assert {*CHILDREN, *(child for children in CHILDREN.values() for child in children)} <= set(LABELS)


def test_a_model_that_answers_nonsense_is_refused_in_one_sentence() -> None:
    class Broken(Louder):
        def probabilities(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.full((len(log_mel), OUTPUTS), np.nan, dtype=np.float32)

    with pytest.raises(ModelError, match="event model answered"):
        list(recognise([np.zeros((16_000 * 6, 1), dtype=np.float32)], 16_000, Broken()))

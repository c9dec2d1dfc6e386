"""The model that ships and a user's own: sounds of families that training never heard, and files that are no model."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from llm_music_gen.describing.events import LABELS, recognise, shipped_model, summary, user_model
from llm_music_gen.describing.events.model import MELS, OUTPUTS, WINDOW_FRAMES
from llm_music_gen.describing.events.shipped import WEIGHTS, read_model
from llm_music_gen.describing.events.statistics import statistics
from llm_music_gen.errors import DependencyMissing, ModelError
from training.ears import music, nature, town
from training.ears.shaping import RATE_HZ


@pytest.mark.parametrize(
    ("make", "label"), [(nature.cascade, "Water"), (town.motorway, "Traffic"), (music.organ, "Music"), (nature.warblers, "Bird")]
)
def test_a_sound_of_a_family_that_training_never_heard_is_named(make: Any, label: str) -> None:
    model = shipped_model()
    likely = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        sound = 0.03 * make(random, 10 * RATE_HZ) + 0.002 * random.standard_normal(10 * RATE_HZ)
        found = summary(recognise([sound.astype(np.float32)[:, None]], RATE_HZ, model), model)
        likely.append(found.labels)
    others = [one for one in ("Water", "Traffic", "Music", "Bird") if one != label]
    mean = {one: np.mean([labels[one] for labels in likely]) for one in (label, *others)}
    assert all(mean[label] > mean[one] for one in others), mean


def test_nothing_is_called_silence() -> None:
    model = shipped_model()
    floor = np.random.default_rng(1).normal(0, 10 ** (-75 / 20), (RATE_HZ * 10, 1)).astype(np.float32)
    assert "Silence" in summary(recognise([floor], RATE_HZ, model), model).heard


def test_the_weights_are_small_and_answer_with_probabilities() -> None:
    assert WEIGHTS.stat().st_size < 3_000_000
    answer = shipped_model().probabilities(np.zeros((2, WINDOW_FRAMES, MELS), dtype=np.float32))
    assert answer.shape == (2, OUTPUTS)
    assert answer.min() >= 0
    assert answer.max() <= 1
    np.testing.assert_allclose(answer[:, len(LABELS) :].sum(axis=1), 1, atol=1e-5)


def test_the_gain_of_a_recording_moves_the_levels_only() -> None:
    window = np.random.default_rng(2).normal(-60, 6, (1, WINDOW_FRAMES, MELS)).astype(np.float32)
    moved = np.abs(statistics(window) - statistics(window + 12))[0]
    assert np.flatnonzero(moved > 1e-2).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x80\x04cos\nsystem\n"])
def test_a_broken_file_of_weights_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ears.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"ears\.npz is no event model"):
        read_model(path)


def test_no_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no event model"):
        user_model(tmp_path / "none.onnx")


def test_without_onnxruntime_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(DependencyMissing, match="pip install onnxruntime"):
        user_model(path)


class _Session:
    """Stands in for onnxruntime's."""

    answer: Any = None
    inputs = 1

    def __init__(self, *_: object, **__: object) -> None:
        if self.answer is None:
            raise RuntimeError("[ONNXRuntimeError] : 7 : INVALID_PROTOBUF\nmore\nlines")

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="x")] * self.inputs

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="y")]

    def run(self, _: object, feeds: dict[str, Any]) -> list[Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return [np.repeat(self.answer, len(feeds["x"]), axis=0)]


@pytest.mark.parametrize(
    ("answer", "inputs", "said"),
    [
        (None, 1, "cannot be read as an ONNX model"),
        (np.zeros((1, 3), dtype=np.float32), 1, "answered with shape"),
        (np.full((1, OUTPUTS), 7, dtype=np.float32), 1, "does not answer with probabilities"),
        (np.full((1, OUTPUTS), np.nan, dtype=np.float32), 1, "does not answer with probabilities"),
        (np.zeros((1, OUTPUTS), dtype=np.int64), 1, "answered with shape"),
        (RuntimeError("bad input"), 1, "failed: bad input"),
        (np.zeros((1, OUTPUTS), dtype=np.float32), 2, "has 2 inputs"),
    ],
)
def test_a_hostile_onnx_is_refused_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Any, inputs: int, said: str
) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"\x08\x07hostile")
    session = type("Session", (_Session,), {"answer": answer, "inputs": inputs})
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=session))
    with pytest.raises(ModelError, match=said) as caught:
        user_model(path)
    assert "\n" not in str(caught.value)


def test_a_user_s_model_takes_the_place_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"x")
    answer = np.zeros((1, OUTPUTS), dtype=np.float32)
    answer[0, LABELS.index("Wind")] = 0.9
    session = type("Session", (_Session,), {"answer": answer})
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=session))
    model = user_model(path)
    found = summary(recognise([np.zeros((RATE_HZ * 12, 1), dtype=np.float32)], RATE_HZ, model), model)
    assert set(found.heard) == {"Wind", "Natural sounds"}

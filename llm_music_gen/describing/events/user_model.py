"""A user's own event model in ONNX. The only module that imports onnxruntime, and only when such a model is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.labels import LABELS
from llm_music_gen.describing.events.model import MELS, OUTPUTS, WINDOW_FRAMES
from llm_music_gen.errors import DependencyMissing, ModelError

_WANTED = f"It has to take one float32 input (windows, {WINDOW_FRAMES}, {MELS}) and give one output (windows, {OUTPUTS})."
_LARGEST_BYTES = 2_000_000_000
_THRESHOLD = 0.4


@dataclass(frozen=True)
class UserModel:
    """`model.EventModel` over an ONNX file: log-mel in dB in, probabilities of LABELS and SCENES out."""

    name: str
    session: Any
    input_name: str
    thresholds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(LABELS, _THRESHOLD))

    def probabilities(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `model.EventModel`."""
        try:
            answers = self.session.run(None, {self.input_name: np.ascontiguousarray(log_mel, dtype=np.float32)})
        except Exception as error:  # onnxruntime's errors have no common root but this
            raise ModelError(f"The event model {self.name} failed: {_first_line(error)}.", hint=_WANTED) from error
        answer = np.asarray(answers[0])
        if answer.shape != (len(log_mel), OUTPUTS) or answer.dtype.kind != "f":
            raise ModelError(f"The event model {self.name} answered with shape {answer.shape}.", hint=_WANTED)
        return np.asarray(answer, dtype=np.float32)


def user_model(path: Path) -> UserModel:
    """The model in an ONNX file. One window of silence is tried at once. Raises ModelError for a file that is no such model and
    DependencyMissing without onnxruntime."""
    if not path.is_file():
        raise ModelError(f"There is no event model at {path}.", hint="Give the path of an .onnx file.")
    if not 0 < path.stat().st_size <= _LARGEST_BYTES:
        raise ModelError(f"{path} is empty or larger than 2 GB.", hint=_WANTED)
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise DependencyMissing("An event model in ONNX needs onnxruntime.", hint='Run "pip install onnxruntime".') from error
    try:
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 4
        session = runtime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
        inputs, outputs = session.get_inputs(), session.get_outputs()
    except Exception as error:  # onnxruntime's errors have no common root but this
        raise ModelError(f"{path} cannot be read as an ONNX model ({_first_line(error)}).", hint=_WANTED) from error
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs.", hint=_WANTED)
    model = UserModel(path.name, session, inputs[0].name)
    answer = model.probabilities(np.full((1, WINDOW_FRAMES, MELS), -100.0, dtype=np.float32))
    if not (np.isfinite(answer).all() and answer.min() >= -1e-3 and answer.max() <= 1.001):
        raise ModelError(f"The event model {path.name} does not answer with probabilities from 0 to 1.", hint=_WANTED)
    return model


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200].rstrip(".") or type(error).__name__

"""Hearing by Whisper through whisper.cpp, with a model file of the user's. The only module that imports pywhispercpp.

Written to pywhispercpp 1.5: `Model(path).transcribe(samples)` giving segments with times in hundredths of a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import DependencyMissing, SoundError
from llm_music_gen.voice.ports import Heard


class Whisper:
    """`ports.Listener` over one ggml model file."""

    def __init__(self, model: Path, language: str = "") -> None:
        self._path = model
        self._language = language or "auto"
        self._model: Any = None

    def hear(self, samples: NDArray[np.float32], start_s: float) -> tuple[Heard, ...]:
        """See `ports.Listener`."""
        try:
            from pywhispercpp.model import Model
        except ImportError as error:
            raise DependencyMissing("Whisper models need pywhispercpp.", hint='Run "pip install pywhispercpp".') from error
        try:
            if self._model is None:
                self._model = Model(str(self._path), print_progress=False, print_realtime=False)
            segments = self._model.transcribe(samples, language=self._language, extract_probability=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise SoundError(f"{self._path.name} cannot be used ({error}).", hint="Give a ggml model of Whisper.") from error
        return tuple(
            Heard(str(segment.text).strip(), start_s + segment.t0 / 100, start_s + segment.t1 / 100, _known(segment.probability))
            for segment in segments
            if str(segment.text).strip()
        )


def _known(probability: float) -> float:
    return float(probability) if np.isfinite(probability) else 0.5

"""Hearing by Whisper through whisper.cpp, with a model file of the user's. The only module that imports pywhispercpp.

Written to pywhispercpp 1.5: `Model(path).transcribe(samples)` giving segments with times in hundredths of a second.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import DependencyMissing, SoundError, UsageError
from llm_music_gen.voice.ports import HEARING_RATE_HZ, Heard

#: A model begins with this number.
_MAGIC = 0x67676D6C
#: The smallest has 30 MB. Of what is cut off earlier, whisper.cpp may read sizes that are none.
_SMALLEST_BYTES = 1_000_000
_HINT = "Give a ggml model of Whisper (ggml-*.bin)."


class Whisper:
    """`ports.Listener` over one ggml model file."""

    def __init__(self, model: Path, language: str = "") -> None:
        """`language` is a code as in en, de; "" lets the model find out."""
        self._path = model
        self._language = language.strip().lower()
        self._model: Any = None

    def hear(self, samples: NDArray[np.float32], start_s: float) -> tuple[Heard, ...]:
        """See `ports.Listener`. Raises UsageError for a language that the model does not know."""
        try:
            from pywhispercpp import model as binding
        except ImportError as error:
            raise DependencyMissing("Whisper models need pywhispercpp.", hint='Run "pip install pywhispercpp".') from error
        if self._model is None:
            self._model = self._loaded(binding)
        length_s = len(samples) / HEARING_RATE_HZ
        sound = np.ascontiguousarray(samples, dtype=np.float32)
        try:
            with _chatter(binding):
                segments = self._model.transcribe(sound, language=self._language, extract_probability=True)
        except (OSError, ValueError, RuntimeError, LookupError) as error:
            raise SoundError(f"{self._path.name} cannot be used ({error}).", hint=_HINT) from error
        return tuple(
            Heard(
                str(segment.text).strip(),
                start_s + min(segment.t0 / 100, length_s),
                # The model fills up what it hears to half a minute, and may place the end in there.
                start_s + min(segment.t1 / 100, length_s),
                _known(segment.probability),
            )
            for segment in segments
            if str(segment.text).strip()
        )

    def _loaded(self, binding: Any) -> Any:
        try:
            with self._path.open("rb") as file:
                start = file.read(4)
            if self._path.stat().st_size < _SMALLEST_BYTES or struct.unpack("<I", start)[0] != _MAGIC:
                raise SoundError(f"{self._path.name} is no Whisper model.", hint=_HINT)
            with _chatter(binding) as lines:
                model = binding.Model(str(self._path), print_progress=False, print_realtime=False)
        except (OSError, ValueError, RuntimeError, LookupError) as error:
            raise SoundError(f"{self._path.name} cannot be used ({error}).", hint=_HINT) from error
        # Only its log says that there is no model; whatever is asked of it then ends the program.
        if any("failed to" in line for line in lines):
            raise SoundError(f"{self._path.name} is damaged or no Whisper model.", hint=_HINT)
        if self._language and self._language not in model.available_languages():
            raise UsageError(f"Whisper knows no language {self._language!r}.", hint="Give a code like en, de or ja.")
        if not binding.pw.whisper_is_multilingual(model._ctx):
            if self._language not in ("", "en"):
                raise UsageError(
                    f"{self._path.name} understands English only.",
                    hint="Other languages need a model without .en in its name.",
                )
            # Without it half of the time would go into guessing a language.
            self._language = "en"
        return model


@contextmanager
def _chatter(binding: Any) -> Iterator[list[str]]:
    """What whisper.cpp says meanwhile, kept off the screen of the app. A logger in Python must not outlive Python."""
    lines: list[str] = []
    binding.pw.whisper_log_set(lambda *words: lines.append(" ".join(str(word) for word in words)))
    try:
        yield lines
    finally:
        binding.pw.whisper_log_set(None)


def _known(probability: float) -> float:
    return float(probability) if np.isfinite(probability) else 0.5

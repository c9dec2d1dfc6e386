"""Speech by Piper, with voices that the user has put into the models' folder. The only module that imports piper.

Written to piper-tts 1.x: `PiperVoice.load`, `synthesize` giving chunks of floats.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from llm_music_gen.errors import DependencyMissing, SoundError, UsageError
from llm_music_gen.voice.ports import Spoken, Voice

PREFIX = "piper:"
#: What its voices speak at their usual length.
_USUAL_WPM = 165


class Piper:
    """`ports.Speaker` over the `*.onnx` voices with their `*.onnx.json` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, Any] = {}

    def voices(self) -> tuple[Voice, ...]:
        """The voices found in the folder and those within it."""
        found = sorted(path for path in self._folder.rglob("*.onnx") if path.with_name(path.name + ".json").is_file())
        return tuple(
            Voice(PREFIX + path.stem, path.stem.split("-")[0].replace("_", "-").lower(), f"Piper, {path.name}", "piper")
            for path in found
        )

    def speak(self, text: str, voice: str, rate_wpm: int) -> Spoken:
        """See `ports.Speaker`. Raises UsageError for a voice that is not there."""
        try:
            from piper import PiperVoice, SynthesisConfig
        except ImportError as error:
            raise DependencyMissing("Piper's voices need piper-tts.", hint='Run "pip install piper-tts".') from error
        stem = voice.removeprefix(PREFIX)
        path = next((path for path in self._folder.rglob("*.onnx") if path.stem == stem), None)
        if path is None:
            raise UsageError(f"There is no voice {voice!r}.", hint='"llm-music-gen voices" lists them.')
        logging.getLogger("piper").setLevel(logging.ERROR)  # sounds that a voice lacks are no news to the user
        # What stands in [[ ]] would be taken for phonemes.
        plain = text.replace("[", " ").replace("]", " ")
        try:
            if stem not in self._loaded:
                self._loaded[stem] = PiperVoice.load(str(path))
            loaded = self._loaded[stem]
            config = SynthesisConfig(length_scale=loaded.config.length_scale * _USUAL_WPM / max(1, rate_wpm))
            chunks = list(loaded.synthesize(plain, syn_config=config))
        except Exception as error:  # onnxruntime's errors have no common root but this, and any file may pose as a voice
            raise SoundError(f"{path.name} cannot speak ({_first_line(error)}).", hint="Choose another voice.") from error
        if not chunks:
            return Spoken(np.zeros(0, dtype=np.float32), 22_050)
        samples = np.concatenate([np.asarray(chunk.audio_float_array, dtype=np.float32) for chunk in chunks])
        return Spoken(samples, int(chunks[0].sample_rate))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:200].rstrip(".") or type(error).__name__

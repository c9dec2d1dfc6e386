"""Speech by eSpeak NG, which comes with its voices in a package: robotic, quick, offline. The only module that loads it."""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path
from typing import Any

import numpy as np

from llm_music_gen.errors import DependencyMissing, SoundError, UsageError
from llm_music_gen.voice.ports import Spoken, Voice

#: Our name, the library's name, what it is like.
_VOICES = (
    ("nora", "en-us+f3", "en-us", "American, female"),
    ("adam", "en-us", "en-us", "American, male"),
    ("beth", "en+f2", "en-gb", "British, female"),
    ("ian", "en", "en-gb", "British, male"),
    ("grace", "en-us+f5", "en-us", "American, female, low"),
    ("whisper", "en-us+whisperf", "en-us", "whispered"),
    ("greta", "de+f2", "de", "German, female"),
    ("carlos", "es+m3", "es", "Spanish, male"),
    ("claire", "fr+f3", "fr", "French, female"),
    ("giulia", "it+f2", "it", "Italian, female"),
)
_RETRIEVAL, _DONT_EXIT, _UTF8, _RATE = 1, 0x8000, 1, 1
_SLOWEST_WPM, _FASTEST_WPM = 80, 400
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
#: Breath is noise, which shall be the same in each run of the program. Within one run the phase of the voice's flutter goes on
#: from text to text, so that a text spoken again differs by a few milliseconds.
_SEED = 1
_lock = threading.Lock()


class Espeak:
    """`ports.Speaker`. The library holds one state for the whole process, so that calls wait for each other."""

    _library: Any = None
    _sample_rate_hz = 0

    def voices(self) -> tuple[Voice, ...]:
        """The voices that are offered."""
        return tuple(Voice(name, language, description, "espeak") for name, _, language, description in _VOICES)

    def speak(self, text: str, voice: str, rate_wpm: int) -> Spoken:
        """See `ports.Speaker`. Raises UsageError for an unknown voice."""
        inner = next((inner for name, inner, _, _ in _VOICES if name == voice), None)
        if inner is None:
            raise UsageError(f"There is no voice {voice!r}.", hint='"llm-music-gen voices" lists them.')
        with _lock:
            library = self._loaded()
            if library.espeak_SetVoiceByName(inner.encode()) != 0:
                raise SoundError(f"The voice {voice} cannot be loaded.", hint="Install espeakng-loader again.")
            library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
            library.espeak_SetParameter(_RATE, max(_SLOWEST_WPM, min(_FASTEST_WPM, rate_wpm)), 0)
            pieces: list[np.ndarray[Any, Any]] = []

            def take(samples: Any, count: int, _events: Any) -> int:
                if samples and count > 0:
                    pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
                return 0

            kept = _CALLBACK(take)  # the library calls it until the text is spoken
            library.espeak_SetSynthCallback(kept)
            data = text.encode("utf-8", "replace").replace(b"\x00", b" ") + b"\x00"
            if library.espeak_Synth(data, len(data), 0, 0, 0, _UTF8, None, None) != 0:
                raise SoundError("The text cannot be spoken.", hint="Give plain words.")
            library.espeak_Synchronize()
        samples = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16)
        return Spoken(samples.astype(np.float32) / 32_768.0, Espeak._sample_rate_hz)

    @classmethod
    def _loaded(cls) -> Any:
        if cls._library is None:
            try:
                import espeakng_loader
            except ImportError as error:
                raise DependencyMissing("Speaking needs eSpeak NG.", hint='Run "pip install espeakng-loader".') from error
            try:
                library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
            except OSError as error:
                raise DependencyMissing(
                    f"eSpeak NG cannot be loaded ({error}).", hint="Install espeakng-loader again."
                ) from error
            data = str(Path(str(espeakng_loader.get_data_path())).parent)
            library.espeak_Synth.argtypes = [
                ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p,
                ctypes.c_void_p,
            ]  # fmt: skip
            rate = library.espeak_Initialize(_RETRIEVAL, 0, data.encode(), _DONT_EXIT)
            if rate <= 0:
                raise DependencyMissing("eSpeak NG does not find its voices.", hint="Install espeakng-loader again.")
            cls._library, cls._sample_rate_hz = library, rate
        return cls._library

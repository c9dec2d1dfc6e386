"""FluidSynth behind a small port: one note of one preset at a time, as samples. The only module that imports fluidsynth.

Notes add up exactly (no effects inside the synth), so a song is the sum of its notes and each is rendered only once.
Tuning other than A4 = 440 Hz is exact by telling the synth another sample rate and playing the result at the real one:
FluidSynth's own tuning stops at whole cents.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError, SoundfontMissing
from llm_music_gen.units import SAMPLE_RATE_HZ

#: FluidSynth works in blocks of this many frames; notes that start on its multiples are the same samples bit for bit.
BLOCK = 64
#: A release is followed until it is this quiet, and no longer than this.
_SILENCE = 10.0 ** (-80 / 20)
_LONGEST_TAIL_S = 4.0
_CHUNK = 4_096
DRUM_BANK = 128


class NoteSynth(Protocol):
    """Renders single notes. Implementers must be deterministic: the same arguments give the same samples."""

    def note(self, bank: int, program: int, pitch: int, velocity: int, length_frames: int) -> NDArray[np.float32]:
        """A note held for `length_frames` and its release, shape (frames, 2); no frames when the preset has none."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


class FluidNoteSynth:
    """FluidSynth as a NoteSynth. `a4_hz` tunes everything."""

    def __init__(self, soundfont: Path, a4_hz: float = 440.0) -> None:
        fluidsynth = _library()
        self._write = _float_writer(fluidsynth)
        self._synth = fluidsynth.Synth(gain=0.5, samplerate=SAMPLE_RATE_HZ * 440.0 / a4_hz, channels=16)
        for name, value in (("synth.reverb.active", 0), ("synth.chorus.active", 0), ("synth.polyphony", 64)):
            self._synth.setting(name, value)
        self._font = self._synth.sfload(str(soundfont))
        if self._font == -1:
            self._synth.delete()
            raise SoundfontMissing(f"{soundfont} cannot be loaded by FluidSynth.", hint="Choose another soundfont.")
        self._selected: tuple[int, int] | None = None

    def note(self, bank: int, program: int, pitch: int, velocity: int, length_frames: int) -> NDArray[np.float32]:
        """A note held for `length_frames` (rounded to blocks of 64) and its release, shape (frames, 2)."""
        if not self._select(bank, program):
            return np.zeros((0, 2), dtype=np.float32)
        self._prime(pitch, velocity)
        held = max(1, round(length_frames / BLOCK)) * BLOCK
        self._synth.noteon(0, pitch, velocity)
        pieces = [self._frames(held)]
        self._synth.noteoff(0, pitch)
        tail_left = int(_LONGEST_TAIL_S * SAMPLE_RATE_HZ)
        while tail_left > 0:
            piece = self._frames(_CHUNK)
            pieces.append(piece)
            tail_left -= _CHUNK
            if np.abs(piece).max() < _SILENCE:
                break
        self._reset()
        return _faded(np.concatenate(pieces))

    def close(self) -> None:
        """Free the memory."""
        self._synth.delete()

    def _prime(self, pitch: int, velocity: int) -> None:
        """Play two blocks of the note and throw them away.

        A voice of FluidSynth's begins at the loudness at which its last note ended, for one block; this makes that the same
        whatever was played before.
        """
        bank_program = self._selected
        self._synth.noteon(0, pitch, velocity)
        self._frames(2 * BLOCK)
        self._reset()
        if bank_program is not None:
            self._select(*bank_program)

    def _reset(self) -> None:
        """Back to silence, exactly: what still rings would be heard, however faintly, in the next note."""
        self._synth.system_reset()
        self._selected = None
        for _ in range(64):
            if not self._frames(_CHUNK).any():
                return

    def _select(self, bank: int, program: int) -> bool:
        if self._selected == (bank, program):
            return True
        for candidate in _substitutes(bank, program):
            if self._synth.program_select(0, self._font, *candidate) == 0:
                # General MIDI volume and pan start at 100 and 64; full volume keeps the mix's own gains meaningful.
                self._synth.cc(0, 7, 127)
                self._selected = (bank, program)
                return True
        return False

    def _frames(self, count: int) -> NDArray[np.float32]:
        out = np.empty((count, 2), dtype=np.float32)
        pointer = out.ctypes.data_as(ctypes.c_void_p)
        if self._write(self._synth.synth, count, pointer, 0, 2, pointer, 1, 2) != 0:
            raise SoundError("FluidSynth stopped while rendering.", hint="Try another soundfont.")
        return out


def fluidsynth_version() -> str:
    """The version of the FluidSynth library. Raises SoundError when there is none."""
    _library()
    import fluidsynth

    library = ctypes.CDLL(fluidsynth.lib)
    library.fluid_version_str.restype = ctypes.c_char_p
    return str(library.fluid_version_str().decode())


def _substitutes(bank: int, program: int) -> list[tuple[int, int]]:
    """The preset asked for, then what General MIDI offers nearest to it."""
    if bank == DRUM_BANK:
        return [(DRUM_BANK, program), (DRUM_BANK, program // 8 * 8), (DRUM_BANK, 0)]
    return [(bank, program), (0, program), (0, program // 8 * 8), (0, 0)]


def _faded(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The last 10 ms faded, so that a tail that was cut does not click."""
    fade = min(441, len(samples))
    samples[-fade:] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)[:, None]
    return samples


def _library() -> Any:
    try:
        # The binding prints where it found the library; standard output belongs to the song's own report.
        with contextlib.redirect_stdout(io.StringIO()):
            import fluidsynth
    except (ImportError, OSError, AttributeError) as error:
        raise SoundError("FluidSynth is not installed.", hint=_how_to_install()) from error
    _silence(fluidsynth)
    return fluidsynth


def _how_to_install() -> str:
    if sys.platform == "win32":
        return 'Run "winget install FluidSynth.FluidSynth" or unpack its zip to C:\\tools\\fluidsynth.'
    if sys.platform == "darwin":
        return 'Run "brew install fluid-synth".'
    return 'Run "sudo apt-get install libfluidsynth3" (or your system\'s fluidsynth package).'


def _float_writer(fluidsynth: Any) -> Any:
    """`fluid_synth_write_float`, which the binding does not offer, out of the library that it has loaded."""
    write = ctypes.CDLL(fluidsynth.lib).fluid_synth_write_float
    write.restype = ctypes.c_int
    write.argtypes = [
        ctypes.c_void_p, ctypes.c_int,
        ctypes.c_void_p, ctypes.c_int, ctypes.c_int,
        ctypes.c_void_p, ctypes.c_int, ctypes.c_int,
    ]  # fmt: skip
    return write


def _silence(fluidsynth: Any) -> None:
    """FluidSynth prints warnings to the terminal unless it is told not to."""
    library = ctypes.CDLL(fluidsynth.lib)
    library.fluid_set_log_function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    library.fluid_set_log_function.restype = ctypes.c_void_p
    for level in range(5):
        library.fluid_set_log_function(level, None, None)

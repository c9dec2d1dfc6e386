"""FluidSynth behind a small port: one note of one preset at a time, as samples. The only module that imports fluidsynth.

Notes add up exactly (no effects inside the synth), so a song is the sum of its notes and each is rendered only once.
Tuning other than A4 = 440 Hz is exact by telling the synth another sample rate and playing the result at the real one:
FluidSynth's own tuning stops at whole cents. Where frequencies are promised every note gets a rate of its own, which takes
back the error of its samples and puts it where just intonation wants it; that costs nothing.
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

from llm_music_gen.domain.score import Intonation, Part
from llm_music_gen.errors import SoundError, SoundfontMissing
from llm_music_gen.sound.calibration import Calibration, Hold
from llm_music_gen.tuning.intonation import cents_from_equal
from llm_music_gen.units import SAMPLE_RATE_HZ, cents_to_ratio, ql_to_seconds

#: FluidSynth works in blocks of this many frames; notes that start on its multiples are the same samples bit for bit.
BLOCK = 64
#: A release is followed until it is this quiet, and no longer than this.
_SILENCE = 10.0 ** (-80 / 20)
_LONGEST_TAIL_S = 4.0
_CHUNK = 4_096
DRUM_BANK = 128
#: SoundFont 2.04, generator 52: tuning in cents.
_FINE_TUNE = 52
_ORDINARY = Intonation()


class NoteSynth(Protocol):
    """Renders single notes. Implementers must be deterministic: the same arguments give the same samples."""

    def note(self, bank: int, program: int, pitch: int, velocity: int, length_frames: int) -> NDArray[np.float32]:
        """A note held for `length_frames` and its release, shape (frames, 2); no frames when the preset has none."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


class FluidNoteSynth:
    """FluidSynth as a NoteSynth. `a4_hz` tunes everything; an exact or just intonation puts every single note right."""

    def __init__(
        self, soundfont: Path, a4_hz: float = 440.0, intonation: Intonation = _ORDINARY, *, cache_dir: Path | None = None
    ) -> None:
        fluidsynth = _library()
        self._write = _float_writer(fluidsynth)
        self._set_rate, self._set_generator = _rate_setter(fluidsynth), _generator_setter(fluidsynth)
        self._rate_hz = self._current_rate_hz = SAMPLE_RATE_HZ * 440.0 / a4_hz
        self._intonation = intonation
        self._synth = fluidsynth.Synth(gain=0.5, samplerate=self._rate_hz, channels=16)
        for name, value in (("synth.reverb.active", 0), ("synth.chorus.active", 0), ("synth.polyphony", 64)):
            self._synth.setting(name, value)
        # Only presets that are played are read, and stay: a whole soundfont in each process would fill small machines.
        self._pin = _pinner(fluidsynth)
        self._pinned: set[tuple[int, int]] = set()
        if self._pin is not None:
            self._synth.setting("synth.dynamic-sample-loading", 1)
        self._font = self._synth.sfload(str(soundfont))
        if self._font == -1:
            self._synth.delete()
            raise SoundfontMissing(f"{soundfont} cannot be loaded by FluidSynth.", hint="Choose another soundfont.")
        self._selected: tuple[int, int] | None = None
        self._preset: tuple[int, int] = (0, 0)
        self._calibration: Calibration | None = None
        self._soundfont, self._cache_dir = soundfont, cache_dir

    def note(self, bank: int, program: int, pitch: int, velocity: int, length_frames: int) -> NDArray[np.float32]:
        """A note held for `length_frames` (rounded to blocks of 64) and its release, shape (frames, 2)."""
        if not self._select(bank, program):
            return np.zeros((0, 2), dtype=np.float32)
        if not self._corrects or bank == DRUM_BANK:
            return self._sounding(bank, program, pitch, velocity, length_frames, self._rate_hz, steady=False)
        error_cents = self._hold(pitch, velocity).error_cents
        ratio = cents_to_ratio(cents_from_equal(pitch, self._intonation) - error_cents)
        return self._sounding(bank, program, pitch, velocity, length_frames, self._rate_hz / ratio, steady=True)

    def hold(self, bank: int, program: int, pitch: int, velocity: int = 100) -> Hold | None:
        """How the preset keeps its pitch at a key, or None when there is none."""
        return self._hold(pitch, velocity) if self._select(bank, program) else None

    def close(self) -> None:
        """Free the memory."""
        if self._calibration is not None:
            self._calibration.save()
        self._synth.delete()

    @property
    def _corrects(self) -> bool:
        return self._intonation.exact or self._intonation.system != "equal"

    def _hold(self, pitch: int, velocity: int) -> Hold:
        """Of the preset that is selected, which may be a substitute."""
        if self._calibration is None:
            self._calibration = Calibration(
                self._soundfont, self._uncorrected, made_by=f"FluidSynth {fluidsynth_version()}", cache_dir=self._cache_dir
            )
        return self._calibration.hold(*self._preset, pitch, velocity)

    def _uncorrected(self, bank: int, program: int, pitch: int, velocity: int, length_frames: int) -> NDArray[np.float32]:
        return self._sounding(bank, program, pitch, velocity, length_frames, SAMPLE_RATE_HZ, steady=True)

    def _sounding(
        self, bank: int, program: int, pitch: int, velocity: int, length_frames: int, rate_hz: float, *, steady: bool
    ) -> NDArray[np.float32]:
        """The note as it sounds when the synth believes in `rate_hz`; `steady` makes all keys of a region equally wrong."""
        if rate_hz != self._current_rate_hz:
            self._set_rate(self._synth.synth, rate_hz)
            self._current_rate_hz = rate_hz
        self._select(bank, program)
        self._prime(pitch, velocity, steady)
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

    def _prime(self, pitch: int, velocity: int, steady: bool) -> None:
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
        if steady:
            # The synth cuts pitches down to whole cents, and rounding puts some keys just under one. Half a cent more keeps
            # all of them clear of the edge; it is cut off again.
            self._set_generator(self._synth.synth, 0, _FINE_TUNE, 0.5)

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
                if self._pin is not None and candidate not in self._pinned:
                    self._pin(self._synth.synth, self._font, *candidate)
                    self._pinned.add(candidate)
                self._selected, self._preset = (bank, program), candidate
                return True
        return False

    def _frames(self, count: int) -> NDArray[np.float32]:
        out = np.empty((count, 2), dtype=np.float32)
        pointer = out.ctypes.data_as(ctypes.c_void_p)
        if self._write(self._synth.synth, count, pointer, 0, 2, pointer, 1, 2) != 0:
            raise SoundError("FluidSynth stopped while rendering.", hint="Try another soundfont.")
        return out


def holds_pitch(soundfont: Path, bank: int, program: int, key: int) -> Hold:
    """How a preset keeps its pitch at a key: its own error in cents, how far it wavers, and whether it can be made exact.

    What was measured is remembered; asking many keys of one soundfont is cheaper with `FluidNoteSynth.hold`.
    Raises SoundError, SoundfontMissing.
    """
    synth = FluidNoteSynth(soundfont)
    try:
        return synth.hold(bank, program, key) or Hold(0.0, 0.0, False)
    finally:
        synth.close()


def steady_share(soundfont: Path, part: Part, quarter_bpm: float, shortest_s: float = 2.0) -> float:
    """Share (0 to 1) of a part's notes of `shortest_s` and more that its preset can hold on pitch; 1 where there are none.

    Where a frequency is promised, parts with less are better played by another preset or by one of the studio's own voices,
    which are exact. Raises SoundError, SoundfontMissing.
    """
    keys = [note.pitch for note in part.notes if ql_to_seconds(note.duration_ql, quarter_bpm) >= shortest_s]
    if part.is_drums or part.voice or not keys:
        return 1.0
    synth = FluidNoteSynth(soundfont)
    try:
        holds = {key: synth.hold(part.bank, part.program, key) for key in set(keys)}
    finally:
        synth.close()
    return sum(hold is not None and hold.holds for hold in map(holds.__getitem__, keys)) / len(keys)


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


def _pinner(fluidsynth: Any) -> Any:
    """`fluid_synth_pin_preset`, which keeps a preset's samples in memory; None before FluidSynth 2.2."""
    pin = getattr(ctypes.CDLL(fluidsynth.lib), "fluid_synth_pin_preset", None)
    if pin is not None:
        pin.restype = ctypes.c_int
        pin.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    return pin


def _rate_setter(fluidsynth: Any) -> Any:
    """`fluid_synth_set_sample_rate`: only ever called while nothing sounds, as its documentation asks for."""
    set_rate = ctypes.CDLL(fluidsynth.lib).fluid_synth_set_sample_rate
    set_rate.restype = None
    set_rate.argtypes = [ctypes.c_void_p, ctypes.c_float]
    return set_rate


def _generator_setter(fluidsynth: Any) -> Any:
    """`fluid_synth_set_gen`: an offset to a generator of a channel, until the next reset."""
    set_generator = ctypes.CDLL(fluidsynth.lib).fluid_synth_set_gen
    set_generator.restype = ctypes.c_int
    set_generator.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_float]
    return set_generator


def _silence(fluidsynth: Any) -> None:
    """FluidSynth prints warnings to the terminal unless it is told not to."""
    library = ctypes.CDLL(fluidsynth.lib)
    library.fluid_set_log_function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    library.fluid_set_log_function.restype = ctypes.c_void_p
    for level in range(5):
        library.fluid_set_log_function(level, None, None)

"""Notes rendered once: a cache between the mix and whatever makes the sound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.score import Intonation, Part, PlayedNote
from llm_music_gen.sound.spill import Spill
from llm_music_gen.sound.synth import BLOCK, DRUM_BANK, NoteSynth
from llm_music_gen.sound.voices import Voice, voice_named
from llm_music_gen.tuning.intonation import cents_from_equal
from llm_music_gen.units import SAMPLE_RATE_HZ, cents_to_ratio

#: Lengths and velocities are rounded to these steps, so that notes that sound alike are one note (12 ms, 4 of 127).
_LENGTH_STEP = 8 * BLOCK
_VELOCITY_STEP = 4
#: Drum sounds ring by themselves; how long the stick rests does not matter.
_DRUM_LENGTH = SAMPLE_RATE_HZ // 4 // BLOCK * BLOCK
_MOST_BYTES = 160_000_000
_ORDINARY = Intonation()

_Key = tuple[str, int, int, int, int, int]


class NoteCache:
    """Samples of notes by preset, pitch, velocity and length; the longest unused go when it is full."""

    def __init__(
        self,
        synth: NoteSynth,
        a4_hz: float,
        quarter_bpm: float,
        most_bytes: int = _MOST_BYTES,
        intonation: Intonation = _ORDINARY,
        spill: Spill[_Key] | None = None,
    ) -> None:
        """`spill` takes what does not fit into `most_bytes`, for music in which notes come back after minutes."""
        self._synth = synth
        self._intonation = intonation
        self._a4_hz = a4_hz
        self._quarter_bpm = quarter_bpm
        self._most_bytes = most_bytes
        self._bytes = 0
        self._samples: OrderedDict[_Key, NDArray[np.float32]] = OrderedDict()
        self._spill = spill

    def samples(self, part: Part, note: PlayedNote, length_frames: int) -> NDArray[np.float32]:
        """A note's samples with its release, shape (frames, 2). Not to be written to."""
        velocity = min(127, max(_VELOCITY_STEP, round(note.velocity / _VELOCITY_STEP) * _VELOCITY_STEP))
        length = _DRUM_LENGTH if part.is_drums else max(1, round(length_frames / _LENGTH_STEP)) * _LENGTH_STEP
        bank = DRUM_BANK if part.is_drums else part.bank
        key = (part.voice, bank, part.program, note.pitch, velocity, length)
        if key in self._samples:
            self._samples.move_to_end(key)
            return self._samples[key]
        spilled = self._spill.get(key) if self._spill is not None else None
        samples = self._render(key) if spilled is None else spilled
        if self._spill is not None:
            self._spill.put(key, samples)
        self._samples[key] = samples
        self._bytes += samples.nbytes
        while self._bytes > self._most_bytes and len(self._samples) > 1:
            _, dropped = self._samples.popitem(last=False)
            self._bytes -= dropped.nbytes
        return samples

    def _render(self, key: _Key) -> NDArray[np.float32]:
        voice_name, bank, program, pitch, velocity, length = key
        voice: Voice | None = voice_named(voice_name) if voice_name else None
        if voice is None:
            return self._synth.note(bank, program, pitch, velocity, length)
        # A voice counts in equal temperament; the reference pitch under which this pitch is where it belongs makes it right.
        a4_hz = self._a4_hz * cents_to_ratio(cents_from_equal(pitch, self._intonation))
        return voice(pitch, velocity, length, a4_hz, self._quarter_bpm)


#: Percussion that silences each other: an open hi-hat ends where the closed one is struck (General MIDI).
CHOKE_GROUPS: tuple[frozenset[int], ...] = tuple(
    frozenset(group) for group in ((42, 44, 46), (71, 72), (73, 74), (78, 79), (80, 81))
)


def choke_frames(part: Part, starts: list[int]) -> list[int | None]:
    """For each note of a drum part the frame at which another of its group ends it, or None. `starts` rise."""
    ends: list[int | None] = [None] * len(starts)
    if not part.is_drums:
        return ends
    sounding: dict[frozenset[int], int] = {}
    for index, note in enumerate(part.notes):
        group = next((group for group in CHOKE_GROUPS if note.pitch in group), None)
        if group is not None:
            if group in sounding and starts[index] > starts[sounding[group]]:
                ends[sounding[group]] = starts[index]
            sounding[group] = index
    return ends


NoteSource = Callable[[Part, PlayedNote, int], NDArray[np.float32]]

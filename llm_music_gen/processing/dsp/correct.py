"""A single voice brought onto its notes: each note moved as a whole, so that vibrato and expression stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.dsp.notes import SungNote, given_notes, key_of, sung_notes
from llm_music_gen.processing.dsp.pitch import PitchTrack, track_pitch
from llm_music_gen.processing.dsp.psola import repitched

#: From one note's shift to the next; shorter than a note's own beginning.
_GLIDE_S = 0.02


@dataclass(frozen=True, eq=False, slots=True)
class Correction:
    """What is to be done to a voice."""

    track: PitchTrack
    notes: tuple[SungNote, ...]
    key: Key | None
    """The key that was given or found; None where notes were given or nothing is sung."""

    @property
    def mean_error_cents(self) -> float:
        """How far the notes are off on average, long ones counting more."""
        lengths = np.array([note.last - note.first for note in self.notes], dtype=np.float64)
        away = np.array([abs(note.note - note.centre) * 100 for note in self.notes])
        return float(np.sum(lengths * away) / lengths.sum()) if len(lengths) else 0.0


def correction_of(audio: Audio, key: Key | None = None, notes: Sequence[float] | None = None) -> Correction:
    """Hears the voice: its pitch, its key where none is given, and which notes it means (MIDI pitches, where they are given)."""
    track = track_pitch(audio)
    hop_s = track.hop_frames / audio.sample_rate_hz
    if notes:
        return Correction(track, tuple(given_notes(track, hop_s, notes)), None)
    scale = key or key_of(track)
    if scale is None:
        return Correction(track, (), None)
    return Correction(track, tuple(sung_notes(track, hop_s, scale.scale_pcs, _also(scale, given=key is not None))), scale)


def _also(scale: Key, *, given: bool) -> tuple[int, ...]:
    """What may be sung outside the scale: the raised sixth and seventh of minor; anything where the key is only a guess."""
    if not given:
        return tuple(range(12))
    return ((scale.tonic_pc + 9) % 12, (scale.tonic_pc + 11) % 12) if scale.mode == "minor" else ()


def corrected(audio: Audio, key: Key | None = None, strength: float = 1.0, notes: Sequence[float] | None = None) -> Audio:
    """The voice on the notes of its key, or on the given ones; `strength` 0 leaves it, 1 moves every note all the way."""
    return carried_out(audio, correction_of(audio, key, notes), strength)


def carried_out(audio: Audio, correction: Correction, strength: float = 1.0) -> Audio:
    """The voice as the correction has it."""
    if strength <= 0 or not correction.notes:
        return audio
    return repitched(audio, correction.track, _factors(correction, strength, audio.sample_rate_hz))


def _factors(correction: Correction, strength: float, sample_rate_hz: int) -> NDArray[np.float64]:
    """What each step's pitch is multiplied by, shape (steps,)."""
    shifts = np.zeros(len(correction.track.frequencies_hz))
    for note in correction.notes:
        shifts[note.first : note.last] = strength * (note.note - note.centre)
    glide = max(1, round(_GLIDE_S * sample_rate_hz / correction.track.hop_frames))
    out = shifts.copy()
    for before, after in zip(correction.notes, correction.notes[1:], strict=False):
        if before.last == after.first:
            low, high = max(before.first, after.first - glide), min(after.last, after.first + glide)
            out[low:high] = np.interp(np.arange(low, high), (low, high - 1), (shifts[low], shifts[high - 1]))
    return np.asarray(2.0 ** (out / 12.0))

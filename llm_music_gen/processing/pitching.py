"""Tools for pitch and tempo, each without the other: pitch, retune, tempo, pitch_correct."""

from __future__ import annotations

from typing import Annotated

from llm_music_gen.domain.key import Key
from llm_music_gen.errors import UsageError
from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.dsp.correct import corrected
from llm_music_gen.processing.dsp.stretch import MAX_SEMITONES, stretched
from llm_music_gen.tools.spec import Range
from llm_music_gen.units import ratio_to_cents


def pitch(
    audio: Audio,
    semitones: Annotated[float, Range(-24, 24, "semitones")] = 0.0,
    cents: Annotated[float, Range(-2400, 2400, "cents")] = 0.0,
) -> Audio:
    """Make it higher or lower; the length stays.

    semitones: How far; negative is lower, 12 is an octave.
    cents: A hundredth of a semitone each, added to it.
    """
    return _moved(audio, semitones + cents / 100)


def retune(
    audio: Audio,
    from_hz: Annotated[float, Range(16, 20000, "Hz")] = 440.0,
    to_hz: Annotated[float, Range(16, 20000, "Hz")] = 432.0,
) -> Audio:
    """Move the tuning so that a tone of one frequency has another; the length stays.

    from_hz: Where it is (the A of most music: 440).
    to_hz: Where it should be.
    """
    semitones = ratio_to_cents(to_hz / from_hz) / 100
    if abs(semitones) > MAX_SEMITONES:
        raise UsageError(f"From {from_hz:g} to {to_hz:g} Hz is more than three octaves.", hint="Choose an octave that is nearer.")
    return _moved(audio, semitones)


def tempo(audio: Audio, ratio: Annotated[float, Range(0.25, 4)]) -> Audio:
    """Make it faster or slower; the pitch stays.

    ratio: 1.1 is ten percent faster, 0.5 is half the speed.
    """
    return stretched(audio, 1.0 / ratio) if abs(ratio - 1.0) > 1e-9 else audio


def pitch_correct(audio: Audio, key: str | None = None, strength: Annotated[float, Range(0, 1)] = 1.0) -> Audio:
    """Bring a single voice or lead instrument into tune; vowels and vibrato stay.

    key: Such as Dm or F#; nothing finds it.
    strength: 1 moves every note all the way.
    """
    if strength == 0:
        return audio
    return corrected(audio, Key.parse(key) if key else None, strength)


def _moved(audio: Audio, semitones: float) -> Audio:
    return stretched(audio, 1.0, semitones) if abs(semitones) > 1e-6 else audio

"""AutoTimeStretcher: a length or a tempo reached, pitch kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from llm_music_gen.errors import UsageError
from llm_music_gen.processing.audio import Audio
from llm_music_gen.processing.auto.choice import Choice
from llm_music_gen.processing.dsp.stretch import MAX_TIME_RATIO, fitted
from llm_music_gen.processing.dsp.tempo import Tempo, tempo_of
from llm_music_gen.tools.spec import Range
from llm_music_gen.units import seconds_to_frames

#: A tempo is not found more exactly than that.
_UNHEARD_RATIO = 1e-3


@dataclass(frozen=True, slots=True)
class StretchChoice(Choice):
    """How fast it becomes."""

    ratio: float
    """1.1 is ten percent faster, as in the plain tool."""
    frames: int

    def arguments(self) -> dict[str, object]:
        """As the tool takes them."""
        return {"ratio": self.ratio}


def auto_time_stretcher(
    audio: Audio,
    ratio: Annotated[float | None, Range(0.25, 4)] = None,
    length_s: Annotated[float | None, Range(0.05, 86400, "s")] = None,
    bpm: Annotated[float | None, Range(30, 300, "bpm")] = None,
) -> Audio:
    """Bring it to a length or a tempo; the pitch stays.

    ratio: How much faster.
    length_s: How long it shall be.
    bpm: How fast it shall be; its own tempo is found. With nothing given it is brought to the nearest whole number.
    """
    return apply_stretch(audio, stretch_choice(audio, ratio, length_s, bpm))


def stretch_choice(
    audio: Audio, ratio: float | None = None, length_s: float | None = None, bpm: float | None = None
) -> StretchChoice:
    """Measures the tempo where it is needed. Raises UsageError where that cannot be done."""
    if ratio is None and length_s is None and audio.frames:
        return choose_stretch(audio.frames, audio.sample_rate_hz, tempo_of(audio), bpm=bpm)
    return choose_stretch(audio.frames, audio.sample_rate_hz, None, ratio=ratio, length_s=length_s)


def choose_stretch(
    frames: int,
    sample_rate_hz: int,
    tempo: Tempo | None,
    *,
    ratio: float | None = None,
    length_s: float | None = None,
    bpm: float | None = None,
) -> StretchChoice:
    """How many frames it has afterwards. Raises UsageError for a tempo without a beat, and for what would be 8 times as long."""
    if not frames:
        return StretchChoice("There is nothing to stretch.", 1.0, 0)
    if length_s is not None:
        wanted = max(1, seconds_to_frames(length_s, sample_rate_hz))
        reason = f"From {frames / sample_rate_hz:.2f} s to {wanted / sample_rate_hz:.2f} s."
    elif ratio is not None:
        wanted, reason = max(1, round(frames / ratio)), f"{ratio:g} times as fast, as asked."
    else:
        wanted, reason = _to_tempo(frames, tempo, bpm)
    if not 1 / MAX_TIME_RATIO <= wanted / frames <= MAX_TIME_RATIO:
        raise UsageError(
            f"{frames / sample_rate_hz:.1f} s cannot become {wanted / sample_rate_hz:.1f} s without falling apart.",
            hint="Loop or trim it instead.",
        )
    return StretchChoice(reason, frames / wanted, wanted)


def _to_tempo(frames: int, tempo: Tempo | None, bpm: float | None) -> tuple[int, str]:
    found = tempo.bpm if tempo is not None else None
    if found is None:
        if bpm is None:
            return frames, "No beat was found; left as it is."
        raise UsageError("No beat was found, so it cannot be brought to a tempo.", hint="Give a ratio or a length instead.")
    wanted = bpm if bpm is not None else float(round(found))
    if bpm is not None:
        # Half and double time are the same music; the nearest of them is stretched least.
        found *= 2.0 ** round(math.log2(wanted / found))
    if abs(wanted / found - 1) < _UNHEARD_RATIO:
        return frames, f"It is at {found:g} bpm already."
    return max(1, round(frames * found / wanted)), f"From {found:g} to {wanted:g} bpm."


def apply_stretch(audio: Audio, choice: StretchChoice) -> Audio:
    """To exactly the chosen number of frames."""
    return fitted(audio, choice.frames)

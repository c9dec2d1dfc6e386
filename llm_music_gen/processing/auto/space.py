"""AutoReverb, AutoDelay and AutoStereoWidener: room, echoes and width that fit the music."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from llm_music_gen.processing.audio import Audio, Block
from llm_music_gen.processing.auto.choice import Choice
from llm_music_gen.processing.dsp.tempo import Tempo, tempo_of
from llm_music_gen.processing.space import delay, reverb, width
from llm_music_gen.processing.streams import Change, Filter, mapped
from llm_music_gen.tools.spec import Range

_CALM_BPM = 90.0
#: What a good mix has: sides this far under the middle.
_USUAL_SIDE_DB = -9.0
_WIDEST = 1.6
#: Under this there is no stereo image that could be made wider, so one is made.
_MONO_SIDE_DB = -30.0
_SPREAD_S = 0.013
_SPREAD_HZ = 250.0


@dataclass(frozen=True, slots=True)
class ReverbChoice(Choice):
    """The room."""

    mix: float
    decay_s: float


@dataclass(frozen=True, slots=True)
class DelayChoice(Choice):
    """The echoes."""

    ms: float
    feedback: float
    mix: float


@dataclass(frozen=True, slots=True)
class WidenerChoice(Choice):
    """The width."""

    amount: float
    bass_mono_hz: float
    spread: float = 0.0
    """Level of the sides that are made for what has none."""

    def arguments(self) -> dict[str, object]:
        """As the tool takes them; sides of its own are given to whatever has none."""
        return {"amount": self.amount, "bass_mono_hz": self.bass_mono_hz}


@dataclass(frozen=True, slots=True)
class Image:
    """A stereo image."""

    channels: int
    side_db: float
    """Level of the sides against the middle; -inf for mono."""
    bass_side_db: float
    """The same below 120 Hz."""


def auto_reverb(
    audio: Audio, mix: Annotated[float | None, Range(0, 1)] = None, decay_s: Annotated[float | None, Range(0.1, 15, "s")] = None
) -> Audio:
    """Put it into a room that fits its tempo and density: long for slow and sparse, short for fast and dense.

    mix: How much room; nothing decides by the density.
    decay_s: Until the room has died away; nothing decides by the tempo.
    """
    return apply_reverb(audio, reverb_choice(audio, mix, decay_s))


def reverb_choice(audio: Audio, mix: float | None = None, decay_s: float | None = None) -> ReverbChoice:
    """Measures the sound; what is given stays as given."""
    chosen = choose_reverb(tempo_of(audio))
    return ReverbChoice(chosen.reason, chosen.mix if mix is None else mix, chosen.decay_s if decay_s is None else decay_s)


def choose_reverb(tempo: Tempo) -> ReverbChoice:
    """The decay ends within a bar of slow music and within two beats of fast music; dense music gets less of it."""
    beat_s = 60.0 / (tempo.bpm or _CALM_BPM)
    density = tempo.onsets_per_s
    beats = float(np.interp(density, (0.5, 6.0), (3.5, 1.6)))
    decay_s = round(float(np.clip(beats * beat_s, 0.4, 4.0)), 2)
    mix = round(float(np.interp(density, (0.5, 8.0), (0.26, 0.1))), 2)
    return ReverbChoice(f"{_pace(tempo)}: a room of {decay_s:g} s at {mix:.0%}.", mix, decay_s)


def apply_reverb(audio: Audio, choice: ReverbChoice) -> Audio:
    """As the plain tool does it."""
    return reverb(audio, choice.mix, choice.decay_s) if audio.frames else audio


def auto_delay(
    audio: Audio,
    ms: Annotated[float | None, Range(10, 4000, "ms")] = None,
    feedback: Annotated[float | None, Range(0, 0.95)] = None,
    mix: Annotated[float | None, Range(0, 1)] = None,
) -> Audio:
    """Add echoes in time with the music.

    ms: Time between echoes; nothing takes a part of the beat.
    feedback: How much of each echo is left in the next; nothing decides by the density.
    mix: Level of the first echo; nothing decides by the density.
    """
    return apply_delay(audio, delay_choice(audio, ms, feedback, mix))


def delay_choice(audio: Audio, ms: float | None = None, feedback: float | None = None, mix: float | None = None) -> DelayChoice:
    """Measures the sound; what is given stays as given."""
    chosen = choose_delay(tempo_of(audio))
    return DelayChoice(
        chosen.reason,
        chosen.ms if ms is None else ms,
        chosen.feedback if feedback is None else feedback,
        chosen.mix if mix is None else mix,
    )


def choose_delay(tempo: Tempo) -> DelayChoice:
    """A dotted eighth where there is room for it, an eighth in dense music, a quarter in slow and sparse music."""
    density = tempo.onsets_per_s
    beat_ms = 60_000.0 / (tempo.bpm or _CALM_BPM)
    name, part = ("a quarter", 1.0) if density < 1.0 else ("a dotted eighth", 0.75) if density < 5.0 else ("an eighth", 0.5)
    ms = round(float(np.clip(beat_ms * part, 10.0, 4_000.0)), 1)
    feedback = round(float(np.interp(density, (0.5, 8.0), (0.45, 0.2))), 2)
    mix = round(float(np.interp(density, (0.5, 8.0), (0.28, 0.14))), 2)
    return DelayChoice(f"{_pace(tempo)}: echoes after {name}, {ms:g} ms.", ms, feedback, mix)


def apply_delay(audio: Audio, choice: DelayChoice) -> Audio:
    """As the plain tool does it."""
    return delay(audio, choice.ms, choice.feedback, choice.mix) if audio.frames else audio


def auto_stereo_widener(
    audio: Audio,
    amount: Annotated[float | None, Range(0, 2)] = None,
    bass_mono_hz: Annotated[float | None, Range(0, 500, "Hz")] = None,
) -> Audio:
    """Make the stereo image as wide as it should be; the mono sum stays the same and the bass in the middle.

    amount: 1 as it is, 2 twice as wide; nothing decides by how wide it is. Mono gets sides of its own.
    bass_mono_hz: Below this the bass is kept in the middle; nothing takes 120.
    """
    return apply_widener(audio, widener_choice(audio, amount, bass_mono_hz))


def widener_choice(audio: Audio, amount: float | None = None, bass_mono_hz: float | None = None) -> WidenerChoice:
    """Measures the sound; what is given stays as given."""
    chosen = choose_widener(image_of(audio))
    spread = chosen.spread if amount is None or amount >= 1 else 0.0
    return WidenerChoice(
        chosen.reason,
        chosen.amount if amount is None else amount,
        chosen.bass_mono_hz if bass_mono_hz is None else bass_mono_hz,
        spread,
    )


def image_of(audio: Audio) -> Image:
    """The sides against the middle, in one walk."""
    if audio.channels != 2:
        return Image(audio.channels, -math.inf, -math.inf)
    from scipy.signal import butter

    low = Filter(butter(2, min(120.0, 0.4 * audio.sample_rate_hz), output="sos", fs=audio.sample_rate_hz), 2)
    power = np.zeros((2, 2))
    for block in audio.walk():
        both = np.stack((block[:, 0] + block[:, 1], block[:, 0] - block[:, 1]), axis=1).astype(np.float64)
        power += [np.sum(both**2, axis=0), np.sum(low(both) ** 2, axis=0)]
    sides = [10 * math.log10(side / mid) if side > 1e-12 * mid and mid > 0 else -math.inf for mid, side in power]
    return Image(2, *sides)


def choose_widener(image: Image) -> WidenerChoice:
    """Narrow images are widened towards what good mixes have, wide ones left; nothing gets narrower."""
    if image.channels > 2:
        return WidenerChoice(f"{image.channels} channels: left as they are.", 1.0, 0.0)
    if image.side_db < _MONO_SIDE_DB:
        return WidenerChoice("It is mono: sides of its own, which vanish in mono.", 1.0, 120.0, 0.35)
    amount = round(float(np.clip(10 ** ((_USUAL_SIDE_DB - image.side_db) / 20), 1.0, _WIDEST)), 2)
    if amount < 1.05:
        return WidenerChoice(f"Sides {image.side_db:.1f} dB under the middle: wide already.", 1.0, 120.0)
    return WidenerChoice(f"Sides {image.side_db:.1f} dB under the middle: {amount:g} times as wide.", amount, 120.0)


def apply_widener(audio: Audio, choice: WidenerChoice) -> Audio:
    """As the plain tool does it; sides for what has none."""
    if audio.channels > 2 or (choice.spread == 0 and audio.channels != 2):
        return audio
    if choice.spread > 0:
        return _spread(audio, choice.spread)
    return width(audio, choice.amount, choice.bass_mono_hz)


def _spread(audio: Audio, level: float) -> Audio:
    """Sides made of the delayed middle, one with, one against it: they cancel in mono (Lauridsen 1954; Schroeder 1958)."""
    from scipy.signal import butter

    late = max(1, round(_SPREAD_S * audio.sample_rate_hz))
    sections = butter(2, min(_SPREAD_HZ, 0.4 * audio.sample_rate_hz), "high", output="sos", fs=audio.sample_rate_hz)

    def start() -> Change:
        high = Filter(sections, 1)
        before = np.zeros((late, 1))

        def change(block: Block) -> Block:
            nonlocal before
            middle = block.mean(axis=1, keepdims=True, dtype=np.float64)
            line = np.concatenate((before, high(middle)))
            before = line[len(line) - late :]
            side = level * line[: len(block)]
            return np.concatenate((middle + side, middle - side), axis=1).astype(np.float32)

        return change

    return mapped(replace(audio), start, channels=2)


def _pace(tempo: Tempo) -> str:
    beat = f"{tempo.bpm:.0f} bpm" if tempo.bpm else "No clear beat"
    return f"{beat}, {tempo.onsets_per_s:.1f} onsets a second"

"""Binaural, monaural and isochronic tones with a beat rate that may glide.

They are sound, not medicine: nothing here promises an effect. Layers join after the mix bus and before a constant gain, so
that no effect bends them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.bed.schedule import Schedule
from llm_music_gen.units import SAMPLE_RATE_HZ

Entrainment = Literal["binaural", "monaural", "isochronic"]
CARRIER_RANGE_HZ = (120.0, 500.0)
#: Longest raised-cosine edge of an isochronic pulse; shorter edges splatter (20 ms keeps energy beyond 300 Hz at -76 dB).
LONGEST_EDGE_S = 0.020
#: Frames between two exact phases: in between a glide is followed by straight lines of 23 ms.
_KNOT, _FINE = 1_024, 32


@dataclass(frozen=True, slots=True)
class EntrainmentLayer:
    """One entrainment layer of unit amplitude."""

    kind: Entrainment
    carrier_hz: float
    """Of the tone; for binaural the middle between both ears."""
    beat_hz: Schedule
    depth: float = 1.0
    """Isochronic and monaural: how deep the pulses are, 0 to 1."""

    def __post_init__(self) -> None:
        if not 20.0 <= self.carrier_hz <= 1500.0:
            raise SoundError(f"A carrier of {self.carrier_hz:g} Hz carries no beat.", hint="Choose 20 to 1500 Hz.")
        if not 0.0 <= self.depth <= 1.0:
            raise SoundError(f"A depth of {self.depth:g} is not between 0 and 1.")

    def block(self, first_frame: int, frames: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> NDArray[np.float32]:
        """Samples [first_frame, first_frame + frames), shape (frames, 2)."""
        first, last = first_frame // _KNOT, -(-(first_frame + frames) // _KNOT)
        knots_s = np.arange(first, last + 1, dtype=np.int64) * _KNOT / sample_rate_hz
        carrier, beats = self.carrier_hz * knots_s, self.beat_hz.integral(knots_s)
        cut = slice(first_frame - first * _KNOT, first_frame - first * _KNOT + frames)
        if self.kind == "binaural":
            return np.stack([_sine_through(carrier - half)[cut] for half in (beats / 2, -beats / 2)], axis=1)
        if self.kind == "monaural":
            # Amplitude modulation keeps a line exactly on the carrier, which the sum of two detuned tones does not.
            envelope: NDArray[np.float32] = (1.0 + self.depth * _sine_through(beats + 0.25)[cut]) / (1.0 + self.depth)
        else:
            times_s = (first_frame + np.arange(frames, dtype=np.float64)) / sample_rate_hz
            pulse = _pulse(self.beat_hz.integral(times_s) % 1.0, self.beat_hz.value(times_s))
            envelope = (1.0 - self.depth + self.depth * pulse).astype(np.float32)
        mono = _sine_through(carrier)[cut] * envelope
        return np.stack((mono, mono), axis=1)


def fold_carrier(frequency_hz: float) -> float:
    """The octave of a frequency that lies in the carrier range, where beats are perceived best."""
    low, high = CARRIER_RANGE_HZ
    while frequency_hz > high:
        frequency_hz /= 2.0
    while frequency_hz < low:
        frequency_hz *= 2.0
    return frequency_hz


def beat_locked_to_tempo(wanted_hz: float, tempo_bpm: float) -> float:
    """The multiple (or third of one) of the beat of the music that lies nearest to a wanted beat rate."""
    beat_hz = tempo_bpm / 60.0
    return max(1, round(3.0 * wanted_hz / beat_hz)) / 3.0 * beat_hz


def _sine_through(cycles: NDArray[np.float64]) -> NDArray[np.float32]:
    """A sine whose phase in cycles is given at knots and runs straight between them; shape ((knots - 1) * _KNOT,).

    Each stretch is the product of two short phasors, one in steps of 32 frames and one in single frames, so that only a
    sixteenth of the sines are worked out. Phases are exact at every knot, whatever came before.
    """
    turn = 2 * np.pi * np.diff(cycles) / _KNOT
    coarse = 2 * np.pi * (cycles[:-1] % 1.0)[:, None] + turn[:, None] * (_FINE * np.arange(_KNOT // _FINE))
    fine = turn[:, None] * np.arange(_FINE)
    sines = np.sin(coarse).astype(np.float32)[:, :, None] * np.cos(fine).astype(np.float32)[:, None, :]
    sines += np.cos(coarse).astype(np.float32)[:, :, None] * np.sin(fine).astype(np.float32)[:, None, :]
    return sines.reshape(-1)


def _pulse(phase: NDArray[np.float64], beat_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """On for half of each cycle, with raised-cosine edges of at most 20 ms inside that half."""
    on = 0.5
    edge = np.minimum(LONGEST_EDGE_S * beat_hz, on / 2)
    rise = np.clip(phase / edge, 0.0, 1.0)
    fall = np.clip((on - phase) / edge, 0.0, 1.0)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.minimum(rise, fall)), dtype=np.float64)

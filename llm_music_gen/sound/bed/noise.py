"""Noise in six colours, with slopes exact to a small fraction of a decibel per octave.

Each overlapping block is white noise shaped in the frequency domain and windowed with a sine whose squares add up to one,
so a block depends on nothing but its index (no filter state to carry through the night).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError
from llm_music_gen.sound.bed.chance import generator_at
from llm_music_gen.units import SAMPLE_RATE_HZ

Colour = Literal["white", "pink", "brown", "blue", "violet", "grey"]
#: Exponent a of the power density 1/f^a.
EXPONENTS: dict[str, float] = {"white": 0.0, "pink": 1.0, "brown": 2.0, "blue": -1.0, "violet": -2.0}
COLOURS: tuple[Colour, ...] = ("white", "pink", "brown", "blue", "violet", "grey")
WINDOW = 32_768
HOP = WINDOW // 2
#: Below this the slope stops rising: what lies there is not heard and would eat the headroom.
FLOOR_HZ = 20.0
#: Grey noise follows the A-weighting upside down, but not into the rumble.
_GREY_LIMIT_DB = 20.0


@dataclass(frozen=True, slots=True)
class NoiseLayer:
    """Stereo noise of unit RMS per channel."""

    colour: Colour
    seed: int
    stream: int = 0
    """Different streams are independent of each other."""
    correlation: float = 0.3
    """Between left and right, 0 to 1."""
    low_pass_hz: float = SAMPLE_RATE_HZ / 2
    high_pass_hz: float = 0.0

    def __post_init__(self) -> None:
        if self.colour not in COLOURS:
            raise SoundError(f"There is no {self.colour} noise.", hint=f"Choose one of {', '.join(COLOURS)}.")

    def block(self, first_frame: int, frames: int) -> NDArray[np.float32]:
        """Samples [first_frame, first_frame + frames), shape (frames, 2)."""
        first, last = first_frame // HOP - 1, (first_frame + frames - 1) // HOP
        out = np.zeros(((last - first + 2) * HOP, 2), dtype=np.float32)
        for index in range(first, last + 1):
            start = (index - first) * HOP
            out[start : start + WINDOW] += self._window(index)
        offset = first_frame - first * HOP
        return out[offset : offset + frames]

    def _window(self, index: int) -> NDArray[np.float32]:
        from scipy import fft

        shape = noise_shape(self.colour, self.low_pass_hz, self.high_pass_hz)
        # The spectrum of white noise is white noise: drawn there, it needs only the way back. A sum and a difference of two
        # independent spectra have the correlation asked for.
        parts = generator_at(self.seed, self.stream, index).standard_normal((2, WINDOW // 2 + 1, 2), dtype=np.float32)
        both, apart = parts.view(np.complex64)[..., 0]
        both *= shape * np.float32(np.sqrt((1.0 + self.correlation) / 2))
        apart *= shape * np.float32(np.sqrt((1.0 - self.correlation) / 2))
        stereo = fft.irfft(np.stack((both + apart, both - apart)), WINDOW, axis=1)
        return np.asarray((stereo * _sine_window()).T, dtype=np.float32)


@lru_cache(maxsize=64)
def noise_shape(colour: Colour, low_pass_hz: float, high_pass_hz: float) -> NDArray[np.float32]:
    """Amplitude for each of the WINDOW/2 + 1 bins by which unit complex noise becomes noise of a colour with unit RMS."""
    frequency_hz = np.maximum(np.fft.rfftfreq(WINDOW, 1.0 / SAMPLE_RATE_HZ), 1e-9)
    if colour == "grey":
        shape = 10.0 ** (np.minimum(-_a_weighting_db(np.maximum(frequency_hz, FLOOR_HZ)), _GREY_LIMIT_DB) / 20.0)
    else:
        shape = np.maximum(frequency_hz, FLOOR_HZ) ** (-EXPONENTS[colour] / 2.0)
    if low_pass_hz < SAMPLE_RATE_HZ / 2:
        shape = shape / np.sqrt(1.0 + (frequency_hz / low_pass_hz) ** 4)
    if high_pass_hz > 0:
        shape = shape / np.sqrt(1.0 + (high_pass_hz / frequency_hz) ** 4)
    shape[0] = 0.0
    # White noise of unit variance has E|X|^2 = WINDOW in every bin; Parseval over both halves of the spectrum gives the RMS.
    power = (2.0 * np.sum(shape[1:-1] ** 2) + shape[-1] ** 2) / WINDOW
    # Real and imaginary part share the power of a bin.
    return np.asarray(shape / np.sqrt(power) * np.sqrt(WINDOW / 2), dtype=np.float32)


@lru_cache(maxsize=1)
def _sine_window() -> NDArray[np.float32]:
    return np.asarray(np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW), dtype=np.float32)


def _a_weighting_db(frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61672 A-weighting in dB."""
    f2 = frequency_hz**2
    response = (12194.0**2 * f2**2) / ((f2 + 20.6**2) * np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2)) * (f2 + 12194.0**2))
    return np.asarray(20.0 * np.log10(response) + 2.0, dtype=np.float64)

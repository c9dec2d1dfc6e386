"""What the studio needs of engines that speak and hear; each engine stands in a module of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: Everything that hears gets mono sound at this rate.
HEARING_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that can speak."""

    name: str
    """As the user names it: nora, piper:en_US-amy."""
    language: str
    """As in en-us, de."""
    description: str
    engine: str
    """espeak, piper, sapi."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Speech: mono samples, shape (frames,), float32."""

    samples: NDArray[np.float32]
    sample_rate_hz: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood in a piece of sound."""

    text: str
    start_s: float
    """In the whole sound."""
    stop_s: float
    confidence: float
    """0 to 1; engines mean different things by it."""


class Speaker(Protocol):
    """An engine that speaks."""

    def voices(self) -> tuple[Voice, ...]:
        """Its voices on this computer, the usual one first."""
        ...

    def speak(self, text: str, voice: str, rate_wpm: int) -> Spoken:
        """Speak a sentence or two. Raises SoundError, DependencyMissing."""
        ...


class Listener(Protocol):
    """An engine that hears."""

    def hear(self, samples: NDArray[np.float32], start_s: float) -> tuple[Heard, ...]:
        """What is said in a piece of mono sound at 16 kHz that begins at `start_s`. Raises SoundError, DependencyMissing."""
        ...

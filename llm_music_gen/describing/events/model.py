"""What an event model is: log-mel windows in, probabilities out. The one that ships and a user's are used alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events.labels import LABELS, SCENES

#: What a model listens to (see `features.LogMel`).
SAMPLE_RATE_HZ, FFT_FRAMES, HOP_FRAMES, MELS = 16_000, 512, 320, 64
#: One window, and how far it moves on: 5 s and 2.5 s.
WINDOW_FRAMES, STEP_FRAMES = 250, 125
#: Columns of an answer: the events, then the scenes.
OUTPUTS = len(LABELS) + len(SCENES)


class EventModel(Protocol):
    """Anything that names the sounds in windows of log-mel."""

    @property
    def name(self) -> str:
        """What `describe` says it listened with."""
        ...

    @property
    def thresholds(self) -> dict[str, float]:
        """Label -> probability of a whole recording from which on it is named."""
        ...

    def probabilities(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log-mel of shape (windows, WINDOW_FRAMES, MELS) in dB re full scale -> probabilities of shape (windows, OUTPUTS):
        LABELS, each for itself, then SCENES, which add up to 1. Raises ModelError where the model fails."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """What was heard in one stretch of sound."""

    start_s: float
    end_s: float
    probabilities: NDArray[np.float32]
    """Shape (OUTPUTS,)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A label from when to when."""

    label: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class SoundscapeEvents:
    """What a recording holds."""

    labels: dict[str, float]
    """Probability of every label over the whole recording."""
    heard: tuple[str, ...]
    """The labels over their thresholds, the likeliest first, with what takes them in."""
    shares: dict[str, float]
    """In how much of the recording a label is over its threshold, 0 to 1."""
    scenes: dict[str, float]
    """Probability of each scene; they add up to 1."""
    spans: tuple[Span, ...] = field(default=())
    """Every stretch in which a heard label is over its threshold, by start."""

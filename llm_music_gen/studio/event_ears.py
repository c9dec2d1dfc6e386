"""The event model's ears for describing: windows as they are heard, then what they come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.describing.events import EventModel, SoundscapeEvents, Window, recognise, shipped_model, summary, user_model
from llm_music_gen.describing.facts import Event, Soundscape
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.settings import Settings


@dataclass(frozen=True, slots=True)
class EventEars:
    """Listens with a model; see `describing_room.Ears`."""

    model: EventModel

    def listening(self, blocks: Iterable[NDArray[np.float32]], sample_rate_hz: int, length_s: float) -> Work[Soundscape]:
        """What is heard. A window every few seconds is all that is kept. Raises SoundError and ModelError."""
        windows: list[Window] = []
        for window in recognise(blocks, sample_rate_hz, self.model):
            windows.append(window)
            yield Progress("events", min(1.0, window.end_s / max(length_s, 1e-9)), "Listening for events")
        return soundscape_from(summary(windows, self.model))


def ears_for(settings: Settings) -> EventEars:
    """The user's own event model where the settings name one, else the one that ships.

    Raises ModelError for what is no such model, DependencyMissing for an ONNX file without onnxruntime.
    """
    return EventEars(user_model(Path(settings.event_model).expanduser()) if settings.event_model else shipped_model())


def soundscape_from(found: SoundscapeEvents) -> Soundscape:
    """The same as facts."""
    return Soundscape(
        probabilities=found.labels,
        events=tuple(Event(label, found.labels[label], found.shares.get(label, 0.0)) for label in found.heard),
        scenes=found.scenes,
        spans=tuple((span.label, span.start_s, span.end_s, span.confidence) for span in found.spans),
    )

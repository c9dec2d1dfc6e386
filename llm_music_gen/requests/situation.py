"""What the planner may know about where the user stands; whoever asks puts it in, nothing is read from disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Situation:
    """The user's place in the studio when a request is made."""

    file: str | None = None
    """The current audio file, which every audio tool takes where none is named."""
    last_song: str | None = None
    """Name of the song made last."""
    key: str | None = None
    """Of the last song or file, as in ABC: `Dm`."""
    tempo_bpm: float | None = None
    files_in_folder: tuple[str, ...] = ()
    """Names of the audio files beside the current one: `song1` then finds `song1.wav`."""
    measurements: Mapping[str, float] = field(default_factory=dict)
    """Of the current file, by the names of `analyze`: lufs, true_peak (dBTP), duration (s), key is text and not here."""
    songs: tuple[str, ...] = ()
    """Names in the library, newest last."""

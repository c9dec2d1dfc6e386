"""Music of hours: chapters, tones that are held for minutes, and what lies under them. Time is in seconds from the start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.score import Arrangement, Intonation

_ORDINARY = Intonation()
Calm = Literal["day", "night"]
"""How calm: at night nothing rises by more than 1.5 LU in 0.4 s."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of a long track with a name and a character of its own."""

    number: int
    """From 0."""
    start_s: float
    length_s: float
    name: str
    key: Key
    """The tonic is the track's, the mode the chapter's."""
    depth: float
    """0 awake to 1 deepest: fewer, darker, lower events."""
    density: float
    """0 bare to 1 as busy as the style allows."""
    a4_hz: float = 440.0
    """Reference pitch that puts the tonic on its frequency."""
    intonation: Intonation = _ORDINARY

    @property
    def end_s(self) -> float:
        """Where the next begins."""
        return self.start_s + self.length_s


@dataclass(frozen=True, slots=True)
class HeldTone:
    """A tone of one of the voices that can be held for minutes."""

    onset_s: float
    length_s: float
    """To silence, release included."""
    frequency_hz: float
    voice: str
    """pad, choir, glass, bowl, drone."""
    level_db: float
    attack_s: float
    release_s: float
    brightness_hz: float = 1_500.0
    """Above this its partials fall away."""
    pan: float = 0.0
    """-1 (left) to 1 (right)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch that a band plays."""

    start_frame: int
    length_frames: int
    arrange: Callable[[], Arrangement]
    """Makes its arrangement, the same at each call; called only where the stretch is to be heard."""


@dataclass(frozen=True, slots=True)
class LongScore:
    """Everything that is played in a long track, beside the layers under it."""

    frames: int
    chapters: tuple[Chapter, ...]
    tones: tuple[HeldTone, ...] = ()
    pieces: tuple[Piece, ...] = ()
    """In order of their starts; neighbours may overlap."""
    fade_in_s: float = 8.0
    fade_out_s: float = 60.0
    mix: dict[str, float] = field(default_factory=dict)
    """Named mix settings for held tones, as in `Arrangement.mix`."""
    levels_db: dict[str, float] = field(default_factory=dict)
    """Corrections by kind of sound: tones, band."""

"""The plain facts about a finished song from which everything for an upload is made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from llm_music_gen.errors import UsageError


@dataclass(frozen=True, slots=True)
class Licensed:
    """Something made by others that took part in the song."""

    name: str
    licence: str = ""
    """As its maker states it; empty when unknown, which the credits then say."""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """Facts about one finished song. Only `title` and `length_s` are needed; what is unknown is left out of the texts."""

    title: str
    length_s: float
    styles: tuple[str, ...] = ()
    chapters: tuple[tuple[float, str], ...] = ()
    """(start in seconds, name), in any order."""
    frequency_hz: float | None = None
    frequency_meaning: str = "tonic"
    """tonic, reference (A4) or pulse."""
    tuning: str = ""
    """In words, e.g. "equal temperament, tonic C5 = 528 Hz"."""
    layers: tuple[str, ...] = ()
    """In words, e.g. "binaural beat 10 to 2 Hz", "pink noise"."""
    seed: int = 0
    soundfont: Licensed | None = None
    models: tuple[Licensed, ...] = ()
    loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    key: str = ""
    tempo_bpm: float | None = None
    mood: str = ""
    """A hint for the palette, e.g. sleep, meditation, focus, energy; empty: found from the styles."""
    loudness_curve: tuple[float, ...] = field(default=())
    """Loudness along the song, at even steps, in any unit that grows with loudness (LUFS, 0 to 1)."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.length_s) and self.length_s > 0):
            raise UsageError(f"A song of {self.length_s} seconds cannot be prepared for upload; its length must be over 0.")
        if self.frequency_hz is not None and not (math.isfinite(self.frequency_hz) and self.frequency_hz > 0):
            raise UsageError(f"{self.frequency_hz} Hz is no frequency; give a number over 0.")

    @property
    def binaural(self) -> bool:
        """Whether a layer needs headphones."""
        return any("binaural" in layer.casefold() for layer in self.layers)


def number(value: float) -> str:
    """A number as people write it: 528, 7.83."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def clock(time_s: float, *, hours: bool) -> str:
    """m:ss, or h:mm:ss where a song is an hour or longer. Fractions are dropped, as players seek to whole seconds."""
    whole = int(time_s)
    minutes, seconds = divmod(whole, 60)
    if not hours:
        return f"{minutes}:{seconds:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def length_words(length_s: float) -> str:
    """ "8 hours", "1 hour 30 minutes", "45 minutes", "50 seconds"."""
    whole = round(length_s)
    if whole < 60:
        return _counted(whole, "second")
    minutes = round(length_s / 60)
    hours, rest = divmod(minutes, 60)
    words = [_counted(hours, "hour")] if hours else []
    if rest:
        words.append(_counted(rest, "minute"))
    return " ".join(words)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

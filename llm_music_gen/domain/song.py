"""A finished song: what the library, the jukebox and the screens need to know about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

#: File kinds of which a song has at least one, in the order in which a player prefers them.
AUDIO_KINDS = ("mp3", "opus", "flac", "wav")


@dataclass(frozen=True, slots=True)
class Song:
    """One song and its files."""

    id: str
    """Hash of its recipe."""
    title: str
    styles: tuple[str, ...]
    """The user's own style words."""
    folder: Path
    files: Mapping[str, Path]
    """Kind (mp3, wav, flac, opus, abc, mid, musicxml, srt, vtt, recipe) -> file."""
    frames: int
    """Length at 44,100 Hz."""
    key: str
    """As in `K:`: C, Dm."""
    tempo_bpm: float
    meter: str
    seed: int
    model: str
    created: str
    """ISO 8601, UTC."""
    lufs: float | None = None
    """Integrated loudness as measured on the finished file."""
    true_peak_dbtp: float | None = None
    hints: tuple[str, ...] = field(default=())
    missing: bool = False
    """Whether its files were moved or deleted by hand."""

    @property
    def length_s(self) -> float:
        """Length in seconds."""
        return self.frames / 44_100

    @property
    def audio_file(self) -> Path | None:
        """The file that a player should open, or None where there is none."""
        return next((self.files[kind] for kind in AUDIO_KINDS if kind in self.files), None)

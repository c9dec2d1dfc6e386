"""Short tones as files, and a jukebox whose time passes by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.playback.track import Track
from tests.fakes.silent_player import SilentPlayer

ToneMaker = Callable[..., Path]


@pytest.fixture
def tone(tmp_path: Path) -> ToneMaker:
    """Writes a sine: tone("a.wav", length_s=2, frequency_hz=440, rate_hz=44100, level=0.5, channels=2)."""

    def make(
        name: str,
        length_s: float = 2.0,
        frequency_hz: float = 440.0,
        rate_hz: int = 44100,
        level: float = 0.5,
        channels: int = 2,
    ) -> Path:
        seconds = np.arange(round(length_s * rate_hz)) / rate_hz
        wave = level * np.sin(2 * np.pi * frequency_hz * seconds)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = "OGG" if path.suffix == ".opus" else None
        subtype = "OPUS" if path.suffix == ".opus" else None
        soundfile.write(path, np.stack([wave] * channels, axis=1), rate_hz, format=kind, subtype=subtype)
        return path

    return make


class Evening:
    """A jukebox, its player and its clock."""

    def __init__(self, tracks: Sequence[Track], memory_file: Path | None = None) -> None:
        self.player = SilentPlayer()
        self.now_s = 0.0
        self.jukebox = Jukebox(self.player, memory_file=memory_file, volume_percent=100, seed=5, clock=lambda: self.now_s)
        self.tracks = list(tracks)

    def pass_time(self, length_s: float) -> None:
        """Let the player and the clock go on, looking in ten times a second as the app does."""
        for _ in range(round(length_s * 10)):
            self.player.advance(0.1)
            self.now_s += 0.1
            self.jukebox.tick()

    def titles(self) -> tuple[list[str], str, list[str]]:
        """Played, current, remaining."""
        queue = self.jukebox.queue
        current = queue.current.title if queue.current else ""
        return [track.title for track in queue.played], current, [track.title for track in queue.remaining]


@pytest.fixture
def evening(tone: ToneMaker) -> Evening:
    """Four tracks of two seconds: one, two, three, four."""
    names = ("one", "two", "three", "four")
    return Evening([Track(tone(f"{name}.wav"), name, 2.0) for name in names])

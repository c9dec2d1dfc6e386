"""A player made of a deck and something that pulls from it. Engines add only the pulling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.playback.player import PlayerEvent, Samples

if TYPE_CHECKING:
    from llm_music_gen.playback.deck import Deck

SYSTEM_DEVICE = "System default"


class DeckPlayer:
    """Everything of `Player` that needs no device. `latency_s` is what the device holds but has not played."""

    def __init__(self, latency_s: float = 0.0) -> None:
        self._made: Deck | None = None
        self._gain, self._crossfade_s = 1.0, 0.0
        self._latency_s = latency_s

    @property
    def _deck(self) -> Deck:
        """The deck, made with what it needs (numpy, decoders) when something is first played, so that the app opens sooner."""
        if self._made is None:
            from llm_music_gen.playback.deck import Deck

            self._made = Deck()
            self._made.set_gain(self._gain)
            self._made.set_crossfade(self._crossfade_s)
        return self._made

    @property
    def position_s(self) -> float:
        """Where the listener is, in seconds."""
        if self._made is None:
            return 0.0
        return max(0.0, self._made.position_s - (self._latency_s if self._made.is_playing else 0.0))

    @property
    def length_s(self) -> float:
        """Length of the current file."""
        return self._made.length_s if self._made is not None else 0.0

    @property
    def is_playing(self) -> bool:
        """Whether sound comes out."""
        return self._made is not None and self._made.is_playing

    @property
    def notice(self) -> str:
        """Nothing to say."""
        return ""

    def load(self, path: Path, start_s: float = 0.0) -> None:
        """Make a file the current one, paused."""
        self._deck.load(path, start_s)

    def queue_next(self, path: Path | None) -> None:
        """What follows without a gap."""
        self._deck.queue_next(path)

    def play(self) -> None:
        """Start or go on."""
        self._deck.play()

    def pause(self) -> None:
        """Hold."""
        self._deck.pause()

    def stop(self) -> None:
        """End the current file."""
        if self._made is not None:
            self._made.stop()

    def seek(self, position_s: float) -> None:
        """Go to a place in the current file."""
        self._deck.seek(position_s)

    def set_gain(self, gain: float) -> None:
        """Linear amplitude factor."""
        self._gain = gain
        if self._made is not None:
            self._made.set_gain(gain)

    def set_crossfade(self, crossfade_s: float) -> None:
        """Overlap in seconds."""
        self._crossfade_s = crossfade_s
        if self._made is not None:
            self._made.set_crossfade(crossfade_s)

    def poll(self) -> PlayerEvent | None:
        """What happened, or None."""
        return self._made.poll() if self._made is not None else None

    def recent_samples(self) -> Samples:
        """The last 2,048 samples."""
        return self._deck.recent_samples()

    def devices(self) -> tuple[str, ...]:
        """Only the system's choice."""
        return (SYSTEM_DEVICE,)

    def choose_device(self, name: str) -> None:
        """There is only one."""

    def close(self) -> None:
        """Give the files back."""
        if self._made is not None:
            self._made.stop()

"""The port between the jukebox and whatever makes sound."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np

#: Mono samples, float32, shape (frames,).
Samples: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"


class PlayerEvent(Enum):
    """What happened without being asked for."""

    MOVED_ON = "moved on"
    """The file queued with `queue_next` is the one that plays now."""
    ENDED = "ended"
    """The file ended and nothing was queued after it."""


class Player(Protocol):
    """Plays one file at a time and knows which one follows. Every method returns at once; sound is made in a thread of its own.

    An implementer streams (a file of hours is never held in memory), changes loudness without clicks, and joins `queue_next` to
    the end of the current file without a gap. It need not know songs, queues or screens, nor call anybody: it is asked.
    """

    @property
    def position_s(self) -> float:
        """Where the listener is in the current file, in seconds."""

    @property
    def length_s(self) -> float:
        """Length of the current file, 0 without one."""

    @property
    def is_playing(self) -> bool:
        """Whether sound comes out (not paused, not stopped)."""

    @property
    def notice(self) -> str:
        """A sentence for the user, such as that no sound card was found; "" when all is well."""

    def load(self, path: Path, start_s: float = 0.0) -> None:
        """Make a file the current one, paused at `start_s`. Raises PlaybackError when it cannot be played."""

    def queue_next(self, path: Path | None) -> None:
        """What follows the current file without a gap; None for nothing. Raises PlaybackError when it cannot be played."""

    def play(self) -> None:
        """Start or go on."""

    def pause(self) -> None:
        """Hold where it is."""

    def stop(self) -> None:
        """End the current file; there is none afterwards."""

    def seek(self, position_s: float) -> None:
        """Go to a place in the current file; playing or paused as before."""

    def set_gain(self, gain: float) -> None:
        """Linear amplitude factor, 0 to 1."""

    def set_crossfade(self, crossfade_s: float) -> None:
        """Overlap of consecutive files in seconds; 0 joins them without a gap."""

    def poll(self) -> PlayerEvent | None:
        """The next thing that happened since the last call, or None."""

    def recent_samples(self) -> Samples:
        """The last 2,048 samples played, mono, for a display."""

    def devices(self) -> tuple[str, ...]:
        """Names of the output devices; the first is the system's own choice."""

    def choose_device(self, name: str) -> None:
        """Play through another device; an unknown name is the system's own choice."""

    def close(self) -> None:
        """Give the device and the files back."""

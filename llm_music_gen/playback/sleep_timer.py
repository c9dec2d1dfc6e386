"""Falling asleep to music: after a while it fades and stops."""

from __future__ import annotations

from collections.abc import Callable

#: The last part of the time, in which the music grows quieter.
FADE_S = 60.0
#: What the key steps through, in minutes; 0 is off.
CHOICES_MIN = (0, 15, 30, 45, 60, 90)


class SleepTimer:
    """Counts down on a clock that only goes forward."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._ends_s: float | None = None
        self._length_s = 0.0

    def set(self, length_s: float) -> None:
        """Stop the music after this long; 0 switches the timer off."""
        self._length_s = length_s
        self._ends_s = self._clock() + length_s if length_s > 0 else None

    def step(self) -> None:
        """The next longer choice, and off after the longest."""
        minutes = round(self._length_s / 60) if self._ends_s is not None else 0
        self.set(60.0 * next((choice for choice in CHOICES_MIN if choice > minutes), 0))

    @property
    def left_s(self) -> float | None:
        """Seconds until the music stops, or None when it does not."""
        return None if self._ends_s is None else max(0.0, self._ends_s - self._clock())

    @property
    def gain(self) -> float:
        """Factor of the loudness: 1, falling evenly to the ear in the last minute."""
        left_s = self.left_s
        fade_s = min(FADE_S, self._length_s)
        return 1.0 if left_s is None or left_s >= fade_s else (left_s / fade_s) ** 3

    def take_end(self) -> bool:
        """Whether the time is up; true once, and then the timer is off."""
        if self.left_s == 0.0:
            self._ends_s = None
            return True
        return False

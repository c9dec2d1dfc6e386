"""The order of play: what was played, what plays, what remains; shuffle and repeat. Knows neither sound nor files."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from llm_music_gen.playback.track import Track

MOST_PLAYED = 200


class Repeat(str, Enum):
    """What happens at the end."""

    OFF = "off"
    ALL = "all"
    ONE = "one"

    @property
    def following(self) -> Repeat:
        """The next one when the key is pressed: off, all, one."""
        return {Repeat.OFF: Repeat.ALL, Repeat.ALL: Repeat.ONE, Repeat.ONE: Repeat.OFF}[self]


@dataclass(frozen=True, slots=True)
class Entry:
    """A track and its place in the order without shuffle."""

    track: Track
    number: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What `remove` took out, so that it can be put back."""

    entry: Entry
    index: int


class PlayQueue:
    """Played, current, remaining. `seed` decides how shuffling falls."""

    def __init__(self, seed: int = 0) -> None:
        self._rng = random.Random(seed)
        self._played: list[Entry] = []
        self._current: Entry | None = None
        self._remaining: list[Entry] = []
        self._removed: list[Removed] = []
        self._numbers = 0
        self.repeat = Repeat.OFF
        self._shuffle = False

    @property
    def played(self) -> tuple[Track, ...]:
        """What was played, the oldest first."""
        return tuple(entry.track for entry in self._played)

    @property
    def current(self) -> Track | None:
        """What plays or would play."""
        return self._current.track if self._current else None

    @property
    def remaining(self) -> tuple[Track, ...]:
        """What comes, in order."""
        return tuple(entry.track for entry in self._remaining)

    @property
    def shuffle(self) -> bool:
        """Whether what remains is in random order."""
        return self._shuffle

    def set_shuffle(self, on: bool) -> None:
        """Mix what remains, or put it back in order."""
        self._shuffle = on
        if on:
            self._mix(self._remaining)
        else:
            self._remaining.sort(key=lambda entry: entry.number)

    def replace(self, tracks: Iterable[Track], *, first: int = 0) -> None:
        """A new queue that begins with its track number `first`; those before it come as played."""
        entries = [self._entry(track) for track in tracks]
        self._played, self._removed = [], []
        first = max(0, min(first, len(entries) - 1))
        self._current = entries[first] if entries else None
        if self._shuffle:
            self._remaining = entries[:first] + entries[first + 1 :]
            self._mix(self._remaining)
        else:
            self._played, self._remaining = entries[:first], entries[first + 1 :]

    def add(self, tracks: Iterable[Track], *, next_up: bool = False) -> None:
        """Put tracks at the end, or right after the current one."""
        entries = [self._entry(track) for track in tracks]
        self._remaining = entries + self._remaining if next_up else self._remaining + entries

    def clear(self) -> None:
        """Forget everything."""
        self._played, self._current, self._remaining, self._removed = [], None, [], []

    def following(self) -> Track | None:
        """What plays after the current track ends by itself, without moving on."""
        if self.repeat is Repeat.ONE and self._current:
            return self._current.track
        if not self._remaining and self.repeat is Repeat.ALL:
            self._begin_again()
        return self._remaining[0].track if self._remaining else None

    def go_on(self, *, by_itself: bool) -> Track | None:
        """Move to the next track. At the end of everything there is no current one."""
        if by_itself and self.repeat is Repeat.ONE and self._current:
            return self._current.track
        if not self._remaining and self.repeat is not Repeat.OFF:
            self._begin_again()
        if self._current:
            self._played = [*self._played, self._current][-MOST_PLAYED:]
        self._current = self._remaining.pop(0) if self._remaining else None
        return self.current

    def go_back(self) -> Track | None:
        """Move to the track before; the first stays."""
        if self._played:
            if self._current:
                self._remaining.insert(0, self._current)
            self._current = self._played.pop()
        return self.current

    def jump(self, index: int) -> Track | None:
        """Play what remains from `index` on; what lies between counts as played."""
        if not 0 <= index < len(self._remaining):
            return self.current
        passed = [self._current] if self._current else []
        passed += self._remaining[:index]
        self._played = [*self._played, *passed][-MOST_PLAYED:]
        self._current, self._remaining = self._remaining[index], self._remaining[index + 1 :]
        return self.current

    def move(self, index: int, steps: int) -> int:
        """Move a remaining track up (negative) or down. Returns its new index."""
        if not 0 <= index < len(self._remaining):
            return index
        target = max(0, min(len(self._remaining) - 1, index + steps))
        self._remaining.insert(target, self._remaining.pop(index))
        return target

    def remove(self, index: int) -> Track | None:
        """Take a remaining track out; `undo_remove` puts it back."""
        if not 0 <= index < len(self._remaining):
            return None
        entry = self._remaining.pop(index)
        self._removed.append(Removed(entry, index))
        return entry.track

    def undo_remove(self) -> Track | None:
        """Put back what was taken out last."""
        if not self._removed:
            return None
        removed = self._removed.pop()
        self._remaining.insert(min(removed.index, len(self._remaining)), removed.entry)
        return removed.entry.track

    def forget(self, key: str) -> None:
        """Take a track out everywhere, because its file is gone."""
        self._played = [entry for entry in self._played if entry.track.key != key]
        self._remaining = [entry for entry in self._remaining if entry.track.key != key]
        if self._current and self._current.track.key == key:
            self._current = self._remaining.pop(0) if self._remaining else None

    def start_over(self) -> Track | None:
        """After the end of everything: the first track again, and the others after it."""
        if self._current is None and not self._remaining:
            self._begin_again()
            self._current = self._remaining.pop(0) if self._remaining else None
        return self.current

    def restore(self, played: Sequence[Track], current: Track | None, remaining: Sequence[Track]) -> None:
        """Take up a queue that was remembered, in the order it had."""
        self._played = [self._entry(track) for track in played]
        self._current = self._entry(current) if current else None
        self._remaining = [self._entry(track) for track in remaining]

    def _begin_again(self) -> None:
        """Repeat all: what was played comes once more."""
        # By number, because the current one may stand among the played already from the round before.
        entries = {entry.number: entry for entry in [*self._played, *([self._current] if self._current else [])]}
        self._remaining = [entries[number] for number in sorted(entries)]
        self._played = []
        if self._shuffle:
            self._mix(self._remaining)

    def _mix(self, entries: list[Entry]) -> None:
        self._rng.shuffle(entries)

    def _entry(self, track: Track) -> Entry:
        self._numbers += 1
        return Entry(track, self._numbers)

"""What is heard, block by block: the current file, the one after it, the fades between them. A player pulls from it."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import numpy as np

from llm_music_gen.playback.player import PlayerEvent, Samples
from llm_music_gen.playback.source import AudioSource, Block
from llm_music_gen.units import SAMPLE_RATE_HZ

#: Starting, pausing, seeking and loudness move over this long, so that nothing clicks.
RAMP_FRAMES = 512
RECENT_FRAMES = 2048


class Deck:
    """Two files and their fades. Safe to use from the screen's thread while a device's thread pulls blocks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: AudioSource | None = None
        self._next: AudioSource | None = None
        self._leaving: AudioSource | None = None
        self._fade_frames = 0
        self._faded = 0
        self._crossfade_frames = 0
        self._old_end: Block = _silence(0)
        self._playing = False
        self._gain = 1.0
        self._level = 0.0
        self._events: queue.SimpleQueue[PlayerEvent] = queue.SimpleQueue()
        self._recent: Samples = np.zeros(RECENT_FRAMES, np.float32)

    # For the screen's thread

    @property
    def is_playing(self) -> bool:
        """Whether blocks hold more than silence."""
        return self._playing and self._current is not None

    @property
    def position_s(self) -> float:
        """Where reading is in the current file, in seconds."""
        current = self._current
        return current.position / SAMPLE_RATE_HZ if current else 0.0

    @property
    def length_s(self) -> float:
        """Length of the current file in seconds."""
        current = self._current
        return current.length_s if current else 0.0

    @property
    def current_path(self) -> Path | None:
        """The current file."""
        current = self._current
        return current.path if current else None

    def load(self, path: Path, start_s: float) -> None:
        """Make a file the current one, paused. Raises PlaybackError and then changes nothing."""
        fresh = AudioSource(path, start_s)
        with self._lock:
            self._let_go()
            self._playing = False
            old, self._current = (self._current, self._next), fresh
            self._next = None
        _close(*old)

    def queue_next(self, path: Path | None) -> None:
        """What follows without a gap. Raises PlaybackError and then nothing follows."""
        fresh: AudioSource | None = None
        try:
            fresh = AudioSource(path) if path is not None else None
        finally:
            with self._lock:
                old, self._next = self._next, fresh
            _close(old)

    def seek(self, position_s: float) -> None:
        """Go to a place in the current file."""
        path = self.current_path
        if path is None:
            return
        fresh = AudioSource(path, position_s)  # opened beside the old one: the device's thread never waits for it
        with self._lock:
            if self._current is None or self._current.path != path:
                old: AudioSource | None = fresh
            else:
                self._let_go()
                old, self._current = self._current, fresh
        _close(old)

    def play(self) -> None:
        """Start or go on."""
        with self._lock:
            self._playing = self._current is not None

    def pause(self) -> None:
        """Hold."""
        with self._lock:
            self._let_go()
            self._playing = False

    def stop(self) -> None:
        """Forget the files."""
        with self._lock:
            self._let_go()
            self._playing = False
            old = (self._current, self._next)
            self._current = self._next = None
        _close(*old)

    def set_gain(self, gain: float) -> None:
        """Linear amplitude factor, reached over a ramp."""
        self._gain = min(1.0, max(0.0, gain))

    def set_crossfade(self, crossfade_s: float) -> None:
        """Overlap of consecutive files."""
        self._crossfade_frames = max(0, round(crossfade_s * SAMPLE_RATE_HZ))

    def poll(self) -> PlayerEvent | None:
        """The next event, or None."""
        try:
            return self._events.get_nowait()
        except queue.Empty:
            return None

    def recent_samples(self) -> Samples:
        """The last 2,048 samples, mono."""
        return self._recent

    # For the device's thread

    def read(self, frames: int) -> Block:
        """The next frames to be heard: always exactly that many."""
        with self._lock:
            out = _silence(frames)
            if self._playing:
                self._fill(out)
            end = self._old_end[:frames]
            out[: len(end)] += end
            self._old_end = self._old_end[frames:]
        return np.clip(out, -1.0, 1.0)

    def _fill(self, out: Block) -> None:
        done = 0
        while done < len(out) and self._current is not None:
            if self._leaving is None and self._time_to_cross():
                self._cross()
            block = self._mixed(len(out) - done)
            if not len(block) and not self._move_on():
                break
            out[done : done + len(block)] = block
            done += len(block)
        # The display shows the music as it is; how loud it is played is another matter.
        self._recent = np.concatenate([self._recent, out[:done].mean(axis=1)])[-RECENT_FRAMES:]
        self._apply_level(out[:done])

    def _mixed(self, frames: int) -> Block:
        """Up to `frames` frames of the current file, with the leaving one under it while they cross."""
        assert self._current is not None
        if self._leaving is not None:
            frames = min(frames, self._fade_frames - self._faded)
        elif self._next is not None and self._crossfade_frames:
            frames = min(frames, max(1, self._frames_left() - self._overlap()))
        block = self._current.read(frames)
        if self._leaving is None or not len(block):
            return block
        place = (self._faded + np.arange(len(block), dtype=np.float32)) / self._fade_frames * (np.pi / 2)
        block = block * np.sin(place)[:, None]
        under = self._leaving.read(len(block))
        block[: len(under)] += under * np.cos(place)[: len(under), None]
        self._faded += len(block)
        if self._faded >= self._fade_frames or not len(under):
            _close(self._leaving)
            self._leaving = None
        return block

    def _frames_left(self) -> int:
        return self._current.frames - self._current.position if self._current else 0

    def _time_to_cross(self) -> bool:
        return 0 < self._frames_left() <= self._overlap()

    def _overlap(self) -> int:
        """Frames of the crossfade; never more than half of either file."""
        if self._current is None or self._next is None:
            return 0
        return min(self._crossfade_frames, self._current.frames // 2, self._next.frames // 2)

    def _cross(self) -> None:
        assert self._next is not None
        self._fade_frames, self._faded = max(1, self._overlap()), 0
        self._leaving, self._current, self._next = self._current, self._next, None
        self._events.put(PlayerEvent.MOVED_ON)

    def _move_on(self) -> bool:
        """The current file has ended. Returns whether another one goes on."""
        _close(self._current, self._leaving)
        self._current, self._next, self._leaving = self._next, None, None
        self._events.put(PlayerEvent.MOVED_ON if self._current else PlayerEvent.ENDED)
        self._playing = self._current is not None
        return self._playing

    def _apply_level(self, block: Block) -> None:
        """Move the loudness towards where it shall be; a start begins at silence."""
        ramp = min(len(block), RAMP_FRAMES)
        if ramp:
            block[:ramp] *= np.linspace(self._level, self._gain, ramp, dtype=np.float32)[:, None]
            block[ramp:] *= self._gain
            self._level = self._gain

    def _let_go(self) -> None:
        """Keep a short faded end of what is heard now for the next block, and begin what comes at silence."""
        if self._playing and self._current is not None:
            end = self._current.read(RAMP_FRAMES)
            if self._leaving is None:
                self._old_end = end * np.linspace(self._level, 0.0, len(end), dtype=np.float32)[:, None]
        _close(self._leaving)
        self._leaving = None
        self._level = 0.0


def _silence(frames: int) -> Block:
    return np.zeros((frames, 2), np.float32)


def _close(*sources: AudioSource | None) -> None:
    for source in sources:
        if source is not None:
            source.close()

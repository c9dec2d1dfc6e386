"""The jukebox: what plays, what was played and what comes. It knows no device and no screen; call `tick` a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from llm_music_gen.errors import PlaybackError
from llm_music_gen.playback.memory import JukeboxMemory, read_memory, write_memory
from llm_music_gen.playback.play_queue import PlayQueue, Repeat
from llm_music_gen.playback.player import Player, PlayerEvent
from llm_music_gen.playback.sleep_timer import SleepTimer
from llm_music_gen.playback.track import Track
from llm_music_gen.playback.volume import percent_to_gain

#: `previous` within this long goes to the track before, later it begins the current one again.
PREVIOUS_S = 3.0
SAVE_EVERY_S = 5.0
MOST_CROSSFADE_S = 12.0


class Jukebox:
    """Plays a queue through a `Player`. All methods are for one thread and return at once."""

    def __init__(
        self,
        player: Player,
        *,
        memory_file: Path | None = None,
        volume_percent: float = 65.0,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._player = player
        self._file = memory_file
        self._clock = clock
        self._loaded: Track | None = None
        self._waiting: Track | None = None
        self._resume_at_s = 0.0
        self._saved_s = clock()
        self._volume = volume_percent
        self._muted = False
        self._trim = 1.0
        self._notice = ""
        self.queue = PlayQueue(seed)
        self.sleep = SleepTimer(clock)
        self.favourites: set[str] = set()
        self.spectrum = True
        self.crossfade_s = 0.0
        self.device = ""
        if memory_file is not None:
            self._recall(read_memory(memory_file))
        self._tell_gain()

    # What is going on

    @property
    def is_playing(self) -> bool:
        """Whether sound comes out."""
        return self._player.is_playing

    @property
    def is_stopped(self) -> bool:
        """Whether nothing is loaded (a paused track is)."""
        return self._loaded is None

    @property
    def position_s(self) -> float:
        """Where the current track is, in seconds."""
        return self._resume_at_s if self._loaded is None else self._player.position_s

    @property
    def length_s(self) -> float:
        """Length of the current track; 0 without one."""
        known = self.queue.current.length_s if self.queue.current else 0.0
        return known or (self._player.length_s if self._loaded else 0.0)

    @property
    def volume_percent(self) -> float:
        """0 to 100, as people hear it."""
        return self._volume

    @property
    def muted(self) -> bool:
        """Whether it is silenced for now."""
        return self._muted

    def take_notice(self) -> str:
        """A sentence for the user, once, or ""."""
        notice, self._notice = self._notice, ""
        return notice

    @property
    def device_notice(self) -> str:
        """Why nothing is heard, or ""."""
        return self._player.notice

    def levels(self, bands: int) -> tuple[float, ...]:
        """Spectrum of what is heard now, 0 to 1 a band."""
        if not self.is_playing:
            return (0.0,) * bands
        from llm_music_gen.playback.spectrum import band_levels

        return band_levels(self._player.recent_samples(), bands)

    # Playing

    def play_tracks(self, tracks: Sequence[Track], *, first: int = 0) -> None:
        """A new queue, played at once."""
        self.queue.replace(tracks, first=first)
        self._begin()

    def toggle(self) -> None:
        """Play or pause. From a stop the current track begins where it was left."""
        if self._player.is_playing:
            self._player.pause()
        elif self._loaded is not None:
            self._player.play()
        else:
            self.queue.start_over()
            self._begin(self._resume_at_s)

    def stop(self) -> None:
        """Silence; the current track stays and begins anew."""
        self._player.stop()
        self._loaded = self._waiting = None
        self._resume_at_s = 0.0
        self.save()

    def next(self) -> None:
        """The next track. Stopped or paused it is only chosen."""
        self.queue.go_on(by_itself=False)
        self._change()

    def previous(self) -> None:
        """The track before, or the beginning of this one."""
        if self._loaded is not None and self.position_s > PREVIOUS_S:
            self.seek_to(0.0)
            return
        self.queue.go_back()
        self._change()

    def jump(self, index: int) -> None:
        """Play what remains from `index` on."""
        if 0 <= index < len(self.queue.remaining):
            self.queue.jump(index)
            self._begin()

    def seek_by(self, delta_s: float) -> None:
        """Forward or back by seconds. Past the end comes the next track."""
        self.seek_to(self.position_s + delta_s)

    def seek_to(self, position_s: float) -> None:
        """Go to a moment. Past the end comes the next track; a stopped jukebox stays as it is."""
        if self._loaded is None:
            return
        length_s = self._player.length_s
        if length_s and position_s >= length_s:
            self.next()
            return
        try:
            self._player.seek(max(0.0, position_s))
        except PlaybackError as error:
            self._notice = str(error)

    def seek_fraction(self, fraction: float) -> None:
        """Go to a share of the track, 0 to 1."""
        self.seek_to(min(1.0, max(0.0, fraction)) * self._player.length_s)

    # Loudness and habits

    def set_volume(self, percent: float) -> None:
        """0 to 100, as people hear it."""
        self._volume = min(100.0, max(0.0, percent))
        self._muted = False
        self._tell_gain()

    def set_trim_db(self, trim_db: float) -> None:
        """Turn down by so much beside the volume, so that two versions are heard equally loud; 0 takes it back."""
        self._trim = 10.0 ** (min(0.0, trim_db) / 20.0)
        self._tell_gain()

    def toggle_mute(self) -> None:
        """Silence it, or end the silence."""
        self._muted = not self._muted
        self._tell_gain()

    def set_crossfade(self, crossfade_s: float) -> None:
        """Overlap of consecutive tracks in seconds."""
        self.crossfade_s = min(MOST_CROSSFADE_S, max(0.0, crossfade_s))
        self._player.set_crossfade(self.crossfade_s)

    def toggle_shuffle(self) -> None:
        """Random order on or off."""
        self.queue.set_shuffle(not self.queue.shuffle)

    def step_repeat(self) -> None:
        """Repeat off, all, one."""
        self.queue.repeat = self.queue.repeat.following

    def toggle_favourite(self) -> bool:
        """Mark the current track, or unmark it. Returns whether it is marked now."""
        track = self.queue.current
        if track is None:
            return False
        self.favourites ^= {track.key}
        return track.key in self.favourites

    def forget(self, track: Track) -> None:
        """Take a track out of the queue because its file goes; if it plays, the next one does."""
        was_playing = self.is_playing
        plays = self._loaded is not None and self._loaded.key == track.key
        if plays:
            self._player.stop()
            self._loaded = None
        if self._waiting is not None and self._waiting.key == track.key:
            self._player.queue_next(None)
            self._waiting = None
        self.queue.forget(track.key)
        if plays and was_playing and self.queue.current is not None:
            self._begin()

    def devices(self) -> tuple[str, ...]:
        """Names of the output devices."""
        return self._player.devices()

    def choose_device(self, name: str) -> None:
        """Play through this one from now on."""
        self.device = name
        self._player.choose_device(name)

    # Time passes

    def tick(self) -> None:
        """Take note of what the player did, fade for the sleep timer, keep what comes next ready, remember the place."""
        while (event := self._player.poll()) is not None:
            if event is PlayerEvent.MOVED_ON:
                self.queue.go_on(by_itself=True)
                self._loaded, self._waiting = self.queue.current, None
            else:
                self._loaded = self._waiting = None
                self._resume_at_s = 0.0
                if self.queue.go_on(by_itself=True) is not None:
                    self._begin()
        if self.sleep.take_end():
            self._player.pause()
        self._tell_gain()
        self._prepare_next()
        if self._clock() - self._saved_s >= SAVE_EVERY_S:
            self.save()

    def save(self) -> None:
        """Remember queue, place and habits."""
        self._saved_s = self._clock()
        if self._file is not None:
            write_memory(
                self._file,
                JukeboxMemory(
                    played=self.queue.played,
                    current=self.queue.current,
                    remaining=self.queue.remaining,
                    position_s=self.position_s,
                    shuffle=self.queue.shuffle,
                    repeat=self.queue.repeat.value,
                    crossfade_s=self.crossfade_s,
                    device=self.device,
                    spectrum=self.spectrum,
                    favourites=frozenset(self.favourites),
                ),
            )

    def close(self) -> None:
        """Remember and give the device back."""
        self.save()
        self._player.close()

    def _recall(self, memory: JukeboxMemory) -> None:
        played, remaining = ([track for track in tracks if track.path.exists()] for tracks in (memory.played, memory.remaining))
        there = memory.current is not None and memory.current.path.exists()
        if not there and remaining:
            current: Track | None = remaining.pop(0)
        else:
            current = memory.current if there else None
        self.queue.set_shuffle(memory.shuffle)
        self.queue.restore(played, current, remaining)
        self.queue.repeat = Repeat(memory.repeat) if memory.repeat in {repeat.value for repeat in Repeat} else Repeat.OFF
        self._resume_at_s = max(0.0, memory.position_s) if there else 0.0
        self.favourites = set(memory.favourites)
        self.spectrum = memory.spectrum
        self.set_crossfade(memory.crossfade_s)
        if memory.device:
            self.choose_device(memory.device)

    def _change(self) -> None:
        """The current track has changed: play it if something played, else only have it ready."""
        if self.is_playing:
            self._begin()
        else:
            self._player.stop()
            self._loaded = self._waiting = None
            self._resume_at_s = 0.0

    def _begin(self, start_s: float = 0.0) -> None:
        """Play the current track; one that cannot be played is passed over with a word."""
        self._waiting = None
        for _ in range(len(self.queue.remaining) + 1):
            track = self.queue.current
            if track is None:
                break
            try:
                self._player.load(track.path, start_s)
            except PlaybackError as error:
                self._notice, start_s = str(error), 0.0
                self.queue.go_on(by_itself=False)
                continue
            self._loaded, self._resume_at_s = replace(track, length_s=track.length_s or self._player.length_s), 0.0
            self._player.play()
            return
        self._player.stop()
        self._loaded = None

    def _prepare_next(self) -> None:
        """Keep the player told what follows, so that there is no gap and a changed queue is heard."""
        if self._loaded is None:
            return
        following = self.queue.following()
        if following == self._waiting:
            return
        try:
            self._player.queue_next(following.path if following else None)
        except PlaybackError as error:
            self._notice = str(error)
            self.queue.forget(following.key if following else "")
            return
        self._waiting = following

    def _tell_gain(self) -> None:
        self._player.set_gain(0.0 if self._muted else percent_to_gain(self._volume) * self._trim * self.sleep.gain)

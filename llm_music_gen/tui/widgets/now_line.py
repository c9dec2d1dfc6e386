"""One line on every screen that says what plays and what is being made."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.tui.words import clock, percent, shortened

#: A job of this many songs was meant to go on until it is stopped.
ENDLESS_SONGS = 1000
#: Jobs that make songs, one after the other.
SONG_JOBS = ("generate", "remake", "resume")


class NowLine(Static):
    """Hidden while nothing goes on."""

    def on_mount(self) -> None:
        self.display = False

    def show(self, jukebox: Jukebox, jobs: tuple[Job, ...]) -> None:
        """Draw anew where something changed."""
        text = now_text(jukebox, jobs, self.app.size.width)
        self.display = bool(text)
        if text != getattr(self, "_shown", None):
            self._shown = text
            self.update(Text(text, no_wrap=True, overflow="ellipsis"))


def now_text(jukebox: Jukebox, jobs: tuple[Job, ...], room: int) -> str:
    """What plays on the left, what is made on the right."""
    playing, making = "", _making(jobs)
    track = jukebox.queue.current
    if track is not None and not jukebox.is_stopped:
        how = "Playing" if jukebox.is_playing else "Paused"
        place = f"{clock(jukebox.position_s)}/{clock(jukebox.length_s)}"
        title_room = room - len(making) - len(how) - len(place) - 8
        playing = f" {how}: {shortened(track.title, max(8, title_room))} {place}"
    return playing + " " * max(2, room - len(playing) - len(making) - 2) + making if playing or making else ""


def is_endless(job: Job) -> bool:
    """Whether it was to go on until it is stopped: as many songs as a job can have."""
    return int(job.request.get("songs", 1)) >= ENDLESS_SONGS


def _making(jobs: tuple[Job, ...]) -> str:
    running = next((job for job in jobs if job.state is JobState.RUNNING), None)
    waiting = sum(job.state is JobState.QUEUED for job in jobs)
    if running is None:
        return f"{waiting} waiting" if waiting else ""
    return _doing(running) + (f", {waiting} more waiting" if waiting else "")


def _doing(job: Job) -> str:
    """A running job in a few words."""
    if job.kind == "get":
        return f"Getting {shortened(str(job.request.get('name', '')), 24)}: {percent(job.fraction)}%"
    if job.kind not in SONG_JOBS:
        return f"{shortened(job.title, 32)}: {percent(job.fraction)}%"
    making = f"Making song {job.detail.get('song_number', 1)}"
    return making + ("" if is_endless(job) else f" of {job.detail.get('songs', 1)}: {percent(job.fraction)}%")

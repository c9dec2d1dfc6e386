"""One line on every screen that says what plays and what is being made."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.tui.words import clock, percent, shortened


class NowLine(Static):
    """Hidden while nothing goes on."""

    def show(self, jukebox: Jukebox, jobs: tuple[Job, ...]) -> None:
        """Draw anew where something changed."""
        text = now_text(jukebox, jobs, self.app.size.width)
        self.display = bool(text)
        if text != getattr(self, "_shown", None):
            self._shown = text
            self.update(Text(text, no_wrap=True, overflow="ellipsis"))


def now_text(jukebox: Jukebox, jobs: tuple[Job, ...], room: int) -> str:
    """What plays on the left, what is made on the right."""
    playing = ""
    track = jukebox.queue.current
    if track is not None and not jukebox.is_stopped:
        how = "Playing" if jukebox.is_playing else "Paused"
        title = shortened(track.title, max(12, room // 2 - 26))
        playing = f" {how}: {title} {clock(jukebox.position_s)}/{clock(jukebox.length_s)}"
    making = ""
    running = next((job for job in jobs if job.state is JobState.RUNNING), None)
    waiting = sum(job.state is JobState.QUEUED for job in jobs)
    if running is not None:
        number, songs = running.detail.get("song_number", 1), running.detail.get("songs", 1)
        of = f" of {songs}" if songs else ""
        making = f"Making song {number}{of}: {percent(running.fraction)}%" if songs else f"Making song {number}"
        making += f", {waiting} more waiting" if waiting else ""
    elif waiting:
        making = f"{waiting} waiting"
    return playing + " " * max(2, room - len(playing) - len(making) - 2) + making if playing or making else ""

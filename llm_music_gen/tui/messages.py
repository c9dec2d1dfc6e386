"""What the bridge tells the screens. Messages about progress replace older ones of their kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.message import Message

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.domain.song import Song
from llm_music_gen.jobs.when_done import WhenDone


class JobsMoved(Message):
    """The queue as it stands now."""

    def __init__(self, jobs: Sequence[Job], *, alive: bool, when_done: WhenDone, left_s: int | None) -> None:
        super().__init__()
        # A row that says "running" while nobody works was left by a worker that was killed.
        cut_off = JobState.INTERRUPTED
        self.jobs = tuple(replace(job, state=cut_off) if job.state is JobState.RUNNING and not alive else job for job in jobs)
        self.alive = alive
        """Whether a worker carries the queue out."""
        self.when_done = when_done
        self.left_s = left_s
        """Seconds until sleep or shutdown, or None."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, JobsMoved)


class QueueEmptied(Message):
    """The last job is over, and this was to happen then."""

    def __init__(self, action: WhenDone) -> None:
        super().__init__()
        self.action = action


class LibraryRead(Message):
    """The songs of the library, the oldest first."""

    def __init__(self, songs: Sequence[Song], total_s: float, arrived: Sequence[Song]) -> None:
        super().__init__()
        self.songs = songs
        self.total_s = total_s
        """Their length together."""
        self.arrived = tuple(arrived)
        """Those that were not there the last time; empty the first time."""


class Told(Message):
    """A sentence for the user."""

    def __init__(self, sentence: str, *, bad: bool = False) -> None:
        super().__init__()
        self.sentence = sentence
        self.bad = bad

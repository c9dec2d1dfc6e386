"""Jobs: work that goes on behind the screens, and the shape of whatever carries it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from llm_music_gen.domain.progress import Work


class JobState(str, Enum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """It was running when the machine or the studio was killed; it waits to be resumed."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the queue."""

    uid: str
    kind: str
    """Name of the handler: generate, remake, render, ..."""
    title: str
    """One line for people."""
    request: dict[str, Any]
    """What the handler needs, JSON-able."""
    state: JobState
    position: float
    """Place in the queue; lower comes first."""
    created_at: str
    """UTC, ISO 8601."""
    started_at: str = ""
    ended_at: str = ""
    fraction: float = 0.0
    """Of the whole job, 0 to 1; never goes back."""
    stage: str = ""
    message: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    """One sentence when it failed."""
    attempts: int = 0
    """How often its process was started."""
    result: dict[str, Any] = field(default_factory=dict)
    log_file: str = ""
    """Where its log is, or "" before it started."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a handler is given besides its request."""

    job_dir: Path
    """Its own folder; kept until the job is removed, so that work can be resumed."""
    stop_after_unit: Callable[[], bool]
    """Whether to end after the song in work: ask it between songs."""


#: Carries out one kind of job. Yields `Progress` whose `fraction` is of the WHOLE job and returns a JSON-able result.
Handler = Callable[[dict[str, Any], JobContext], Work[dict[str, Any]]]

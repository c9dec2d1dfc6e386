"""What the app is given: folders, settings, library, queue and jukebox. Tests hand in others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from llm_music_gen.jobs.lock import ProcessLock
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.library.catalogue import Library
from llm_music_gen.paths import StudioPaths, studio_paths
from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.settings import Settings, load_settings_or_defaults

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Recorder(Protocol):
    """What records speech between a start and a stop."""

    def start(self) -> None:
        """Begin. Raises PlaybackError where there is no microphone."""

    def stop(self) -> NDArray[np.float32]:
        """End it: mono at 16 kHz, shape (frames,). Raises PlaybackError."""
        ...

    def close(self) -> None:
        """Forget it and free the device."""


def _microphone() -> Recorder:
    from llm_music_gen.voice.microphone import Microphone

    return Microphone()


def _say_aloud(text: str, services: Services, is_stopped: Callable[[], bool]) -> None:
    from llm_music_gen.studio.voice_room import say_aloud

    say_aloud(text, "", services.paths, services.settings, is_stopped)


@dataclass
class Services:
    """Everything behind the screens."""

    paths: StudioPaths
    settings: Settings
    library: Library
    jukebox: Jukebox
    open_queue: Callable[[], JobQueue]
    """Opens the queue; called in the bridge's thread, which alone uses it."""
    owner: bool = True
    """Whether this app may give work to the queue; a second one at the same time only plays."""
    complaint: str = ""
    """What was wrong with the settings file, or ""."""
    clock: Callable[[], float] = time.monotonic
    lock: ProcessLock | None = None
    microphone: Callable[[], Recorder] = _microphone
    say_aloud: Callable[[str, Services, Callable[[], bool]], None] = _say_aloud
    """Speaks an answer and returns when it is over; another thread may stop it."""


def open_services() -> Services:
    """The user's own studio."""
    from llm_music_gen.playback.miniaudio_player import MiniaudioPlayer

    paths = studio_paths()
    from llm_music_gen.logs import start_logging

    settings, complaint = load_settings_or_defaults(paths.settings_file)
    start_logging(paths.logs_dir, settings.log_level)
    lock = ProcessLock(paths.jobs_dir / "app.lock")
    owner = lock.acquire(patience_s=0.2)

    def open_queue() -> JobQueue:
        from llm_music_gen.studio.work_queue import open_queue as opened

        return opened(paths, may_work=owner)

    # Only the owner writes down where the jukebox is, so that two apps do not overwrite each other.
    memory_file = paths.data_dir / "jukebox.json" if owner else None
    return Services(
        paths=paths,
        settings=settings,
        library=Library(paths.database_file, paths.songs_dir, paths.data_dir / "trash"),
        jukebox=Jukebox(MiniaudioPlayer(), memory_file=memory_file, volume_percent=settings.volume_percent, seed=time.time_ns()),
        open_queue=open_queue,
        owner=owner,
        complaint=complaint,
        lock=lock,
    )

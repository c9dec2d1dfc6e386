"""What the app is given: folders, settings, library, queue and jukebox. Tests hand in others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from llm_music_gen.jobs.lock import ProcessLock
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.library.catalogue import Library
from llm_music_gen.paths import StudioPaths, studio_paths
from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.settings import Settings, load_settings_or_defaults


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

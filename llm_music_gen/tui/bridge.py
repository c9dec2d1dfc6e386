"""The only talk between the screens and the worlds behind them: one thread owns the queue and the library, and posts messages."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Any

from textual.app import App

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.errors import StudioError
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.jobs.when_done import WhenDone
from llm_music_gen.tui.messages import JobsMoved, LibraryRead, QueueEmptied, Told
from llm_music_gen.tui.services import Services

#: How often the queue is looked at. Bars move at least twice a second.
LOOK_EVERY_S = 0.25
#: How often the library's folder is looked at for songs that came from elsewhere.
LIBRARY_EVERY = 20
#: Of songs that came at once, as from a folder copied in, so many are queued to be played.
MOST_ARRIVED = 100
_log = logging.getLogger(__name__)
Task = Callable[[JobQueue], str | None]


class Bridge:
    """Runs tasks that would make the screen wait, and watches the queue."""

    def __init__(self, app: App[Any], services: Services) -> None:
        self._app = app
        self._services = services
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="bridge", daemon=True)
        self._known: frozenset[str] | None = None
        self._made = -1
        self._folder_ns = -1
        self._active = False
        self._wish = WhenDone.NOTHING
        self._last_error = ""
        self._last: tuple[object, ...] = ()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching; waits for the task in work."""
        self._tasks.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=20.0)

    def do(self, task: Task) -> None:
        """Run a task with the queue, later and elsewhere. What it returns is shown, and so is its StudioError."""
        self._tasks.put(task)

    def read_library(self) -> None:
        """Read the library again."""
        self._tasks.put(lambda _: self._read_library())

    def _run(self) -> None:
        try:
            jobs = self._services.open_queue()
        except StudioError as error:
            self._app.post_message(Told(str(error), bad=True))
            return
        self._guarded(lambda _: self._read_library(), jobs)
        self._guarded(_warm_up, jobs)
        looks = 0
        while True:
            try:
                task = self._tasks.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                self._guarded(self._look, jobs)
                looks += 1
                if looks % LIBRARY_EVERY == 0:
                    self._guarded(lambda _: self._read_if_changed(), jobs)
                continue
            if task is None:
                jobs.close()
                return
            self._guarded(task, jobs)
            self._guarded(self._look, jobs)

    def _guarded(self, task: Task, jobs: JobQueue) -> None:
        try:
            sentence = task(jobs)
        except StudioError as error:
            self._app.post_message(Told(str(error), bad=True))
        except Exception as error:  # one task that goes wrong must not end the watch over the queue
            _log.exception("a task of the app failed")
            if str(error) != self._last_error:  # a watch that fails four times a second says so once
                self._last_error = str(error)
                self._app.post_message(Told(f"Something unexpected went wrong ({type(error).__name__}: {error}).", bad=True))
        else:
            if sentence:
                self._app.post_message(Told(sentence))

    def _look(self, jobs: JobQueue) -> None:
        now = jobs.jobs()
        alive = jobs.worker_is_alive()
        when_done, left_s = jobs.when_done()
        made = sum(songs_made(job) for job in now)
        if made != self._made:
            self._made = made
            self._read_library()
        active = any(job.state in (JobState.QUEUED, JobState.RUNNING) for job in now)
        if active and self._services.owner:
            # A worker that died is started again; one that was never asked for (old jobs at the start) is not.
            if self._active:
                jobs.ensure_worker()
        elif self._active and not active:
            self._app.post_message(QueueEmptied(self._wish))
        self._active = active and (self._active or alive)
        if when_done is not WhenDone.NOTHING or active:
            self._wish = when_done
        state = (now, alive, when_done, left_s)
        if state != self._last:
            self._last = state
            self._app.post_message(JobsMoved(now, alive=alive, when_done=when_done, left_s=left_s))

    def _read_if_changed(self) -> None:
        if self._folder_time() != self._folder_ns:
            self._read_library()

    def _read_library(self) -> None:
        self._folder_ns = self._folder_time()
        library = self._services.library
        ids = library.ids()
        new = ids - self._known if self._known is not None else frozenset[str]()
        self._known = ids
        found = (library.song_with_id(song_id) for song_id in list(new)[:MOST_ARRIVED])
        arrived = sorted((song for song in found if song is not None and not song.missing), key=lambda song: song.created)
        self._app.post_message(LibraryRead(library.search(), library.total_length_s(), arrived))

    def _folder_time(self) -> int:
        try:
            return self._services.paths.songs_dir.stat().st_mtime_ns
        except OSError:
            return 0


def _warm_up(_: JobQueue) -> None:
    """Load what playing needs, so that the first press of a key is as quick as the second."""
    import soundfile  # noqa: F401

    from llm_music_gen.playback import deck, spectrum  # noqa: F401


def songs_made(job: Job) -> int:
    """Songs a job has finished or given up so far."""
    if job.state is JobState.DONE:
        return len(job.result.get("songs", ()))
    return int(job.detail.get("song_number", 1)) - (0 if job.stage in ("finished", "failed") else 1)

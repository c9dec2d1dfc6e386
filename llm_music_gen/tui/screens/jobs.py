"""The queue: what waits, runs, is done or failed, and why."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList, Static

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.jobs.when_done import WhenDone
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.dialogs import Choose, Page
from llm_music_gen.tui.widgets.rule import Line
from llm_music_gen.tui.widgets.song_list import SongList
from llm_music_gen.tui.words import percent, shortened

_WHEN_DONE = {
    WhenDone.NOTHING: "Nothing",
    WhenDone.PLAY: "Play the songs",
    WhenDone.SLEEP: "Put the computer to sleep",
    WhenDone.SHUTDOWN: "Shut the computer down",
}
MAX_LOG_BYTES = 20_000


class JobsScreen(StudioScreen):
    """The keys act on the marked job."""

    PLACE = "jobs"
    HEADING = "Jobs"
    PROMPT = "Selection; Back to Main = B, Exit Program = X:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("jobs")]

    def body(self) -> ComposeResult:
        yield Static(id="summary")
        yield SongList(id="jobs")
        yield Line()
        yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        self.query_one("#jobs").focus()

    def focus_home(self) -> None:
        self.query_one("#jobs").focus()

    def show_jobs(self) -> None:
        jobs, width = self.studio.jobs, self.size.width or 80
        count = {state: sum(job.state is state for job in jobs) for state in JobState}
        summary = ", ".join(f"{number} {state.value}" for state, number in count.items() if number) or "There are no jobs yet."
        after = self.studio.when_done
        done = f"    When all is done: {_WHEN_DONE[after].lower()}" if after is not WhenDone.NOTHING else ""
        self.query_one("#summary", Static).update(Text(summary + done, no_wrap=True, overflow="ellipsis"))
        self.query_one(SongList).show([_line(job, width) for job in jobs])
        self._explain()

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        job = self._marked()
        text = (
            ""
            if job is None
            else "\n".join(filter(None, [job.error or job.message, f"Log: {job.log_file}" if job.log_file else ""]))
        )
        self.query_one("#about", Static).update(text)

    def _marked(self) -> Job | None:
        marked, jobs = self.query_one(SongList).highlighted, self.studio.jobs
        return jobs[marked] if marked is not None and marked < len(jobs) else None

    def action_pause(self) -> None:
        job = self._marked()
        if job is not None:
            uid, held = job.uid, job.state in (JobState.PAUSED, JobState.INTERRUPTED)
            self.studio.bridge.do(lambda queue: queue.resume(uid) if held else queue.pause(uid))

    def action_cancel_now(self) -> None:
        job = self._marked()
        if job is not None and not job.state.is_over:
            uid = job.uid
            self.studio.bridge.do(lambda queue: queue.cancel(uid))

    def action_cancel_after(self) -> None:
        job = self._marked()
        if job is not None and job.state is JobState.RUNNING:
            uid = job.uid
            self.studio.bridge.do(lambda queue: queue.cancel(uid, after_song=True))

    def action_retry(self) -> None:
        job = self._marked()
        if job is None:
            return
        uid, cut_off = job.uid, job.state in (JobState.PAUSED, JobState.INTERRUPTED, JobState.RUNNING)
        self.studio.bridge.do(lambda queue: queue.resume(uid) if cut_off else queue.retry(uid))

    def action_move(self, steps: int) -> None:
        job = self._marked()
        if job is not None:
            uid = job.uid
            self.studio.bridge.do(lambda queue: queue.move(uid, steps))

    def action_remove(self) -> None:
        job = self._marked()
        if job is not None and job.state is not JobState.RUNNING:
            uid = job.uid
            self.studio.bridge.do(lambda queue: queue.remove(uid))

    def action_when_done(self) -> None:
        choices = tuple(_WHEN_DONE)

        def chosen(index: int | None) -> None:
            if index is None:
                return
            action = choices[index]

            def tell(queue: JobQueue) -> str:
                queue.set_when_done(action)
                return f"When all is done: {_WHEN_DONE[action].lower()}."

            self.studio.bridge.do(tell)

        here = choices.index(self.studio.when_done)
        self.app.push_screen(Choose("What shall happen when all jobs are done?", list(_WHEN_DONE.values()), here), chosen)

    def action_open_log(self) -> None:
        job = self._marked()
        if job is None or not job.log_file:
            return
        try:
            with Path(job.log_file).open("rb") as file:
                file.seek(max(0, Path(job.log_file).stat().st_size - MAX_LOG_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError as error:
            text = f"The log cannot be read ({error})."
        self.app.push_screen(Page(job.log_file, text or "The log is empty."))


def _line(job: Job, width: int) -> str:
    room = max(20, width - 34)
    return f"{job.state.value:<11} {percent(job.fraction):>3}%  {shortened(job.title, room):<{room}} {job.stage}"

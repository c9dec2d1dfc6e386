"""Audio files changed by request: a plan to look at and edit, before and after at equal loudness, keep or undo."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from llm_music_gen.errors import StudioError
from llm_music_gen.playback.track import Track
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.dialogs import AskText, Choose
from llm_music_gen.tui.widgets.path_suggester import PathSuggester
from llm_music_gen.tui.widgets.rule import Line
from llm_music_gen.tui.widgets.song_list import SongList

if TYPE_CHECKING:
    from llm_music_gen.jobs.queue import JobQueue
    from llm_music_gen.processing.report import Failure, Report
    from llm_music_gen.studio.processing_room import Processing


#: From so many files on the queue is offered.
MANY_FILES = 6
WAYS = ("In the queue: this screen stays free, and a restart goes on where it was", "Here and now")


class ProcessingScreen(StudioScreen):
    """One plan at a time. What takes long happens in a thread of its own, which ends when the screen is left."""

    PLACE = "processing"
    HEADING = "Process Audio"
    PROMPT = "Files and request, Enter; Run = R, Hear = A, Undo = U, Back to Main = B:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("processing")]

    def __init__(self) -> None:
        super().__init__()
        self._plan: Processing | None = None
        self._results: list[Report | Failure] = []
        self._hears_after = False
        self._busy = False

    def body(self) -> ComposeResult:
        placeholder = "Audio files or folders; several are separated by semicolons (Right completes)"
        yield Input(placeholder=placeholder, id="files", suggester=PathSuggester())
        yield Input(placeholder="What should happen: warmer and louder for YouTube, remove the hiss", id="wish")
        yield Line()
        yield SongList(id="plan")
        yield Line()
        with VerticalScroll(id="outcome"):
            yield Static(id="told", markup=False)

    def on_mount(self) -> None:
        playing = self.studio.jukebox.queue.current
        files = self.query_one("#files", Input)
        files.value = str(playing.path) if playing else ""
        (self.query_one("#wish") if playing else files).focus()

    def on_unmount(self) -> None:
        self.studio.jukebox.set_trim_db(0.0)

    def focus_home(self) -> None:
        self.query_one("#plan").focus()

    # The plan

    @on(Input.Submitted, "#files")
    def _files_named(self) -> None:
        self.query_one("#wish").focus()

    @on(Input.Submitted, "#wish")
    def _wished(self) -> None:
        from llm_music_gen.studio.model_planner import planner_for
        from llm_music_gen.studio.processing_room import files_of, plan_processing

        names = [name.strip().strip('"') for name in self.query_one("#files", Input).value.split(";") if name.strip()]
        request = self.query_one("#wish", Input).value.strip()
        if not names or not request:
            self._tell("Name at least one audio file, and say what should happen to it.")
            return
        services = self.studio.services

        def plan() -> None:
            planner = planner_for(services.paths, services.settings)
            self._show_plan(plan_processing(request, files_of(names, with_results=False), planner))

        self._begin(plan, "Looking at the files...")

    def _show_plan(self, plan: Processing) -> None:
        self.app.call_from_thread(self._take_plan, plan)

    def _take_plan(self, plan: Processing) -> None:
        self._plan, self._results, self._hears_after = plan, [], False
        self._draw_plan()
        self._tell(f"{_counted(plan)}{plan.plan.reply}")
        self.focus_home()

    def _draw_plan(self) -> None:
        calls = self._plan.plan.calls if self._plan else ()
        self.query_one(SongList).show([f"{number}. {call}" for number, call in enumerate(calls, 1)])

    def _marked(self) -> int | None:
        marked = self.query_one(SongList).highlighted
        return marked if self._plan is not None and marked is not None and marked < len(self._plan.plan.calls) else None

    def _replace_calls(self, calls: tuple[Any, ...]) -> None:
        assert self._plan is not None
        self._plan = replace(self._plan, plan=replace(self._plan.plan, calls=calls))
        self._draw_plan()

    def action_remove(self) -> None:
        marked = self._marked()
        if marked is not None and self._plan is not None and not self._busy:
            calls = self._plan.plan.calls
            self._replace_calls((*calls[:marked], *calls[marked + 1 :]))

    def action_edit(self) -> None:
        from llm_music_gen.processing.registry import REGISTRY
        from llm_music_gen.studio.processing_room import call_from_text
        from llm_music_gen.tools.words import call_as_words, settings_of

        marked = self._marked()
        if marked is None or self._plan is None or self._busy:
            return
        calls = self._plan.plan.calls
        text = call_as_words(calls[marked])

        def take(changed: str | None) -> None:
            if changed:
                self._replace_calls((*calls[:marked], call_from_text(changed), *calls[marked + 1 :]))

        hint = settings_of(REGISTRY[calls[marked].tool]) if calls[marked].tool in REGISTRY else "The tool, then its settings."
        self.app.push_screen(AskText("What shall this step do?", text, lambda words: str(call_from_text(words)), hint), take)

    # Carrying it out

    def action_run(self) -> None:
        plan = self._plan
        if plan is None or not plan.runnable:
            self._tell("There is nothing to carry out yet: name files, say what should happen and press Enter.")
        elif plan.unanswered:
            self._tell(f"{plan.plan.reply} Del removes a step that cannot run here.")
        elif len(plan.files) >= MANY_FILES and self.studio.services.owner:
            self.app.push_screen(
                Choose(f"{len(plan.files)} files: where shall they be worked on?", WAYS), partial(self._where, plan)
            )
        else:
            self._begin(partial(self._carry_out, plan), "Processing...")

    def _where(self, plan: Processing, way: int | None) -> None:
        if way == 0:
            self.action_queue()
        elif way == 1:
            self._begin(partial(self._carry_out, plan), "Processing...")

    def action_queue(self) -> None:
        """Leave it to the worker: for many files, and for when the program shall be closed."""
        plan = self._plan
        if plan is None or not plan.runnable or plan.unanswered:
            self.action_run()  # which says what is missing
            return
        if not self.studio.services.owner:
            self._tell("Another Llm-Music-Gen is open and does the work; this one only plays.")
            return

        def submit(queue: JobQueue) -> str:
            from llm_music_gen.studio.processing_jobs import submit

            submit(queue, plan)
            return "It is in the queue; J on the main menu shows how it gets on."

        self.studio.bridge.do(submit)

    def _carry_out(self, plan: Processing) -> None:
        from llm_music_gen.studio.processing_room import run_processing

        worker = get_current_worker()
        work, shown = run_processing(plan, self.studio.services.paths), -1
        try:
            while not worker.is_cancelled:
                progress = next(work)
                if round(progress.fraction * 100) != shown:
                    shown = round(progress.fraction * 100)
                    self.app.call_from_thread(self._tell, f"{shown} %  {progress.message}")
        except StopIteration as stop:
            self.app.call_from_thread(self._done, stop.value)
        finally:
            work.close()

    def _done(self, results: list[Report | Failure]) -> None:
        from llm_music_gen.processing.report import Report

        self._results = results
        lines = []
        if len(results) > 1:
            failed = sum(not isinstance(result, Report) for result in results)
            lines.append(f"{len(results) - failed} of {len(results)} files are done.")
        for result in results:
            if isinstance(result, Report) and len(results) > 1:
                lines.append(f"  {result.output.name}: {_short(result)}")
            elif isinstance(result, Report):
                lines += [
                    str(result.output),
                    *(f"  {what:<16} {before:>13} -> {after}" for what, before, after in result.lines()),
                ]
                lines += [f"  {note}" for note in result.notes]
            else:
                named = result.source.name in result.reason
                lines.append(result.reason if named else f"{result.source.name} failed. {result.reason}")
        self._tell("\n".join(lines))

    def _first(self) -> Report | None:
        from llm_music_gen.processing.report import Report

        return next((result for result in self._results if isinstance(result, Report)), None)

    def action_compare(self) -> None:
        """The other version from the same place on, the louder one turned down by what was measured."""
        result = self._first()
        if result is None:
            self._tell("Before and after can be heard when something was processed.")
            return
        jukebox = self.studio.jukebox
        ours = jukebox.queue.current is not None and jukebox.queue.current.path in (result.source, result.output)
        place_s = jukebox.position_s if ours else 0.0
        self._hears_after = not self._hears_after
        path, here, other = (
            (result.output, result.after.lufs, result.before.lufs)
            if self._hears_after
            else (result.source, result.before.lufs, result.after.lufs)
        )
        louder_db = here - other
        jukebox.play_tracks([Track(path, f"{path.stem} ({'after' if self._hears_after else 'before'})")])
        jukebox.set_trim_db(-max(0.0, louder_db) if math.isfinite(louder_db) else 0.0)
        if 0.0 < place_s < jukebox.length_s:
            jukebox.seek_to(place_s)
        self.notify(f"{'After' if self._hears_after else 'Before'}, at equal loudness.", timeout=2)

    def action_keep(self) -> None:
        """Go on with the results."""
        from llm_music_gen.processing.report import Report

        outputs = [str(result.output) for result in self._results if isinstance(result, Report)]
        if outputs:
            self.query_one("#files", Input).value = "; ".join(outputs)
            self.query_one("#wish", Input).value = ""
            self.query_one("#wish").focus()
            # What is shown as the plan was for the originals.
            self._plan = None
            self._draw_plan()
            self._tell("Kept. The next request works on the results.")

    def action_undo(self) -> None:
        """Back to what was there before; nothing is deleted."""
        from llm_music_gen.processing.report import Report
        from llm_music_gen.studio.processing_room import undo_processing

        done = [result for result in self._results if isinstance(result, Report)]
        try:
            back = [undo_processing(result.output, 1, self.studio.services.paths) for result in done]
        except StudioError as error:
            self._tell(str(error))
            return
        if back:
            self._results = []
            self.query_one("#files", Input).value = "; ".join(str(path) for path in back)
            self._tell("Undone; the results still lie beside the originals.")

    def action_files(self) -> None:
        self.query_one("#files").focus()

    def _begin(self, work: Any, sentence: str) -> None:
        """Do something in a thread; one thing at a time."""
        if self._busy:
            return
        self._busy = True
        self._tell(sentence)

        def guarded() -> None:
            try:
                work()
            except StudioError as error:
                self.app.call_from_thread(self._tell, str(error))
            finally:
                self._busy = False

        self.run_worker(guarded, thread=True, exclusive=True)

    def _tell(self, sentence: str) -> None:
        self.draw(lambda: self.query_one("#told", Static).update(sentence))


def _counted(plan: Processing) -> str:
    """How many files there are, where a person may not have counted them."""
    if len(plan.files) < 2:
        return ""
    return f"{len(plan.files)} files, {plan.files[0].name} to {plan.files[-1].name}. "


def _short(report: Report) -> str:
    """Loudness and peak in half a line."""
    before, after = report.before, report.after
    return f"{before.lufs:.1f} -> {after.lufs:.1f} LUFS, peaks {before.true_peak_dbtp:.1f} -> {after.true_peak_dbtp:.1f} dBTP"

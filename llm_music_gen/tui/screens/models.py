"""Models, soundfonts and voices that can be had: what they are, which are here, and getting them through the queue."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList, Static

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.errors import StudioError
from llm_music_gen.fetching.known import KINDS
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.studio.getting import GetRequest, entries, folder_for, links
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.dialogs import AskText, Choose, Page
from llm_music_gen.tui.widgets.rule import Line
from llm_music_gen.tui.widgets.song_list import SongList
from llm_music_gen.tui.words import percent, shortened


class ModelsScreen(StudioScreen):
    """The keys act on the marked thing. Nothing is asked of the network before somebody wants it."""

    PLACE = "models"
    HEADING = "Models, Soundfonts, Voices"
    PROMPT = "Selection; Get = Enter, Back to Main = B, Exit Program = X:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("models")]

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[dict[str, Any]] = []
        self._done = -1

    def body(self) -> ComposeResult:
        yield Static("Nothing is fetched before you ask for it.", id="total", markup=False)
        yield SongList(id="list")
        yield Line()
        yield Static(id="about", markup=False)

    def on_mount(self) -> None:
        self.query_one("#list").focus()
        self._look()

    def focus_home(self) -> None:
        self.query_one("#list").focus()

    @work(thread=True, exclusive=True, exit_on_error=False)
    def _look(self) -> None:
        """See what is here; folders on slow disks may take their time."""
        found = [entry for kind in KINDS for entry in entries(kind, self.studio.services.paths)]
        self.app.call_from_thread(self._show_entries, found)

    def _show_entries(self, found: list[dict[str, Any]]) -> None:
        self._entries = found
        self.draw(self._lines)

    def show_jobs(self) -> None:
        done = sum(job.kind == "get" and job.state is JobState.DONE for job in self.studio.jobs)
        if done != self._done:
            self._done = done
            self._look()
        self._lines()

    def _lines(self) -> None:
        room = max(20, (self.size.width or 80) - 36)
        self.query_one(SongList).show([self._line(entry, room) for entry in self._entries])
        self._explain()

    def _line(self, entry: dict[str, Any], room: int) -> str:
        job = self._job_of(entry)
        if job is not None and not job.state.is_over:
            state = f"{percent(job.fraction)}%" if job.state is JobState.RUNNING else job.state.value
        else:
            state = "here" if entry["here"] else "failed" if job is not None and job.state is JobState.FAILED else ""
        return f"{entry['kind']:<10} {shortened(entry['name'], room):<{room}} {entry['size']:>8}  {state}"

    @on(OptionList.OptionHighlighted)
    def _explain(self) -> None:
        entry = self._marked()
        if entry is None:
            return
        job = self._job_of(entry)
        told = (job.error or job.message) if job is not None and job.state is not JobState.DONE else ""
        self.query_one("#about", Static).update(told or f"{entry['about']}.\nLicence: {entry['licence']}.")

    def _marked(self) -> dict[str, Any] | None:
        marked = self.query_one(SongList).highlighted
        return self._entries[marked] if marked is not None and marked < len(self._entries) else None

    def _job_of(self, entry: dict[str, Any]) -> Job | None:
        """The newest job that gets it."""
        ours = [job for job in self.studio.jobs if job.kind == "get" and job.request.get("name") == entry["name"]]
        return ours[-1] if ours else None

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_get()

    def action_get(self) -> None:
        entry = self._marked()
        if entry is None:
            return
        quants = list(entry["sizes"])
        if len(quants) < 2:
            self._submit(GetRequest(entry["kind"], entry["name"]))
            return

        def chosen(index: int | None) -> None:
            if index is not None:
                self._submit(GetRequest(entry["kind"], entry["name"], quants[index]))

        labels = [f"{quant}  {size}" for quant, size in entry["sizes"].items()]
        self.app.push_screen(
            Choose("Which quantization? More bits: better and slower.", labels, quants.index(entry["default"])), chosen
        )

    def action_other(self) -> None:
        """Any model of the hub, by its name."""

        def check(text: str) -> str:
            return f"Link: {links(_request(text).wish())[0]}" if text else ""

        def take(text: str | None) -> None:
            if text:
                self._submit(_request(text))

        hint = "OWNER/REPO Q4_K_M, OWNER/REPO/FILE.gguf, or a link to one"
        self.app.push_screen(AskText("Which model of the Hugging Face hub?", "", check, hint), take)

    def action_link(self) -> None:
        """For people who prefer their browser."""
        entry = self._marked()
        if entry is None:
            return
        wish = GetRequest(entry["kind"], entry["name"]).wish()
        folder = folder_for(wish, self.studio.services.paths)
        text = "\n\n".join([*links(wish), f"Put it into {folder}"])
        self.app.push_screen(Page(f"{entry['name']} with a browser", text))

    def _submit(self, request: GetRequest) -> None:
        if not self.studio.services.owner:
            self.notify("Another Llm-Music-Gen is open and does the work; this one only plays.", severity="warning", timeout=8)
            return

        def submit(queue: JobQueue) -> str:
            for job in queue.jobs():
                if job.kind == "get" and job.request == request.to_dict() and not job.state.is_over:
                    return f"{request.name} is in the queue already."
            queue.submit("get", request.title, request.to_dict())
            return f"{request.name} is in the queue; J shows how far it is."

        self.studio.bridge.do(submit)


def _request(text: str) -> GetRequest:
    """A name, and behind a space perhaps a quantization. Raises StudioError for nonsense."""
    words = text.split()
    if not 1 <= len(words) <= 2:
        raise StudioError("A name, and behind a space perhaps a quantization.")
    request = GetRequest("model", words[0], words[1] if len(words) == 2 else "")
    request.wish()
    return request

"""The assistant as a conversation: say what is wanted, see what was understood, stop it, take it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Static

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import StudioError
from llm_music_gen.playback.track import Track
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.push_to_talk import PushToTalk
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.dialogs import AskText
from llm_music_gen.tui.widgets.rule import Line

if TYPE_CHECKING:
    from llm_music_gen.assistant.assistant import Assistant, Proposal
    from llm_music_gen.jobs.queue import JobQueue

CONVERSATION = "app"
_TURNS_SHOWN = 12
_HELLO = (
    'Say what you want: "Chill, Dubstep", "432 Hz meditation music for 20 minutes", "make it warmer", "what key is it", "undo". '
    "O opens an audio file, T listens to you."
)
_NOT_HEARD = "I did not understand that. Try for example: make a calm piano song."


class AssistantScreen(StudioScreen):
    """What takes long is a job of the queue; the conversation itself is kept, and goes on when the screen is opened again."""

    PLACE = "assistant"
    HEADING = "Assistant"
    PROMPT = "Request, Enter; leave the field with Esc; Back to Main = B:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("assistant")]

    def __init__(self) -> None:
        super().__init__()
        self._job = ""
        self._busy = False
        self._voice: PushToTalk | None = None

    def body(self) -> ComposeResult:
        with VerticalScroll(id="conversation"):
            yield Static(id="said_so_far", markup=False)
        yield Static(id="being_done", markup=False)
        yield Line()
        yield Input(placeholder="What shall happen?", id="request")

    def on_mount(self) -> None:
        self._lines: list[str] = []
        self.query_one("#request").focus()
        self._in_thread(self._look_back)

    def focus_home(self) -> None:
        self.query_one("#conversation").focus()

    # Talking

    @on(Input.Submitted, "#request")
    def _asked(self, event: Input.Submitted) -> None:
        words = event.value.strip()
        if not words or self._busy:
            return
        event.input.value = ""
        self._say(f"> {words}")
        self._in_thread(lambda: self._understand(words))

    def _understand(self, words: str, *, aloud: bool = False) -> None:
        """In a thread: what a request comes to, and its work where that is quick. The answer to a spoken one is spoken too."""
        assistant = self._assistant()
        playing = self.studio.jukebox.queue.current
        if assistant.desk.file is None and playing is not None and playing.path.is_file():
            assistant.open_file(playing.path)
        proposal = assistant.propose(words)
        reply = " ".join(filter(None, (proposal.reply, proposal.question)))
        self._say_later(reply)
        if aloud and reply and not proposal.ready:
            self._speak(reply)
        if not proposal.ready:
            return
        if proposal.takes_long:
            self.app.call_from_thread(self._queue, proposal)
            return
        answers = [answer.as_json() for answer in finish(assistant.carry_out(proposal))]
        self.app.call_from_thread(self._show_answers, answers)
        if aloud:
            self._speak(" ".join(str(answer["text"]) for answer in answers))
        self.app.call_from_thread(self._play_answers, answers)
        self.app.call_from_thread(self.studio.bridge.read_library)

    def _queue(self, proposal: Proposal) -> None:
        if not self.studio.services.owner:
            self._say("Another Llm-Music-Gen is open and does the work; this one only plays.")
            return

        def submit(queue: JobQueue) -> None:
            from llm_music_gen.assistant.queued import submit

            self._job = submit(queue, proposal, CONVERSATION)

        self.studio.bridge.do(submit)
        self._doing("It begins...")

    def _show_answers(self, answers: Sequence[dict[str, Any]]) -> None:
        for answer in answers:
            self._say(f"It failed: {answer['text']}" if answer.get("failed") else str(answer["text"]))

    def _play_answers(self, answers: Sequence[dict[str, Any]]) -> None:
        tracks = [Track(path, path.stem) for answer in answers for path in map(Path, answer.get("play", ()))]
        if tracks:
            self.studio.jukebox.play_tracks(tracks)

    def _look_back(self) -> None:
        """In a thread: how far the conversation has come."""
        lines: list[str] = []
        for turn in self._assistant().memory.turns()[-_TURNS_SHOWN:]:
            lines.append(f"> {turn.request}")
            lines += [str(answer["text"]) for answer in turn.answers]
            lines += ["(taken back)"] if turn.undone else []
        self.app.call_from_thread(self._begin_with, lines)

    def _begin_with(self, lines: list[str]) -> None:
        self._lines = lines or [_HELLO]
        self._draw()
        running = [job for job in self.studio.jobs if job.kind == "assist" and not job.state.is_over]
        self._job = running[-1].uid if running else self._job

    def _assistant(self) -> Assistant:
        from llm_music_gen.assistant.assistant import Assistant
        from llm_music_gen.studio.studio import Studio

        return Assistant(Studio(self.studio.services.paths, self.studio.services.settings), CONVERSATION)

    # Talking aloud

    def action_talk(self) -> None:
        """The first press listens, the next one ends it; while an answer is spoken it cuts that short."""
        voice = self._voice = self._voice or PushToTalk(self.studio.services)
        if voice.is_speaking:
            voice.stop()
        elif voice.is_listening:
            self._doing("I heard you; one moment...")
            self._in_thread(self._hear)
        elif not self._busy:
            voice.hold_music()
            self._doing("The microphone is opened...")
            self._in_thread(self._listen)

    def _listen(self) -> None:
        assert self._voice is not None
        try:
            self._voice.listen()
        except StudioError:
            self.app.call_from_thread(self._hush)
            raise
        self.app.call_from_thread(self._doing, "Listening... T again when you have said it, C to forget it.")

    def _hear(self) -> None:
        assert self._voice is not None
        try:
            words = self._voice.heard()
            self.app.call_from_thread(self._doing, "")
            self._say_later(f"> {words}" if words else _NOT_HEARD)
            if words:
                self._understand(words, aloud=True)
            else:
                self._speak(_NOT_HEARD)
        finally:
            self.app.call_from_thread(self._hush)

    def _speak(self, text: str) -> None:
        """In a thread: speak, and wait until it is over."""
        assert self._voice is not None
        self._say_later(self._voice.say(text))

    def _hush(self) -> None:
        """The voice is done; music that waited for it goes on."""
        if not self._job:
            self._doing("")
        if self._voice is not None:
            self._voice.let_music_go_on()

    def on_unmount(self) -> None:
        if self._voice is not None:
            self._voice.stop()
            self._voice.let_music_go_on()

    # The work behind

    def show_jobs(self) -> None:
        job = next((job for job in self.studio.jobs if job.uid == self._job), None)
        if job is None:
            return
        if not job.state.is_over and job.state is not JobState.INTERRUPTED:
            self._doing(f"{round(job.fraction * 100)} %  {job.message}")
            return
        self._job = ""
        self._doing("")
        self._take_end(job)

    def _take_end(self, job: Job) -> None:
        if job.state is JobState.DONE:
            self._show_answers(job.result.get("answers", ()))
            self._play_answers(job.result.get("answers", ()))
        elif job.state is JobState.FAILED:
            self._say(f"It failed: {job.error}")
        else:
            self._say("Stopped. What was finished is kept.")

    def action_stop(self) -> None:
        uid = self._job
        if self._voice is not None and (self._voice.is_listening or self._voice.is_speaking):
            self._voice.stop()
            self._hush()
        elif uid:
            self.studio.bridge.do(lambda queue: queue.cancel(uid))
        else:
            self.notify("Nothing is being done at the moment.", timeout=2)

    def action_open(self) -> None:
        """Another file is what "it" means from now on."""

        def check(text: str) -> str:
            from llm_music_gen.studio.processing_room import files_of

            return f"Opens {files_of([text.strip().strip(chr(34))])[0].name}"

        def take(text: str | None) -> None:
            if text:
                self._in_thread(lambda: self._open_file(Path(text.strip().strip('"')).expanduser()))

        self.app.push_screen(
            AskText("Which audio file shall it be about?", "", check, "A path to a WAV, FLAC, MP3, OGG ..."), take
        )

    def _open_file(self, path: Path) -> None:
        self._assistant().open_file(path)
        self._say_later(f"{path.name} is open.")

    def action_undo(self) -> None:
        if not self._busy:
            self._say("> undo")
            self._in_thread(lambda: self._understand("undo"))

    def action_request(self) -> None:
        self.query_one("#request").focus()

    def _in_thread(self, work: Callable[[], None]) -> None:
        """Do something elsewhere; one thing at a time, and what goes wrong is said."""
        if self._busy:
            return
        self._busy = True

        def guarded() -> None:
            try:
                work()
            except StudioError as error:
                self._say_later(str(error))
            finally:
                self._busy = False

        self.run_worker(guarded, thread=True)

    # Showing

    def _say_later(self, sentence: str) -> None:
        if sentence:
            self.app.call_from_thread(self._say, sentence)

    def _say(self, sentence: str) -> None:
        if self._lines == [_HELLO]:
            self._lines = []
        self._lines.append(sentence)
        self._draw()

    def _draw(self) -> None:
        def show() -> None:
            self.query_one("#said_so_far", Static).update("\n".join(self._lines[-400:]))
            self.query_one("#conversation", VerticalScroll).scroll_end(animate=False)

        self.draw(show)

    def _doing(self, sentence: str) -> None:
        self.draw(lambda: self.query_one("#being_done", Static).update(sentence))

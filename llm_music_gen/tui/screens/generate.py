"""Generating: the two questions as the user drew them, then for each song its two bars, the theme and the tune as it grows."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.suggester import Suggester
from textual.widgets import Checkbox, Input, Static

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.errors import StudioError
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.bridge import songs_made
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.widgets.now_line import is_endless
from llm_music_gen.tui.widgets.rule import Line
from llm_music_gen.tui.words import bar, clock, counted, percent, time_left

FORMAT_NAMES = {"mp3": "Mp3", "wav": "WAV", "flac": "FLAC", "opus": "Opus"}
PREFIX = "Llm-Music-Gen: "
MOST_REMARKS, REMARK_WIDTH = 3, 78


class StyleSuggester(Suggester):
    """Completes the word after the last comma."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._words = sorted(words)

    async def get_suggestion(self, value: str) -> str | None:
        last = value.rpartition(",")[2]
        begun = last.lstrip().casefold()
        if not begun:
            return None
        found = next((word for word in self._words if word.casefold().startswith(begun) and word.casefold() != begun), None)
        return None if found is None else value + found[len(begun) :]


class GenerateScreen(StudioScreen):
    """Asks, then shows the work."""

    PLACE = "generate"
    HEADING = "Generate Music"
    PROMPT = "Selection; Esc = Leave the field, New = N, Back to Main = B, Exit Program = X:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("generate")]

    def body(self) -> ComposeResult:
        yield Static(f"{PREFIX}What kind of music are we making today? (Styles, separated, by, commas)", markup=False)
        with Horizontal(classes="field"):
            yield Static("User Input: ", classes="who")
            yield Input(id="styles", placeholder="for example Chill, Dubstep", max_length=500)
        yield Static(f"{PREFIX}How many songs should I generate?", markup=False)
        with Horizontal(classes="field"):
            yield Static("User Input: ", classes="who")
            yield Input("1", id="number", max_length=4)
            yield Checkbox("Keep making songs until I stop", id="endless")
        yield Line()
        yield Static(id="talk")
        with VerticalScroll(id="score", can_focus=False):
            yield Static(id="abc", markup=False)

    def on_mount(self) -> None:
        self._uid = ""
        self._began: tuple[str, float, float] = ("", 0.0, 0.0)
        self._load_words()
        if self._job() is None:
            self.query_one("#styles").focus()

    @work(thread=True, exit_on_error=False)
    def _load_words(self) -> None:
        """Read the style sheets for the completion, away from the screen."""
        from llm_music_gen.composing.lexicon import mood_words
        from llm_music_gen.styles import load_styles

        words = {name.replace("_", " ") for name in load_styles(self.studio.services.paths.styles_dir)} | set(mood_words())
        self.app.call_from_thread(self._take_words, sorted(words))

    def _take_words(self, words: list[str]) -> None:
        self.query_one("#styles", Input).suggester = StyleSuggester(words)

    # Asking

    @on(Input.Submitted, "#styles")
    def _styles_typed(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.query_one("#number").focus()
        else:
            self.notify("Say in which styles, for example: Chill, Dubstep", severity="warning")

    @on(Input.Submitted, "#number")
    def _number_typed(self) -> None:
        self._submit()

    def _submit(self) -> None:
        from llm_music_gen.studio.request import MAX_SONGS, GenerateRequest, LongWords

        styles, number = self.query_one("#styles", Input).value, self.query_one("#number", Input).value
        endless = self.query_one("#endless", Checkbox).value
        settings = self.studio.services.settings
        try:
            songs = MAX_SONGS if endless else number.strip() or "1"
            wishes = LongWords(layers=settings.layers, night=settings.night)
            request = GenerateRequest.from_words(
                styles, songs=songs, length=settings.song_length, frequency=settings.frequency, long=wishes
            )
        except StudioError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        if self.studio.submit_songs(request):
            self.set_focus(None)
            self.query_one("#talk", Static).update(f"{PREFIX}It is in the queue and begins at once when nothing else goes on.")

    def action_new(self) -> None:
        self.query_one("#styles").focus()

    # Work

    def _job(self) -> Job | None:
        """The job shown: the one in work, else the newest of this kind."""
        ours = [job for job in self.studio.jobs if job.kind in ("generate", "render", "remake")]
        running = [job for job in ours if job.state is JobState.RUNNING]
        waiting = [job for job in ours if job.state in (JobState.PAUSED, JobState.QUEUED)]
        return running[0] if running else waiting[0] if waiting else ours[-1] if ours else None

    def show_jobs(self) -> None:
        self._draw()

    def show_time(self) -> None:
        job = self._job()
        if job is not None and job.state is JobState.RUNNING:
            self._draw()

    def _draw(self) -> None:
        job = self._job()
        if job is None:
            return
        self.query_one("#talk", Static).update(_text(talk_lines(job), self._pace(job)))
        abc = str(job.detail.get("abc", ""))
        if abc != getattr(self, "_abc", None):
            self._abc = abc
            self.query_one("#abc", Static).update(abc)
        # Asked for every time: the new text may be laid out later than the first time this was asked.
        self.query_one("#score", VerticalScroll).scroll_end(animate=False)

    def _pace(self, job: Job) -> str:
        """How long it has taken and will take."""
        now_s = self.studio.services.clock()
        if self._began[0] != job.uid:
            self._began = (job.uid, now_s, job.fraction)
        if job.state is not JobState.RUNNING:
            return ""
        _, began_s, began_at = self._began
        spent_s, done = now_s - began_s, job.fraction - began_at
        pace = f"Working for {clock(spent_s)}"
        left_s = job.detail.get("left_s")
        if isinstance(left_s, int | float):
            pace += f", {time_left(left_s)}"
        elif done > 0.02 and spent_s > 2 and not is_endless(job) and "left_s" not in job.detail:
            pace += f", {time_left((1 - job.fraction) * spent_s / done)}"
        return f"{pace}{_speed(job)}.  {job.message}"

    def action_cancel_now(self) -> None:
        self._tell("cancel", after_song=False)

    def action_cancel_after(self) -> None:
        self._tell("cancel", after_song=True)

    def _tell(self, what: str, **options: Any) -> None:
        job = self._job()
        if job is None or job.state.is_over:
            self.notify("Nothing is being made.", severity="warning")
            return
        uid = job.uid
        self.studio.bridge.do(lambda queue: getattr(queue, what)(uid, **options))
        self.notify("It stops after this song." if options.get("after_song") else "It stops.", timeout=3)

    def action_hold(self) -> None:
        job = self._job()
        if job is not None and not job.state.is_over:
            uid, paused = job.uid, job.state in (JobState.PAUSED, JobState.INTERRUPTED)
            self.studio.bridge.do(lambda queue: queue.resume(uid) if paused else queue.pause(uid))


def talk_lines(job: Job) -> list[str]:
    """What is said about a job, with the bars as drawn."""
    detail = job.detail
    styles = ", ".join(job.request.get("styles", ())) or job.title
    number, ready = int(detail.get("song_number", 1)), songs_made(job)
    lines = [f"{PREFIX}Ready: {counted(ready, 'song')}."] if ready and job.request.get("songs", 1) != 1 else []
    if job.state is JobState.FAILED:
        return [*lines, f"{PREFIX}It failed. {job.error}"]
    if job.state is JobState.QUEUED:
        return [*lines, f'{PREFIX}"{styles}" waits in the queue.']
    if job.state is JobState.INTERRUPTED:
        return [*lines, f'{PREFIX}"{styles}" was cut off at {percent(job.fraction)}%. P goes on with it.']
    producing, converting = _two_bars(job) if not _is_track(job) else (min(0.999, float(job.detail.get("whole", 0.0))), 0.0)
    lines.append(f'{PREFIX}Producing "{styles}" themed song number {number}...')
    lines.append(f"{bar(producing)} {percent(producing)}% Complete")
    if producing == 1.0:
        kind = FORMAT_NAMES.get(str(detail.get("format")), "Mp3")
        lines.append(f"{PREFIX}Converting song number {number} from WAV to {kind}...")
        lines.append(f"{bar(converting)} {percent(converting)}% Complete")
    if _is_track(job) and job.message:
        lines.append(f"{PREFIX}{job.message}")
    if detail.get("title"):
        lines.append(f'Theme: "{detail["title"]}"')
    lines += _remarks(job)
    if job.stage == "failed":
        lines.append(f"{PREFIX}Song number {number} failed. {job.message}")
    ending = {
        JobState.PAUSED: "Paused. P goes on.",
        JobState.CANCELLED: "Stopped.",
        JobState.DONE: f"{PREFIX}Done. 2 on the main menu plays what was made.",
    }
    return [*lines, ending[job.state]] if job.state in ending else lines


def _two_bars(job: Job) -> tuple[float, float]:
    """How far producing and converting are, 0 to 1 each."""
    if job.state is JobState.DONE or job.stage in ("files", "finished", "failed"):
        return 1.0, 1.0
    if job.stage == "convert":
        return 1.0, float(job.detail.get("stage_fraction", 0.0))
    return min(0.999, float(job.detail.get("whole", 0.0))), 0.0


def _remarks(job: Job) -> list[str]:
    """What is to be said of the song that was finished last: a word not known, a model that failed."""
    song = job.detail.get("song")
    hints = song.get("hints", ()) if isinstance(song, dict) else ()
    return [line for hint in hints[:MOST_REMARKS] for line in wrap(f"{PREFIX}{hint}", REMARK_WIDTH, subsequent_indent="  ")]


def _speed(job: Job) -> str:
    """How fast a model writes, while one does."""
    speed = job.detail.get("tokens_per_s")
    if not isinstance(speed, int | float) or job.stage not in ("theme", "tune"):
        return ""
    return f", {speed:.0f} tokens/s" if speed >= 10 else f", {speed:.1f} tokens/s"


def _is_track(job: Job) -> bool:
    """Whether it is a track of hours, which counts the whole of its work in one bar."""
    return "left_s" in job.detail and job.state is not JobState.DONE


def _text(lines: list[str], pace: str) -> Text:
    text = Text("\n".join([*lines, pace] if pace else lines), no_wrap=True, overflow="ellipsis")
    text.highlight_regex(r"\[#*-*\] \d+% Complete", "bold")
    return text

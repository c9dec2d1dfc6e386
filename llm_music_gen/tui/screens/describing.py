"""A sound described: its caption and facts to read, its spectrogram, loudness and circumplex to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Input, Static
from textual.worker import get_current_worker

from llm_music_gen.errors import StudioError
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.widgets.rule import Line

if TYPE_CHECKING:
    from llm_music_gen.studio.describing_room import Description, Undescribed

VIEWS = ("spectrogram", "loudness", "circumplex")


class DescribingScreen(StudioScreen):
    """One file at a time. Listening happens in a thread of its own, which ends when the screen is left."""

    PLACE = "describing"
    HEADING = "Describe Audio"
    PROMPT = "File, Enter; Picture = V, Save Pictures = P, Back to Main = B:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("describing")]

    def __init__(self) -> None:
        super().__init__()
        self._described: Description | None = None
        self._view = 0
        self._busy = False

    def body(self) -> ComposeResult:
        yield Input(placeholder="An audio file: a recording, a song, anything that sounds", id="file")
        yield Line()
        yield Static(id="view")
        yield Line()
        with VerticalScroll(id="words"):
            yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        playing = self.studio.jukebox.queue.current
        field = self.query_one("#file", Input)
        field.value = str(playing.path) if playing else ""
        field.focus()
        self.call_after_refresh(field.action_select_all)  # what is typed or pasted takes the place of the song that plays

    def focus_home(self) -> None:
        self.query_one("#words").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._draw_view)

    @on(Input.Submitted, "#file")
    def _named(self) -> None:
        name = self.query_one("#file", Input).value.strip().strip('"')
        if not name:
            self._say("Name an audio file.")
        elif not self._busy:
            self._busy = True
            self._say("Listening...")
            self.run_worker(lambda: self._listen(name), thread=True, exclusive=True)

    def _listen(self, name: str) -> None:
        from llm_music_gen.studio import describing_room as room
        from llm_music_gen.studio.processing_room import files_of

        worker, services, shown = get_current_worker(), self.studio.services, -1
        try:
            how = room.describing_with(services.paths, services.settings, services.library)
            work = room.describe_files(files_of([name])[:1], how)
            try:
                while not worker.is_cancelled:
                    progress = next(work)
                    if round(progress.fraction * 100) != shown:
                        shown = round(progress.fraction * 100)
                        self.app.call_from_thread(self._say, f"{shown} %  {progress.message}")
            except StopIteration as stop:
                self.app.call_from_thread(self._take, stop.value[0])
            finally:
                work.close()
        except StudioError as error:
            self.app.call_from_thread(self._say, str(error))
        finally:
            self._busy = False

    def _take(self, described: Description | Undescribed) -> None:
        from llm_music_gen.studio.describing_report import lines
        from llm_music_gen.studio.describing_room import Undescribed

        if isinstance(described, Undescribed):
            self._say(described.reason)
            return
        self._described = described
        self._say("\n".join([described.caption, "", *lines(described), *described.notes]))
        self._draw_view()
        self.focus_home()

    def action_view(self) -> None:
        """The next picture."""
        self._view = (self._view + 1) % len(VIEWS)
        self._draw_view()

    def action_save(self) -> None:
        """Write all pictures beside the file."""
        from llm_music_gen.studio.describing_report import draw

        if self._described is None:
            self._say("Pictures can be saved when a file was described.")
            return
        try:
            drawn = draw(self._described, self._described.path.parent)
        except StudioError as error:
            self.notify(str(error), severity="error")
            return
        self.notify(f"{len(drawn)} pictures saved beside {self._described.path.name}.")

    def action_file(self) -> None:
        self.query_one("#file").focus()

    def _draw_view(self) -> None:
        self.draw(lambda: self.query_one("#view", Static).update(self._picture()))

    def _picture(self) -> Text:
        described = self._described
        if described is None:
            return Text("The picture of the sound comes here.", style="dim")
        size = self.query_one("#view").content_size
        width, height = max(10, size.width - 1), max(3, size.height - 1)
        return picture_text(described, VIEWS[self._view], width, height, plain=self.app.has_class("-old-console"))

    def _say(self, text: str) -> None:
        self.draw(lambda: self.query_one("#said", Static).update(text))


def picture_text(described: Description, view: str, width: int, height: int, *, plain: bool) -> Text:
    """One of `VIEWS` in characters, with a line above that says what it shows."""
    from llm_music_gen.describing import terminal
    from llm_music_gen.describing.affect import NOTE

    heard, affect = described.heard, described.facts.affect
    if view == "loudness":
        most = float(heard.zwicker.loudness_sone.max(initial=0.0))
        rows = terminal.curve(heard.zwicker.loudness_sone, width, height, plain=plain)
        return _titled(f"Loudness, 0 to {most:.1f} sone", rows)
    if view == "circumplex":
        if affect is None:
            return Text("Silence has no mood.")
        rows = terminal.circumplex(affect, min(width - 18, 2 * height), max(1, height - 2), plain=plain)
        middle, side = len(rows) // 2, len(rows[0])
        named = [
            f"{'annoying' if row == middle else '':>9}{text}{' pleasant' if row == middle else ''}"
            for row, text in enumerate(rows)
        ]
        around = [f"{'':9}{'eventful'.center(side)}", *named, f"{'':9}{'uneventful'.center(side)}"]
        title = f"Pleasantness {affect.pleasantness:+.2f}, eventfulness {affect.eventfulness:+.2f}; {NOTE}"
        return _titled(title, around)
    low, high = heard.spectrogram.edges_hz[0], heard.spectrogram.edges_hz[-1]
    title = f"Spectrogram, {low:.0f} Hz to {high / 1000:.0f} kHz"
    if plain:
        return _titled(title, terminal.spectrogram_shades(heard.spectrogram, width, height))
    text = Text(no_wrap=True)
    text.append(title + "\n")
    for row in terminal.spectrogram_cells(heard.spectrogram, width, height):
        for cell in row:
            text.append("▀", style=f"rgb({_commas(cell.upper)}) on rgb({_commas(cell.lower)})")
        text.append("\n")
    return text


def _titled(title: str, rows: list[str]) -> Text:
    return Text("\n".join([title, *rows]), no_wrap=True)


def _commas(colour: tuple[int, int, int]) -> str:
    return ",".join(map(str, colour))

"""The main menu, as the user drew it: length and frequency, model, the library's total, what comes next, and the three doors."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList, Static

from llm_music_gen.domain.job import JobState
from llm_music_gen.errors import StudioError
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.dialogs import AskText
from llm_music_gen.tui.widgets.rule import Line
from llm_music_gen.tui.words import counted, long_clock, names, shortened

_DOORS = (("generate", "1. Generate Music"), ("jukebox", "2. Output Jukebox"), ("configuration", "3. Configure Options"))
NEXT_SONGS = 5


class MainScreen(StudioScreen):
    """Where everything begins."""

    PLACE = "main"
    HEADING = "Main Menu"
    PROMPT = "Selection; Menu Option = 1-3, Refresh Screen = R, Exit Program = X:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("main")]

    def body(self) -> ComposeResult:
        yield Static(id="wishes")
        yield Line()
        yield Static(id="songs")
        yield Line()
        yield OptionList(*[f"    {label}" for _, label in _DOORS], id="doors")
        yield Static(id="note", markup=False)

    def on_mount(self) -> None:
        self.query_one("#doors").focus()

    def focus_home(self) -> None:
        self.query_one("#doors").focus()

    @on(OptionList.OptionSelected)
    def _open(self, event: OptionList.OptionSelected) -> None:
        self.studio.action_go(_DOORS[event.option_index][0])

    def show_library(self) -> None:
        studio, width = self.studio, self.size.width or 80
        settings = studio.services.settings
        model = settings.model.replace("\\", "/").rsplit("/", 1)[-1] or "built-in composer"
        if settings.model == "server":
            model = f"{settings.server_model or 'the first one'} on {settings.server or 'a server without address'}"
        self.query_one("#wishes", Static).update(
            _lines(
                ("Song Length: ", length_words(settings.song_length), "  (L)"),
                ("Frequency: ", frequency_words(settings.frequency), "  (F)"),
                ("Layers: ", layers_words(settings.layers, night=settings.night), "  (Y, N)"),
                ("Selected Model: ", shortened(model, width - 20), ""),
            )
        )
        queue = studio.jukebox.queue
        coming = [track.title for track in ([queue.current] if queue.current else []) + list(queue.remaining)]
        titles = coming[:NEXT_SONGS] or [song.title for song in studio.songs[:NEXT_SONGS]]
        shown = names(titles, width - 18) or "none yet; press 1 and make some"
        self.query_one("#songs", Static).update(
            _lines(
                ("Total Songs Length: ", long_clock(studio.songs_total_s), f"  ({counted(len(studio.songs), 'song')})"),
                ("Outputted Songs: ", shown, ""),
            )
        )

    def show_jobs(self) -> None:
        self.query_one("#note", Static).update(self._note())

    def show_time(self) -> None:
        track = self.studio.jukebox.queue.current
        key = (track.key if track else "", len(self.studio.jukebox.queue.remaining))
        if key != getattr(self, "_coming", None):
            self._coming = key
            self.show_library()

    def on_resize(self) -> None:
        self.show_library()

    def action_length(self) -> None:
        self.studio.ask_length()

    def action_frequency(self) -> None:
        def check(text: str) -> str:
            return f"Frequency: {frequency_words(text, strict=True)}"

        question = "At which frequency shall the music be?"
        hint = "528 puts the tonic there, A4=432 the reference; om, schumann ... by name; empty: concert pitch."
        dialog = AskText(question, self.studio.services.settings.frequency, check, hint)
        self.app.push_screen(dialog, lambda text: None if text is None else self.studio.change_setting("frequency", text))

    def action_layers(self) -> None:
        def check(text: str) -> str:
            from llm_music_gen.studio.long.layers import check_layers

            check_layers(text)
            return f"Layers: {text or 'none'}"

        hint = "binaural 10-2, isochronic 6, pink, rain -6dB, surf, wind, an .sbg file; empty: none."
        dialog = AskText("What shall lie under the music?", self.studio.services.settings.layers, check, hint)
        self.app.push_screen(dialog, lambda text: None if text is None else self.studio.change_setting("layers", text))

    def action_unfinished(self) -> None:
        self.studio.resume_tracks()

    def action_night(self) -> None:
        self.studio.change_setting("night", not self.studio.services.settings.night)

    def action_refresh_screen(self) -> None:
        self.studio.bridge.read_library()
        self.refresh(layout=True)
        self.notify("Refreshed.", timeout=1.5)

    def _note(self) -> str:
        studio = self.studio
        if not studio.services.owner:
            return "Another Llm-Music-Gen is open and makes the songs; this one only plays."
        cut_off = [job for job in studio.jobs if job.state is JobState.INTERRUPTED]
        if cut_off:
            return f"Cut off: {counted(len(cut_off), 'job')}. J shows them, R there goes on with them."
        waiting = studio.unfinished_tracks()
        if waiting:
            return f"Not finished: {counted(len(waiting), 'long track')}. U goes on with {'it' if len(waiting) == 1 else 'them'}."
        failed = [job for job in studio.jobs if job.state is JobState.FAILED]
        return f"Failed: {counted(len(failed), 'job')}. J says why." if failed else ""


def length_words(text: str) -> str:
    """A length as on the main menu; what cannot be read is shown as it is."""
    from llm_music_gen.composing.lengths import parse_length

    try:
        return str(parse_length(text))
    except StudioError:
        return text


def layers_words(text: str, *, night: bool) -> str:
    """What lies under the music, and whether it is for the night."""
    return f"{text or 'none'}{', calm enough for the night' if night else ''}"


def frequency_words(text: str, *, strict: bool = False) -> str:
    """A frequency with what it does to the tuning. Raises UsageError when `strict`; otherwise shows the text as it is."""
    if not text:
        return "concert pitch (A4 = 440 Hz)"
    from llm_music_gen.studio.request import read_frequencies
    from llm_music_gen.tuning.retune import tune_to

    try:
        frequencies = read_frequencies(text)
        if len(frequencies) > 1:
            return f"{', '.join(frequency.label for frequency in frequencies)}, one after the other"
        tuning = tune_to(frequencies[0] if frequencies else None)
    except StudioError:
        if strict:
            raise
        return text
    if tuning.tonic_hz is None:
        return tuning.label
    return f"{tuning.label} as the tonic (A4 = {tuning.a4_hz:.2f} Hz)"


def _lines(*rows: tuple[str, str, str]) -> Text:
    text = Text("\n").join(Text.assemble(name, (value, "bold"), (after, "dim")) for name, value, after in rows)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text

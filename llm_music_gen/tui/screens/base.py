"""What all screens have: the user's heading between double lines, the prompt line, what goes on now, and the keys."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from llm_music_gen.tui.actions import LEAVE_FIELD
from llm_music_gen.tui.widgets.now_line import NowLine
from llm_music_gen.tui.widgets.rule import Line

if TYPE_CHECKING:
    from llm_music_gen.tui.app import StudioApp


class StudioScreen(Screen[None]):
    """A screen of the studio. Subclasses give `body` and redraw themselves in the `show_` methods."""

    BINDINGS: ClassVar[list[BindingType]] = [LEAVE_FIELD.binding()]
    PLACE: ClassVar[str] = ""
    """Its key in the action table."""
    HEADING: ClassVar[str] = ""
    PROMPT: ClassVar[str] = ""

    @property
    def studio(self) -> StudioApp:
        """The app."""
        from llm_music_gen.tui.app import StudioApp

        return cast(StudioApp, self.app)

    def compose(self) -> ComposeResult:
        yield Line(double=True)
        yield Static(f"    Llm-Music-Gen: {self.HEADING}", id="heading")
        yield Line(double=True)
        with Vertical(id="body"):
            yield from self.body()
        yield Line(double=True)
        yield Static(self.PROMPT, id="prompt", markup=False)
        yield NowLine(id="now")
        yield Footer(show_command_palette=False)

    def body(self) -> ComposeResult:
        """Everything between heading and prompt."""
        raise NotImplementedError

    def show_jobs(self) -> None:
        """The queue has moved."""

    def show_library(self) -> None:
        """The library has changed."""

    def show_time(self) -> None:
        """A fifth of a second has passed."""

    def draw(self, *parts: Callable[[], None]) -> None:
        """Redraw parts; while the screen is being built or taken down there is nothing to draw on."""
        with suppress(NoMatches):
            for part in parts:
                part()

    def on_screen_resume(self) -> None:
        self.draw(self.show_library, self.show_jobs, self.show_time)

    def action_back(self) -> None:
        self.studio.action_go("main")

    # The same keys work here and everywhere; the app does them.

    def action_go(self, place: str) -> None:
        self.studio.action_go(place)

    def action_play_pause(self) -> None:
        self.studio.action_play_pause()

    def action_next_song(self) -> None:
        self.studio.action_next_song()

    def action_leave_field(self) -> None:
        if isinstance(self.focused, Input):
            self.set_focus(None)
            self.focus_home()
        elif self.PLACE != "main":
            self.action_back()

    def focus_home(self) -> None:
        """Where the keys go when no field is typed in."""

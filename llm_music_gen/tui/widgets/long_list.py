"""A list of any length to choose from: it asks only for the lines that are seen, so a hundred thousand cost what twenty do."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip


class LongList(ScrollView, can_focus=True):
    """Arrows, Home, End and Page keys move; Enter belongs to the screen, as do the letters and left and right."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"long-list--highlighted"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "mark_by(1)", "Down", show=False),
        Binding("up", "mark_by(-1)", "Up", show=False),
        Binding("home", "mark_first", "First", show=False),
        Binding("end", "mark_last", "Last", show=False),
        Binding("pageup", "mark_page(-1)", "Page up", show=False),
        Binding("pagedown", "mark_page(1)", "Page down", show=False),
    ]
    highlighted: reactive[int | None] = reactive(None)

    class Chosen(Message):
        """A line was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._count = 0
        self._line_of: Callable[[int], str] = lambda _: ""
        self._drawn: tuple[Size, list[str]] = (Size(0, 0), [])

    def show(self, count: int, line_of: Callable[[int], str]) -> None:
        """So many lines, each given by its number; the mark stays where it was. Draws only when a line that is seen differs."""
        self._count, self._line_of = count, line_of
        if count != self.virtual_size.height:
            self.virtual_size = Size(0, count)
            self.refresh()
        elif (self.size, self._seen()) != self._drawn:
            self.refresh()
        self.highlighted = min(max(0, self.highlighted or 0), count - 1) if count else None

    def render_line(self, y: int) -> Strip:
        index = self.scroll_offset.y + y
        style = self.rich_style
        if index == self.highlighted and index < self._count:
            style = self.get_component_rich_style("long-list--highlighted")
        text = self._text(index)
        return Strip([Segment(f" {text}", style)]).adjust_cell_length(self.size.width, style)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._drawn = (self.size, self._seen())
        return super().render_lines(crop)

    def watch_highlighted(self, _: int | None, now: int | None) -> None:
        self.refresh()
        if now is not None:
            self.scroll_to_region(Region(0, now, 1, 1), animate=False, force=True)

    def on_resize(self) -> None:
        if self.highlighted is not None:
            self.watch_highlighted(None, self.highlighted)

    def action_mark_by(self, steps: int) -> None:
        """Up or down; past the last comes the first."""
        if self._count:
            self.highlighted = ((self.highlighted or 0) + steps) % self._count

    def action_mark_first(self) -> None:
        self.highlighted = 0 if self._count else None

    def action_mark_last(self) -> None:
        self.highlighted = self._count - 1 if self._count else None

    def action_mark_page(self, pages: int) -> None:
        if self._count:
            place = (self.highlighted or 0) + pages * max(1, self.size.height - 1)
            self.highlighted = min(max(0, place), self._count - 1)

    def on_click(self, event: events.Click) -> None:
        index = self.scroll_offset.y + event.y
        if index < self._count:
            self.highlighted = index
            self.post_message(self.Chosen(index))

    def _seen(self) -> list[str]:
        first = self.scroll_offset.y
        return [self._text(index) for index in range(first, first + self.size.height)]

    def _text(self, index: int) -> str:
        """A line; what a title holds of control characters does not reach the terminal."""
        if index >= self._count:
            return ""
        return "".join(character if character.isprintable() else " " for character in self._line_of(index))

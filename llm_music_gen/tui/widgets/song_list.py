"""A list to choose from that leaves every other key to the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList


class SongList(OptionList, inherit_bindings=False):
    """Arrows, Home, End and Page keys move; Enter belongs to the screen, as do the letters and left and right."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor_down", "Down", show=False),
        Binding("up", "cursor_up", "Up", show=False),
        Binding("home", "first", "First", show=False),
        Binding("end", "last", "Last", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]

    def show(self, lines: list[str], marked: int | None = None) -> None:
        """Replace the lines where they differ; the mark stays where it was, or goes to `marked`."""
        here = self.highlighted if marked is None else marked
        if lines != getattr(self, "_shown_lines", None):
            self._shown_lines = lines
            self.clear_options()
            self.add_options([_plain(line) for line in lines])
        if lines:
            self.highlighted = min(max(0, here or 0), len(lines) - 1)


def _plain(line: str) -> str:
    """A title may hold brackets, which must not be read as markup."""
    return line.replace("[", "\\[")

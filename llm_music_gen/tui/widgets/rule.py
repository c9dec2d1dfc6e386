"""The lines between the parts of a screen: double as the user's `=====`, single as the `-----`."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget


class Line(Widget):
    """A line across the screen."""

    def __init__(self, *, double: bool = False) -> None:
        super().__init__(classes="double" if double else "single")
        self._double = double

    def render(self) -> Text:
        old = self.app.has_class("-old-console")
        mark = ("=" if self._double else "-") if old else ("═" if self._double else "─")
        return Text(mark * self.size.width, no_wrap=True)

"""The spectrum of what is heard: a few rows of bars, ten times a second at the most, drawn only when they change."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_FALL = 0.12


class Spectrum(Widget):
    """Bars that rise at once and fall slowly."""

    def __init__(self) -> None:
        super().__init__(id="spectrum")
        self._levels: tuple[float, ...] = ()
        self._drawn = ""

    @property
    def bands(self) -> int:
        """How many bars there is room for."""
        return max(1, min(64, (self.size.width + 1) // 3))

    def show(self, levels: tuple[float, ...]) -> None:
        """Take new levels, 0 to 1."""
        if len(levels) == len(self._levels):
            levels = tuple(max(new, old - _FALL) for new, old in zip(levels, self._levels, strict=True))
        self._levels = levels
        drawn = spectrum_text(levels, max(1, self.size.height), plain=self.app.has_class("-old-console"))
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh()

    def render(self) -> Text:
        return Text(self._drawn, no_wrap=True)


def spectrum_text(levels: tuple[float, ...], rows: int, *, plain: bool) -> str:
    """Bars two places wide with a gap; `plain` keeps to characters that every console has."""
    lines = []
    for row in range(rows - 1, -1, -1):
        cells = []
        for level in levels:
            filled = level * rows - row
            if plain:
                cells.append("##" if filled >= 0.5 else "  ")
            else:
                cells.append(_EIGHTHS[min(8, max(0, round(filled * 8)))] * 2)
        lines.append(" ".join(cells))
    return "\n".join(lines)

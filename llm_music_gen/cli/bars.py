"""Shows progress on the terminal in the user's own words: a line that says what happens and a bar of thirty places below it."""

from __future__ import annotations

import math
import sys
from typing import TextIO

from llm_music_gen.cli.clean_output import shown

WIDTH = 30
PREFIX = "Llm-Music-Gen: "


def bar_text(fraction: float) -> str:
    """`[##########--------------------] 33% Complete`. 100 is shown only when all is done."""
    percent = math.floor(min(1.0, max(0.0, fraction)) * 100 + 1e-9)
    filled = WIDTH if percent == 100 else min(WIDTH - 1, round(percent * WIDTH / 100))
    return f"[{'#' * filled}{'-' * (WIDTH - filled)}] {percent}% Complete"


class ProgressLines:
    """Writes captions and their bars. On a terminal the bar is redrawn in place; elsewhere only its end is written."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._redraws = self._stream.isatty()
        self._caption = ""
        self._shown = ""
        self._fraction = 0.0

    def say(self, text: str) -> None:
        """Write one line, after ending the bar that is open."""
        self.end()
        self._write(f"{PREFIX}{text}\n")

    def begin(self, caption: str, *, after_done: bool = False) -> None:
        """Write a caption with an empty bar below it; nothing happens when it is the one that is open.

        `after_done` says that the work of the bar before it is done, whatever share of the whole that was.
        """
        caption = shown(caption)
        if caption != self._caption:
            if after_done and self._caption:
                self.move(1.0)
            self.say(caption)
            self._caption, self._fraction = caption, 0.0
            self.move(0.0)

    def move(self, fraction: float, note: str = "") -> None:
        """Move the bar; it never goes back. `note` stands behind it while it moves."""
        self._fraction = max(self._fraction, fraction)
        text = (
            f"{bar_text(self._fraction)} {note}".ljust(len(self._shown))
            if note
            else bar_text(self._fraction).ljust(len(self._shown))
        )
        if self._redraws and text != self._shown:
            self._write("\r" + text)
            self._shown = text

    def end(self) -> None:
        """Close the open bar where it stands."""
        if self._caption:
            self._write("\n" if self._redraws else bar_text(self._fraction) + "\n")
        self._caption = self._shown = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

"""Turns the bytes that tokens write into text: whole characters only, cut at the first stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class AnswerText:
    """Collects one answer. What is given out never has to be taken back."""

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(text for text in stop if text)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self.stopped = False
        """Whether a stop string was met; nothing more comes after it."""

    def feed(self, piece: bytes) -> str:
        """Take what a token writes; return what can be given out by now, possibly nothing."""
        return self._release(self._decoder.decode(piece))

    def finish(self) -> str:
        """Return what was held back because it could have become a character or a stop string."""
        if self.stopped:
            return ""
        text = self._release(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return text

    def _release(self, text: str) -> str:
        if self.stopped:
            return ""
        text = self._held + text
        found = [position for position in (text.find(stop) for stop in self._stop) if position >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` could be the start of `stop`."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)

"""What a tool gives back: words for people, facts for programs, and how to take it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one tool."""

    text: str
    """A few sentences for people."""
    tool: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    """JSON-able facts: what was measured, the songs made ..."""
    files: tuple[Path, ...] = ()
    """What was written or is shown."""
    file: Path | None = None
    """What later requests mean by "it"; None leaves that as it was."""
    song: str = ""
    """Folder name of the song that is now the last one; empty leaves that as it was."""
    play: tuple[Path, ...] = ()
    """What whoever asked should play now."""
    undo: Mapping[str, Any] | None = None
    """How to take it back, for `undoing.take_back`; None where nothing was changed."""
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        """The form on every wire."""
        facts: dict[str, Any] = {"tool": self.tool, "text": self.text}
        if self.data:
            facts["data"] = dict(self.data)
        if self.files:
            facts["files"] = [str(path) for path in self.files]
        if self.play:
            facts["play"] = [str(path) for path in self.play]
        if self.failed:
            facts["failed"] = True
        return facts

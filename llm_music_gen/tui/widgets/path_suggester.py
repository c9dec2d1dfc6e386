"""Completes the name of an audio file or folder while it is typed."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from textual.suggester import Suggester

#: Folders may be large, and typing must not wait.
_MOST_ENTRIES = 2_000


class PathSuggester(Suggester):
    """Proposes the rest of the last path; several are separated by semicolons."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The whole value, completed; None where nothing fits."""
        before, semicolon, last = value.rpartition(";")
        typed = last.lstrip()
        if not typed:
            return None
        head = before + semicolon + last[: len(last) - len(typed)]
        folder, beginning = os.path.split(typed)
        name = _first(Path(folder or ".").expanduser(), beginning)
        return None if name is None else head + typed[: len(typed) - len(beginning)] + name


def _first(folder: Path, beginning: str) -> str | None:
    """The first folder or audio file by name that begins like this, folders with their separator."""
    from llm_music_gen.processing.files import SUFFIXES

    fitting: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, _MOST_ENTRIES):
                if not entry.name.startswith(beginning) or entry.name == beginning:
                    continue
                if entry.name.startswith(".") and not beginning.startswith("."):
                    continue
                if entry.is_dir():
                    fitting.append(entry.name + os.sep)
                elif Path(entry.name).suffix.lower() in SUFFIXES:
                    fitting.append(entry.name)
    except (OSError, ValueError):
        return None
    return min(fitting, default=None)

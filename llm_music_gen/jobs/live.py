"""What the running job is doing this moment, in a small file that any screen may read several times a second.

The database is written at most once a second; this file carries the moments between, and nothing is lost when it is.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from llm_music_gen.parsing import parse_json


@dataclass(frozen=True, slots=True)
class LiveProgress:
    """The latest report of the running job."""

    uid: str
    fraction: float
    """Of the whole job."""
    stage: str
    message: str
    detail: dict[str, Any] = field(default_factory=dict)


def write_live(path: Path, progress: LiveProgress | None) -> None:
    """Replace the file, or remove it. A file that is open elsewhere (Windows) is left for the next report."""
    try:
        if progress is None:
            path.unlink(missing_ok=True)
            return
        part = path.with_suffix(".part")
        part.write_text(json.dumps(asdict(progress)), encoding="utf-8")
        part.replace(path)
    except OSError:
        return


def read_live(path: Path) -> LiveProgress | None:
    """The latest report, or None when nothing runs."""
    try:
        return LiveProgress(**parse_json(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None

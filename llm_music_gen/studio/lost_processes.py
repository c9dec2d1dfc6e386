"""Counts processes that died while a model wrote, so that a model on which llama.cpp crashes does not cost the whole job.

The queue starts a job again whose process died. Where that happened `ENOUGH` times in the middle of writing, the model is to
blame, and the job goes on without it. A single death may have been a power cut.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

ENOUGH = 2
#: Stages in which a model is at work.
_WRITING = frozenset({"theme", "tune"})


@dataclass
class LostProcesses:
    """The note about one job. The file says how many processes began to write and never went on."""

    file: Path
    before: int = field(init=False)
    _writing: bool = False

    def __post_init__(self) -> None:
        try:
            self.before = int(self.file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            self.before = 0

    @property
    def enough(self) -> bool:
        """Whether the model is to be blamed."""
        return self.before >= ENOUGH

    def reached(self, stage: str) -> None:
        """A report of this stage came."""
        if (stage in _WRITING) != self._writing:
            self._writing = stage in _WRITING
            if not self._writing:
                self.over()
            else:
                with contextlib.suppress(OSError):
                    self.file.write_text(str(self.before + 1), encoding="ascii")

    def over(self) -> None:
        """What was written is there, or the work ended in an orderly way."""
        self._writing = False
        if not self.enough:  # what is known of a bad model stays known for this job
            self.before = 0
            with contextlib.suppress(OSError):
                self.file.unlink(missing_ok=True)

"""What a trial measured, beside what is required of it: one JSON line each, where a file for them is named."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "LLM_MUSIC_GEN_FIGURES"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    number: str
    """R1 to R23."""
    what: str
    required: str
    measured: str
    holds: bool

    def record(self) -> None:
        """Write it down and see that it holds."""
        named = os.environ.get(VARIABLE)
        if named:
            with Path(named).open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(self), ensure_ascii=False) + "\n")
        assert self.holds, f"{self.number}, {self.what}: required {self.required}, measured {self.measured}"


def read_figures(file: Path) -> list[Figure]:
    """The lines of a file, the last one for each trial."""
    found: dict[tuple[str, str], Figure] = {}
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            figure = Figure(**json.loads(line))
            found[figure.number, figure.what] = figure
    return list(found.values())


def table(figures: list[Figure]) -> str:
    """All figures in the order of their numbers, as a table of plain text."""
    rows = [("", "trial", "required", "measured", "")]
    for figure in sorted(figures, key=lambda each: (int(each.number[1:]), each.what)):
        rows.append((figure.number, figure.what, figure.required, figure.measured, "holds" if figure.holds else "FAILS"))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)

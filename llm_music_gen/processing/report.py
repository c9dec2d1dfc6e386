"""What a file was put through, and what was measured before and after."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_music_gen.processing.measure import Measurement
from llm_music_gen.tools.plan import Call


@dataclass(frozen=True, slots=True)
class Report:
    """One processed file."""

    source: Path
    output: Path
    calls: tuple[Call, ...]
    """As they were carried out: checked, and with what automatic tools chose for themselves."""
    before: Measurement
    after: Measurement
    """Of the finished file, decoded again."""
    notes: tuple[str, ...] = ()
    """What else a listener should know, in sentences."""

    def as_json(self) -> dict[str, Any]:
        """For `--json`, history and MCP."""
        return {
            "source": str(self.source),
            "output": str(self.output),
            "calls": [call.as_json() for call in self.calls],
            "before": self.before.as_json(),
            "after": self.after.as_json(),
            "notes": list(self.notes),
        }

    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """(what, before, after) for people."""
        return tuple((name, _text(value(self.before), unit), _text(value(self.after), unit)) for name, unit, value in _LINES)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be processed; the others were."""

    source: Path
    reason: str
    """One sentence."""

    def as_json(self) -> dict[str, Any]:
        return {"source": str(self.source), "error": self.reason}


_LINES: tuple[tuple[str, str, Any], ...] = (
    ("Length", "s", lambda m: m.duration_s),
    ("Loudness", "LUFS", lambda m: m.lufs),
    ("Loudness range", "LU", lambda m: m.lra),
    ("True peak", "dBTP", lambda m: m.true_peak_dbtp),
    ("Crest factor", "dB", lambda m: m.crest_db),
    ("Noise floor", "dBFS", lambda m: m.noise_floor_dbfs),
    ("Clipped samples", "", lambda m: m.clipping),
    ("Correlation", "", lambda m: None if m.stereo is None else m.stereo.correlation),
)


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    number = str(value) if isinstance(value, int) else f"{value:.2f}" if unit in ("", "s") else f"{value:.1f}"
    return f"{number} {unit}".strip()

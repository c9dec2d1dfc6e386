"""A section as a model wrote it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WrittenSection:
    """What the model wrote for one material."""

    label: str
    bars: int
    text: str
    """Composer text: the bars on one line, each closed by `|`."""

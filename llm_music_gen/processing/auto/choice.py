"""What an Auto tool chose: the arguments of its plain twin, and why."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Choice:
    """Base of all choices; fields are named as the arguments they fill."""

    reason: str
    """One sentence for the listener, with the figures that led to it."""

    def arguments(self) -> dict[str, Any]:
        """The settings by name, without those that stay unset."""
        pairs = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {name: value for name, value in pairs if name != "reason" and value is not None}

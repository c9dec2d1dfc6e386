"""What a recipe keeps of a song that was edited: how it was before the first edit, and every edit since, as data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from llm_music_gen.domain.edit import Operation
from llm_music_gen.studio.records import Record, SectionText, ThemeRecord


class EditRecord(Record):
    """One edit."""

    request: str
    """As it was asked."""
    former: str
    """Identity of the version before."""
    operations: tuple[Annotated[Operation, Field(discriminator="op")], ...]
    """What was done; nothing is understood or written a second time."""


class EditedRecord(Record):
    """The song as it was made first, and its edits in order."""

    theme: ThemeRecord
    unit: str = Field(pattern=r"^1/\d{1,2}$")
    sections: tuple[SectionText, ...] = Field(min_length=1)
    style_names: tuple[str, ...]
    style_sha256: str
    edits: tuple[EditRecord, ...] = Field(min_length=1)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation, in order."""
        return tuple(operation for edit in self.edits for operation in edit.operations)

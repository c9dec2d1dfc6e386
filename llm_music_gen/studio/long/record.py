"""What a recipe records of a long track beside what every song has: its chapters, layers and how calm it is."""

from __future__ import annotations

from pydantic import Field

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Calm, Chapter
from llm_music_gen.studio.records import Record, SectionText, ThemeRecord


class ChapterRecord(Record):
    """One chapter."""

    name: str
    start_s: float = Field(ge=0)
    length_s: float = Field(gt=0)
    key: str
    depth: float
    density: float
    a4_hz: float = Field(gt=300, lt=700)
    unit: str = Field(pattern=r"^1/\d{1,2}$")
    """Unit note length of the sections' text."""
    sections: tuple[SectionText, ...] = Field(min_length=1)
    """What the model wrote for it."""
    theme: ThemeRecord | None = None
    """Where a band plays the chapter as a song of its own; None for calm music."""

    @staticmethod
    def of(chapter: Chapter, unit: str, sections: tuple[SectionText, ...], theme: ThemeRecord | None) -> ChapterRecord:
        """The record of a chapter."""
        return ChapterRecord(
            name=chapter.name, start_s=chapter.start_s, length_s=chapter.length_s, key=chapter.key.abc(), depth=chapter.depth,
            density=chapter.density, a4_hz=chapter.a4_hz, unit=unit, sections=sections, theme=theme,
        )  # fmt: skip

    def chapter(self, number: int) -> Chapter:
        """The chapter again. Raises NotationError for a key that cannot be read."""
        return Chapter(number, self.start_s, self.length_s, self.name, Key.parse(self.key), self.depth, self.density, self.a4_hz)


class LayerRecord(Record):
    """One layer under the music."""

    kind: str
    level_db: float
    carrier_hz: float = 0.0
    beat_points: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    """(time in seconds, Hz), joined by straight lines."""
    start_s: float = 0.0
    end_s: float | None = None
    fade_s: float = 10.0


class LongRecord(Record):
    """A long track."""

    calm: Calm
    intonation: str = Field(pattern="^(equal|just)$")
    tonic_hz: float | None = None
    """Where the tonic was asked to lie; None for concert pitch or a reference."""
    frequency: str = ""
    """As asked for, for people."""
    chapters: tuple[ChapterRecord, ...] = Field(min_length=1)
    layers: tuple[LayerRecord, ...] = ()
    rounds: int = 0
    """How often events that stood out were turned down."""
    corrections_db: dict[int, float] = Field(default_factory=dict)
    """Chapters whose single events were turned down because they stood out."""

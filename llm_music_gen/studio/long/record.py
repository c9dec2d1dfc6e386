"""What a recipe records of a long track beside what every song has: its chapters, layers and how calm it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Calm, Chapter
from llm_music_gen.domain.score import Intonation
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
    sections: tuple[SectionText, ...]
    """What the model wrote for it; nothing where only layers sound."""
    theme: ThemeRecord | None = None
    """Where a band plays the chapter as a song of its own; None for calm music."""

    @staticmethod
    def of(chapter: Chapter, unit: str, sections: tuple[SectionText, ...], theme: ThemeRecord | None) -> ChapterRecord:
        """The record of a chapter."""
        return ChapterRecord(
            name=chapter.name, start_s=chapter.start_s, length_s=chapter.length_s, key=chapter.key.abc(), depth=chapter.depth,
            density=chapter.density, a4_hz=chapter.a4_hz, unit=unit, sections=sections, theme=theme,
        )  # fmt: skip

    def chapter(self, number: int, intonation: Intonation) -> Chapter:
        """The chapter again. Raises NotationError for a key that cannot be read."""
        key = Key.parse(self.key)
        tuned = replace(intonation, tonic_pc=key.tonic_pc)
        return Chapter(number, self.start_s, self.length_s, self.name, key, self.depth, self.density, self.a4_hz, tuned)


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

    def chapter(self, number: int) -> Chapter:
        """One of its chapters, tuned; every frequency is kept exactly where one was promised."""
        return self.chapters[number].chapter(number, Intonation(self.intonation, 0, bool(self.frequency)))

    calm: Calm
    intonation: Literal["equal", "just"]
    tonic_hz: float | None = None
    """Where the tonic was asked to lie; None for concert pitch or a reference."""
    frequency: str = ""
    """As asked for, for people."""
    chapters: tuple[ChapterRecord, ...] = Field(min_length=1)
    layers: tuple[LayerRecord, ...] = ()
    music: bool = True
    """Whether anything sounds beside the layers."""
    fade_s: float | None = None
    """How long it fades out, where that was asked for."""
    band: tuple[str, ...] = ()
    """Instruments that play motifs in calm music: names, own voices in <angle brackets>."""
    rounds: int = 0
    """How often events that stood out were turned down."""
    excess_lu: dict[int, float] = Field(default_factory=dict)
    """By how much chapters were over their limits before the last round."""
    corrections_db: dict[int, float] = Field(default_factory=dict)
    """Chapters whose single events were turned down because they stood out."""


class SpokenRecord(Record):
    """A sentence of a narration."""

    start_s: float = Field(ge=0)
    """In the track; on whole tenths of a second, like its end."""
    end_s: float = Field(gt=0)
    text: str


class NarrationRecord(Record):
    """A voice over the music. What it said was spoken once and lies beside the recipe as `narration/speech.flac`."""

    voice: str
    rate_wpm: int
    """Words a minute."""
    sha256: str
    """Of the file with the voice: mono, the sentences one after the other without the pauses between them."""
    duck_db: float = Field(ge=0)
    """By how much the music gives way, ..."""
    attack_s: float = Field(ge=0)
    """... how long it takes to do so before the first word, ..."""
    release_s: float = Field(ge=0)
    """... how long to come up after the last, ..."""
    hold_s: float = Field(ge=0)
    """... and up to which pause it stays down."""
    over_music_lu: float
    """How much louder than the music, where that is alone, the voice is."""
    spans: tuple[SpokenRecord, ...] = Field(min_length=1)
    """In order."""

"""Parts of a recipe that songs and the chapters of long tracks share: the theme, and what a model wrote."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan, Theme


class Record(BaseModel):
    """A part of a recipe: frozen, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FormSection(Record):
    """One section of the form as it is heard."""

    label: str = Field(pattern="^[A-Z]$")
    role: str
    bars: int = Field(ge=1)
    energy: float
    character: str = ""


class ThemeRecord(Record):
    """The theme that the song follows."""

    title: str
    styles: tuple[str, ...]
    mood: tuple[str, ...]
    key: str
    tempo_bpm: float = Field(gt=0)
    meter: str
    form: tuple[FormSection, ...] = Field(min_length=1)
    instruments: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    density: float
    length_frames: int = Field(gt=0)
    hints: tuple[str, ...] = ()

    @staticmethod
    def of(theme: Theme) -> ThemeRecord:
        """The record of a theme."""
        form = tuple(
            FormSection(label=plan.label, role=plan.role, bars=plan.bars, energy=plan.energy, character=plan.character)
            for plan in theme.form
        )
        return ThemeRecord(
            title=theme.title, styles=theme.styles, mood=theme.mood, key=theme.key.abc(), tempo_bpm=theme.tempo_bpm,
            meter=str(theme.meter), form=form, instruments=theme.instruments, without=theme.without, density=theme.density,
            length_frames=theme.length_frames, hints=theme.hints,
        )  # fmt: skip

    def theme(self) -> Theme:
        """The theme again. Raises NotationError for a key or metre that cannot be read."""
        form = tuple(SectionPlan(item.label, item.role, item.bars, item.energy, item.character) for item in self.form)
        return Theme(
            title=self.title, styles=self.styles, mood=self.mood, key=Key.parse(self.key), tempo_bpm=self.tempo_bpm,
            meter=Meter.parse(self.meter), form=form, instruments=self.instruments, without=self.without, density=self.density,
            length_frames=self.length_frames, hints=self.hints,
        )  # fmt: skip


class SectionText(Record):
    """What the model wrote for one material."""

    label: str = Field(pattern="^[A-Z]$")
    bars: int = Field(ge=1)
    text: str
    """Composer text: the bars on one line, each closed by `|`."""

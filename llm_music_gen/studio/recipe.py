"""The recipe: everything from which a song can be made again, byte for byte.

It records what models wrote and what was decided, so that nothing is inferred a second time. Its hash is the song's identity.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.errors import StorageError, StudioError, UsageError
from llm_music_gen.settings import AudioFormat

SCHEMA = 1
MAX_RECIPE_BYTES = 50_000_000


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FormSection(_Record):
    """One section of the form as it is heard."""

    label: str = Field(pattern="^[A-Z]$")
    role: str
    bars: int = Field(ge=1)
    energy: float
    character: str = ""


class ThemeRecord(_Record):
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


class SectionText(_Record):
    """What the model wrote for one material."""

    label: str = Field(pattern="^[A-Z]$")
    bars: int = Field(ge=1)
    text: str
    """Composer text: the bars on one line, each closed by `|`."""


class ModelRecord(_Record):
    """Which model wrote the tune, and how it was asked."""

    name: str
    sha256: str
    temperature: float


class FileRecord(_Record):
    """A file that was used but is not part of the recipe."""

    name: str
    sha256: str


class Measured(_Record):
    """What was measured on the finished files. Not part of the identity."""

    lufs: float
    true_peak_dbtp: float


class Recipe(_Record):
    """Everything from which a song can be made again."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    created: str
    """ISO 8601, UTC; also the date in the tags."""
    seed: int = Field(ge=0)
    """Gives every random choice."""
    theme: ThemeRecord
    unit: str = Field(pattern=r"^1/\d{1,2}$")
    """Unit note length of the sections' text, as in `L:`."""
    sections: tuple[SectionText, ...] = Field(min_length=1)
    style_names: tuple[str, ...]
    """Style sheets, in the order of blending; `theme.mood` bends the result."""
    style_sha256: str
    """Of the style as blended and bent; a sheet that was changed since is noticed by it."""
    model: ModelRecord
    soundfont: FileRecord
    render_fingerprint: str = ""
    """Hash of a test block as the computer that made the song renders it; "" where it is not known."""
    a4_hz: float = Field(default=440.0, gt=300, lt=700)
    """Reference pitch; other than 440 it puts the tonic on the frequency that was asked for."""
    loudness_lufs: float
    formats: tuple[AudioFormat, ...] = Field(min_length=1)
    mp3_kbps: int
    versions: dict[str, str]
    measured: Measured | None = None

    @property
    def identity(self) -> str:
        """SHA-256 (hex) over the canonical JSON, without what was measured afterwards."""
        data = self.model_dump(mode="json", by_alias=True, exclude={"measured"})
        canonical = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8")).hexdigest()

    def to_json(self) -> str:
        """As written to recipe.json."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.json, or the one in a song's folder. Raises StudioError in one sentence."""
    if path.is_dir():
        path = path / "recipe.json"
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise UsageError(f"{path} is too large for a recipe.")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StorageError(
            f"{path} cannot be read ({error.strerror or error}).", hint="Give a recipe.json or a song's folder."
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no recipe ({error}).", hint="Give a recipe.json that Llm-Music-Gen wrote.") from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise UsageError(f"{path} has schema {schema}, this version knows {SCHEMA}.", hint="Use the newer Llm-Music-Gen.")
    try:
        recipe = Recipe.model_validate(data)
        recipe.theme.theme()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UsageError(f"{path} is no usable recipe ({where}: {first['msg']}).") from error
    except StudioError as error:
        raise UsageError(f"{path} is no usable recipe ({error})") from error
    return recipe


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()

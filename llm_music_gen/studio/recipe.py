"""The recipe: everything from which a song can be made again, byte for byte.

It records what models wrote and what was decided, so that nothing is inferred a second time. Its hash is the song's identity.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from llm_music_gen.domain.text_model import Exchange
from llm_music_gen.errors import StorageError, StudioError, UsageError
from llm_music_gen.parsing import parse_json
from llm_music_gen.settings import AudioFormat
from llm_music_gen.studio.editing_record import EditedRecord
from llm_music_gen.studio.long.record import LongRecord, NarrationRecord
from llm_music_gen.studio.records import FormSection, Record, SectionText, ThemeRecord
from llm_music_gen.styles import Style

__all__ = [
    "FileRecord", "FormSection", "Measured", "ModelRecord", "Recipe", "SectionText", "ThemeRecord", "TuningRecord",
    "file_sha256", "read_recipe", "style_sha256",
]  # fmt: skip

SCHEMA = 1
MAX_RECIPE_BYTES = 50_000_000
#: Absent where there is none.
_SELDOM = ("long", "narration", "tuning", "imagined", "edited")


class ModelRecord(Record):
    """Which model wrote the tune, and how it was asked."""

    name: str
    sha256: str
    temperature: float


class FileRecord(Record):
    """A file that was used but is not part of the recipe."""

    name: str
    sha256: str


class ExchangeRecord(Record):
    """A question to a model and its answer."""

    purpose: str
    model: str
    prompt: str
    answer: str

    @staticmethod
    def of(exchange: Exchange) -> ExchangeRecord:
        """The record of an exchange."""
        return ExchangeRecord(purpose=exchange.purpose, model=exchange.model, prompt=exchange.prompt, answer=exchange.answer)

    def exchange(self) -> Exchange:
        """The exchange again."""
        return Exchange(self.purpose, self.model, self.prompt, self.answer)


class Measured(Record):
    """What was measured on the finished files. Not part of the identity."""

    lufs: float
    true_peak_dbtp: float


class TuningRecord(Record):
    """A frequency that was asked for."""

    frequency: str
    """For people: "528 Hz"."""
    tonic_hz: float | None
    """Where the tonic lies; None when a reference pitch was asked for."""
    system: Literal["equal", "just"] = "equal"


class Recipe(Record):
    """Everything from which a song can be made again."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    created: str
    """ISO 8601, UTC; also the date in the tags."""
    seed: int = Field(ge=0)
    """Gives every random choice."""
    theme: ThemeRecord
    unit: str = Field(pattern=r"^1/\d{1,2}$")
    """Unit note length of the sections' text, as in `L:`."""
    sections: tuple[SectionText, ...]
    """What the model wrote; nothing where only layers sound."""
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
    tuning: TuningRecord | None = None
    """Of songs for which a frequency was asked; others have none."""
    imagined: ExchangeRecord | None = None
    """Where a model imagined the theme: what it was asked and answered. Nothing is asked again."""
    long: LongRecord | None = None
    """Of tracks that are made of chapters; songs have none."""
    narration: NarrationRecord | None = None
    """Of tracks in which somebody speaks."""
    edited: EditedRecord | None = None
    """Of songs that were edited: how they were made first, and the edits. The other keys tell how the song is now."""

    @model_validator(mode="after")
    def _has_notes(self) -> Recipe:
        silent = self.long is not None and not self.long.music
        chapters = self.long.chapters if self.long is not None else ()
        if not silent and not all((self.sections, *(chapter.sections for chapter in chapters))):
            raise ValueError("there are no notes")
        return self

    @property
    def identity(self) -> str:
        """SHA-256 (hex) over the canonical JSON, without what was measured afterwards."""
        data = {name: value for name, value in self._data().items() if name != "measured"}
        canonical = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8")).hexdigest()

    def _data(self) -> dict[str, Any]:
        """As JSON values; what not every song has is absent where it has none, so that it does not change identities."""
        data = self.model_dump(mode="json", by_alias=True)
        return {name: value for name, value in data.items() if value is not None or name not in _SELDOM}

    def to_json(self) -> str:
        """As written to recipe.json."""
        return json.dumps(self._data(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.json, or the one in a song's folder. Raises StudioError in one sentence."""
    if path.is_dir():
        path = path / "recipe.json"
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise UsageError(f"{path} is too large for a recipe.")
        data = parse_json(path.read_text(encoding="utf-8"))
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


def style_sha256(style: Style) -> str:
    """Checksum (hex) of everything in a style that can be heard."""
    return hashlib.sha256(repr(style).encode("utf-8")).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 (hex) of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()

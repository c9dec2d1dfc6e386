"""Every setting with its default and one explaining sentence, kept in `data/settings.toml`.

The file is written whole with a comment above each line, so it can be read and edited by hand. A key that does not exist is
refused in one sentence that names the nearest key that does.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llm_music_gen import disk
from llm_music_gen.errors import SettingsError, StorageError
from llm_music_gen.parsing import parse_toml

SCHEMA = 1
#: No settings file is larger; a path may also lead to something endless.
MOST_BYTES = 1_000_000
AudioFormat = Literal["mp3", "wav", "flac", "opus"]
FORMATS: tuple[AudioFormat, ...] = ("mp3", "wav", "flac", "opus")


class Settings(BaseModel):
    """The studio's settings. Frozen: change one with `with_setting`, which checks the new value."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    thread_fraction: float = Field(
        default=5 / 6,
        gt=0,
        le=1,
        title="Thread Fraction",
        description="Share of the processor's threads that the language model may use.",
    )
    temperature: float = Field(
        default=0.75,
        ge=0,
        le=2,
        title="Model Temperature",
        description="How adventurous the model writes: 0 is always its first idea.",
    )
    volume_percent: int = Field(default=65, ge=0, le=100, title="Audio Volume", description="Loudness of the jukebox.")
    model: str = Field(
        default="",
        title="Model",
        description='GGUF file that writes the tunes, or "server" for one there; empty means the built-in composer.',
    )
    theme_model: str = Field(
        default="", title="Theme Model", description="GGUF file that imagines themes; empty means the built-in word tables."
    )
    server: str = Field(
        default="",
        title="Server",
        description="Address of an OpenAI-compatible server for themes, where no theme model is named, and for tunes, where the "
        'model is "server". Its key is read from the environment variable LLM_MUSIC_GEN_API_KEY only.',
    )
    server_model: str = Field(
        default="", title="Server's Model", description="Name of the model on the server; empty takes the first one there."
    )
    keep_prompts: bool = Field(
        default=True, title="Keep Prompts", description="Whether what models were asked and answered is kept beside each song."
    )
    planner: Literal["rules", "model"] = Field(
        default="rules",
        title="Planner",
        description="Who turns requests into tool calls: rules (at once), or model (the theme model or the server).",
    )
    song_length: str = Field(default="5", title="Song Length", description='As "M", "M-M", "HH:MM", "30s" or "3m20s".')
    frequency: str = Field(
        default="", title="Frequency", description='Where the tonic lies: "528", "A4=432", "om"; empty means concert pitch.'
    )
    layers: str = Field(
        default="",
        title="Layers",
        description='What lies under music made in the app: "binaural 10-2, rain"; empty means nothing.',
    )
    night: bool = Field(default=False, title="Night", description="Whether what the app makes is calm enough to sleep to.")
    auto_play: bool = Field(
        default=True, title="Auto-Play After Convert", description="Whether a finished song starts by itself."
    )
    formats: tuple[AudioFormat, ...] = Field(
        default=("mp3",), min_length=1, title="Formats", description="Audio files made of each song."
    )
    output_dir: str = Field(
        default="", title="Output Folder", description="Where finished songs are put as well; empty means the library only."
    )
    soundfont: str = Field(
        default="", title="Soundfont", description="SF2 or SF3 file with the instruments; empty means the first one found."
    )
    loudness_lufs: float = Field(
        default=-14.0,
        ge=-30,
        le=-8,
        title="Loudness",
        description="Integrated loudness of finished songs in LUFS (streaming sites: -14).",
    )
    mp3_kbps: Literal[128, 160, 192, 256, 320] = Field(
        default=192, title="MP3 Bit Rate", description="Constant bit rate of MP3 files."
    )
    gpu_layers: int = Field(
        default=-1,
        ge=-1,
        le=1000,
        title="GPU Layers",
        description="Layers of a model that go to the graphics card, if there is one: -1 as many as fit, 0 none.",
    )
    context_tokens: int = Field(
        default=0, ge=0, le=131_072, title="Context", description="Context length for a model in tokens; 0 takes what suits it."
    )
    calibration_db: float = Field(
        default=94.0,
        ge=40,
        le=140,
        title="Calibration",
        description="Sound pressure level of a full-scale sine, for sone and dB(A) in descriptions.",
    )
    event_model: str = Field(
        default="", title="Event Model", description="ONNX file that hears events in descriptions; empty means the built-in one."
    )
    theme: str = Field(default="calm", title="Colours", description="Colour theme of the app: calm, paper, contrast or plain.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", title="Log Level", description="How much goes into the log files."
    )


@dataclass(frozen=True, slots=True)
class SettingField:
    """What a screen needs to show one setting."""

    key: str
    title: str
    explanation: str
    default: Any


def setting_fields() -> tuple[SettingField, ...]:
    """Every setting in the order of the file."""
    return tuple(
        SettingField(key, info.title or key, info.description or "", info.get_default())
        for key, info in Settings.model_fields.items()
    )


def nearest_key(key: str) -> str | None:
    """The known setting that resembles `key` most, or None."""
    found = difflib.get_close_matches(key.lower().replace("-", "_"), Settings.model_fields, n=1, cutoff=0.4)
    return found[0] if found else None


def with_setting(settings: Settings, key: str, value: object) -> Settings:
    """A copy with one value changed. Raises SettingsError for an unknown key or a value out of range."""
    return _checked({**settings.model_dump(), key: value}, "The setting")


def load_settings(path: Path) -> Settings:
    """Read the file; a missing one gives the defaults. Raises SettingsError in one sentence."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read ({error}).", hint="Correct or delete it.") from error
    if len(data) > MOST_BYTES:
        raise SettingsError(f"{path} is far too large for settings.", hint="Correct or delete it.")
    try:
        values = parse_toml(text)
    except ValueError as error:
        raise SettingsError(f"{path} is not valid TOML ({error}).", hint="Correct or delete it.") from error
    schema = values.pop("schema", SCHEMA)
    if schema != SCHEMA:
        raise SettingsError(f"{path} has schema {schema}, this version knows {SCHEMA}.", hint="Use the newer Llm-Music-Gen.")
    return _checked(values, str(path))


def load_settings_or_defaults(path: Path) -> tuple[Settings, str]:
    """Like `load_settings`, but a broken file gives the defaults and the sentence that says what is wrong with it."""
    try:
        return load_settings(path), ""
    except SettingsError as error:
        return Settings(), str(error)


def save_settings(settings: Settings, path: Path) -> None:
    """Write the file whole, in one move. A broken one that stood there is kept beside it. Raises StorageError."""
    lines = [tomli_w.dumps({"schema": SCHEMA})]
    for field in setting_fields():
        value = getattr(settings, field.key)
        lines.append(f"# {field.explanation}\n" + tomli_w.dumps({field.key: list(value) if isinstance(value, tuple) else value}))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and load_settings_or_defaults(path)[1]:
            path.replace(path.with_name(path.name + ".broken"))
        disk.write_whole(path, "\n".join(lines).encode("utf-8"))
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error}).", hint="Check the folder's rights and free space.") from error


def _checked(values: dict[str, Any], where: str) -> Settings:
    for key in values:
        if key not in Settings.model_fields:
            near = nearest_key(key)
            raise SettingsError(f"{where} has an unknown key {key!r}.", hint=f"Did you mean {near!r}?" if near else "Remove it.")
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        raise SettingsError(f"{where}: {key} = {values.get(key)!r} will not do ({first['msg']}).") from error

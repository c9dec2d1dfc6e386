"""Says what this computer has and lacks for making songs, and what to do about it. Changes nothing, loads no model."""

from __future__ import annotations

import platform
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen import __version__
from llm_music_gen.errors import StudioError
from llm_music_gen.llm.backend import installed_bindings
from llm_music_gen.llm.registry import built_in_composer, describe_model
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings, load_settings
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.studio.server_check import server_sentence
from llm_music_gen.studio.writer_model import names_server

MIN_FREE_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the doctor's report."""

    name: str
    ok: bool
    found: str
    advice: str = ""
    """What to do where it is not well."""
    needed: bool = True
    """Whether songs cannot be made without it."""


def examine(paths: StudioPaths, settings: Settings) -> tuple[Fact, ...]:
    """Everything that can be known without making a song."""
    return (
        Fact("Llm-Music-Gen", True, f"{__version__}, data in {paths.data_dir}"),
        _python(),
        _settings(paths),
        _bindings(),
        _built_in(),
        _chosen_model(settings),
        *([_server(settings)] if settings.server else []),
        _fluidsynth(),
        _soundfont(paths, settings),
        _ffmpeg(),
        _disk(paths.songs_dir),
        _writable(paths.songs_dir),
    )


def _python() -> Fact:
    bits = struct.calcsize("P") * 8
    found = f"{platform.python_version()} ({bits} bit) on {platform.system()} {platform.release()}"
    ok = sys.version_info >= (3, 10) and bits == 64
    return Fact("Python", ok, found, "" if ok else "Install a 64-bit Python 3.10 or newer.")


def _settings(paths: StudioPaths) -> Fact:
    def look() -> str:
        load_settings(paths.settings_file)
        return str(paths.settings_file) if paths.settings_file.exists() else "defaults (no file yet)"

    return _checked("Settings", look)


def _bindings() -> Fact:
    names = installed_bindings()
    advice = "" if names else 'Run "pip install xllamacpp" (or, with a C++ compiler, "pip install llama-cpp-python").'
    return Fact("llama.cpp", bool(names), ", ".join(names) or "no binding is installed.", advice)


def _built_in() -> Fact:
    def look() -> str:
        path = built_in_composer()
        info = describe_model(path)
        if info.problem:
            raise StudioError(info.problem)
        return f"{path} ({path.stat().st_size / 1e6:.1f} MB)"

    return _checked("Built-in composer", look)


def _chosen_model(settings: Settings) -> Fact:
    if not settings.model:
        return Fact("Chosen model", True, "the built-in composer", needed=False)
    if names_server(settings.model):
        address = settings.server or "no address is given for it in the settings."
        return Fact("Chosen model", bool(settings.server), f"{settings.model}: {address}", needed=False)
    info = describe_model(Path(settings.model).expanduser())
    return Fact("Chosen model", not info.problem, info.problem or str(info.path), needed=False)


def _server(settings: Settings) -> Fact:
    try:
        return Fact("Model server", True, server_sentence(settings.server, settings.server_model), needed=False)
    except StudioError as error:
        return Fact("Model server", False, error.message, error.hint or "", needed=False)


def _fluidsynth() -> Fact:
    def look() -> str:
        from llm_music_gen.sound.synth import fluidsynth_version

        return fluidsynth_version()

    return _checked("FluidSynth", look)


def _soundfont(paths: StudioPaths, settings: Settings) -> Fact:
    return _checked("Soundfont", lambda: str(find_soundfont(settings.soundfont, paths.soundfonts_dir).path))


def _ffmpeg() -> Fact:
    found = shutil.which("ffmpeg")
    return Fact("ffmpeg", found is not None, found or "not found; songs do not need it.", needed=False)


def _disk(folder: Path) -> Fact:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free_bytes = shutil.disk_usage(there).free
    ok = free_bytes >= MIN_FREE_BYTES
    return Fact(
        "Disk space",
        ok,
        f"{free_bytes / 1e9:.1f} GB free",
        "" if ok else "Free some space: a song needs about 0.3 GB while it is made.",
    )


def _writable(folder: Path) -> Fact:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Fact(
            "Songs folder",
            False,
            f"{folder} cannot be written ({error.strerror or error}).",
            "Change its rights or use --output.",
        )
    return Fact("Songs folder", True, str(folder))


def _checked(name: str, look: Callable[[], str]) -> Fact:
    try:
        return Fact(name, True, look())
    except StudioError as error:
        return Fact(name, False, error.message, error.hint or "")

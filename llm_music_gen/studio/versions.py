"""Versions of everything that has a say in how a song sounds; they stand in its recipe."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping

from llm_music_gen import __version__
from llm_music_gen.errors import SoundError

_PACKAGES = ("numpy", "scipy", "pedalboard", "lameenc", "soundfile", "music21")


def versions() -> dict[str, str]:
    """Name -> version of the program, Python, the machine, and the packages and libraries that make sound."""
    from llm_music_gen.sound.synth import fluidsynth_version

    found = {"llm-music-gen": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    try:
        found["fluidsynth"] = fluidsynth_version()
    except SoundError:
        found["fluidsynth"] = "absent"
    return found


def differences(there: Mapping[str, str]) -> str:
    """What has another version here than in a recipe, for people."""
    return differing(there) or "the processor is another kind"


def differing(there: Mapping[str, str]) -> str:
    """The same, and "" where no version is another."""
    here = versions()
    found = [f"{name} {there.get(name, 'absent')} there, {here[name]} here" for name in here if there.get(name) != here[name]]
    return "; ".join(found)

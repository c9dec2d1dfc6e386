"""Finds a soundfont: the user's choice, the studio's own folder, the system's, last the small one that a package brings."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.errors import SoundfontMissing

SUFFIXES = (".sf2", ".sf3")
#: Preferred by name among those of one folder: full General MIDI sets before others.
_PREFERRED = ("fluidr3_gm.sf2", "generaluser", "musescore_general", "default-gm.sf2", "timgm6mb.sf2")


@dataclass(frozen=True, slots=True)
class Soundfont:
    """A soundfont file and what it is."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.stem

    def checksum(self) -> str:
        """SHA-256 of the file. Reads it whole: about a second for 150 MB."""
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()


def find_soundfont(chosen: str | Path | None, soundfonts_dir: Path | None = None) -> Soundfont:
    """The soundfont to use. Raises SoundfontMissing when the chosen one is not a soundfont or none exists at all."""
    if chosen:
        path = Path(chosen).expanduser()
        if not path.is_file():
            raise SoundfontMissing(f"The soundfont {path} does not exist.", hint="Choose another, or clear the setting.")
        _check(path)
        return Soundfont(path)
    for folder in [soundfonts_dir, *_system_folders()]:
        for path in _in_folder(folder):
            if _looks_right(path):
                return Soundfont(path)
    packaged = _packaged()
    if packaged is not None:
        return Soundfont(packaged)
    raise SoundfontMissing(
        "No soundfont was found.", hint="Run the launcher again, or put an .sf2 or .sf3 file into data/soundfonts."
    )


def list_soundfonts(soundfonts_dir: Path | None = None) -> tuple[Soundfont, ...]:
    """Every soundfont that can be chosen, the first the one taken by default."""
    found = [path for folder in [soundfonts_dir, *_system_folders()] for path in _in_folder(folder) if _looks_right(path)]
    packaged = _packaged()
    if packaged is not None:
        found.append(packaged)
    return tuple(Soundfont(path) for path in dict.fromkeys(found))


def _in_folder(folder: Path | None) -> list[Path]:
    try:
        paths = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES] if folder else []
    except OSError:
        return []

    def rank(path: Path) -> int:
        name = path.name.lower()
        return next((place for place, start in enumerate(_PREFERRED) if name.startswith(start)), len(_PREFERRED))

    return sorted(paths, key=rank)


def _system_folders() -> list[Path]:
    if sys.platform == "win32":
        roots = [os.environ.get("PROGRAMDATA", r"C:\ProgramData"), os.environ.get("PROGRAMFILES", r"C:\Program Files")]
        return [Path(root) / "soundfonts" for root in roots] + [Path(r"C:\soundfonts")]
    if sys.platform == "darwin":
        return [Path.home() / "Library/Audio/Sounds/Banks", Path("/Library/Audio/Sounds/Banks")]
    return [Path("/usr/share/sounds/sf2"), Path("/usr/share/sounds/sf3"), Path("/usr/share/soundfonts")]


def _packaged() -> Path | None:
    """TimGM6mb.sf2 inside the pretty_midi package, found without importing it."""
    spec = importlib.util.find_spec("pretty_midi")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "TimGM6mb.sf2"
    return path if path.is_file() else None


def _looks_right(path: Path) -> bool:
    try:
        _check(path)
    except SoundfontMissing:
        return False
    return True


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        raise SoundfontMissing(f"The soundfont {path} cannot be read ({error}).", hint="Choose another.") from error
    if head[:4] != b"RIFF" or head[8:12] != b"sfbk":
        raise SoundfontMissing(f"{path} is not a soundfont.", hint="Choose an .sf2 or .sf3 file.")

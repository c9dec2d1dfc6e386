"""What runs on a worker: one whole song. Nothing here is called on this side."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import ModelError, StorageError, UsageError
from llm_music_gen.paths import StudioPaths, studio_paths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.cluster.files import NeededFile
from llm_music_gen.studio.cluster.there import file_here, scratch
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.studio import Studio


@dataclass(frozen=True, slots=True)
class SongOrder:
    """A song, with all that a worker cannot have."""

    request: GenerateRequest
    """Without names of files; asks for as many songs as its number, of which all but the last are there."""
    taken_titles: tuple[str, ...]
    """One for each song before it."""
    settings: Settings
    soundfont: NeededFile
    model: NeededFile
    theme_model: NeededFile | None
    sheets: Mapping[str, str]
    """The user's own style sheets: name of the file -> its text."""


@dataclass(frozen=True, slots=True)
class SentSong:
    """A song on its way back, or the sentence that says why there is none."""

    files: Mapping[str, bytes]
    """Path inside the song's folder, with slashes -> content."""
    sha256: Mapping[str, str]
    error: str = ""


_own = threading.local()


def make_song(order: SongOrder) -> SentSong:
    """A whole song, from words to files. The model stays loaded for the next one."""
    studio = _studio(order)
    model, theme_model = str(file_here(order.model)), str(file_here(order.theme_model)) if order.theme_model else ""
    request = replace(
        order.request, soundfont=str(file_here(order.soundfont)), model=model, theme_model=theme_model, output_dir=""
    )
    try:
        [outcome] = finish(studio.generate(request, finished_titles=order.taken_titles))
    except (ModelError, UsageError) as error:  # as a batch that cannot begin; the worker itself is in order
        return SentSong({}, {}, str(error))
    if outcome.song is None:
        return SentSong({}, {}, outcome.error)
    folder = outcome.song.folder
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    except OSError as error:
        raise StorageError(f"{folder} cannot be read ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return SentSong(files, {name: hashlib.sha256(data).hexdigest() for name, data in files.items()})


def _studio(order: SongOrder) -> Studio:
    """This thread's studio with the settings of an order, in a home of its own: its songs leave it at once."""
    key = hashlib.sha256(f"{order.settings.model_dump_json()}\n{sorted(order.sheets.items())}".encode()).hexdigest()
    if getattr(_own, "studio_key", "") != key:
        if getattr(_own, "studio", None) is not None:
            _own.studio.close()
        home = scratch() / key[:12]
        for name, text in order.sheets.items():
            path = home / "styles" / Path(name).name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        # Names of files are this machine's own, and each request brings them.
        settings = order.settings.model_copy(update={"soundfont": "", "model": "", "theme_model": "", "output_dir": ""})
        _own.studio = Studio(StudioPaths(home, studio_paths().models_dir), settings)
        _own.studio_key = key
    studio: Studio = _own.studio
    return studio

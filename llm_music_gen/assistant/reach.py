"""Which files the assistant may touch: those that the user named, and what the studio itself made."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from llm_music_gen.errors import UsageError
from llm_music_gen.paths import StudioPaths


def made_dir(paths: StudioPaths) -> Path:
    """Where the assistant puts what is no song: spoken words, notation it was given."""
    return paths.data_dir / "made"


class Reach:
    """Files within some folders, or, without folders, those that the user's own words named.

    A model that plans may write any name into a call, and what it was given to read may have told it to. So a name counts only
    where the user typed it (`named`), where it lies in a folder that was opened to the assistant, or where the studio made it.
    """

    def __init__(self, paths: StudioPaths, roots: Iterable[Path] | None = None) -> None:
        self._roots = None if roots is None else tuple(root.expanduser().resolve() for root in roots)
        self._own = (paths.songs_dir.resolve(), made_dir(paths).resolve())
        self._named: set[Path] = set()
        self._words: list[str] = []

    def heard(self, words: str) -> None:
        """The user said this: what it names may be touched."""
        self._words.append(words.casefold())

    def allow(self, path: Path) -> None:
        """The user chose this file or folder, or the studio wrote it."""
        self._named.add(path.expanduser().resolve())

    def check(self, path: Path, said: str) -> Path:
        """The path, where it may be touched. Raises UsageError. `said` is how the call named it."""
        resolved = path.expanduser().resolve()
        if self._roots is not None:
            inside = any(_within(resolved, root) for root in (*self._roots, *self._own))
        else:
            name = re.compile(rf"(?<!\w){re.escape(said.casefold())}(?!\w)")
            by_user = any(name.search(words) for words in self._words)
            inside = by_user or any(_within(resolved, place) for place in (*self._named, *self._own))
        if not inside:
            where = "" if self._roots is None else f" Open to me are: {', '.join(map(str, self._roots)) or 'no folders'}."
            raise UsageError(f"{said} is not among the files that I may touch.{where}", hint="Name the file yourself.")
        return path


def _within(path: Path, place: Path) -> bool:
    return path == place or os.path.commonpath([_drive_safe(path, place), place]) == str(place)


def _drive_safe(path: Path, place: Path) -> Path:
    """Paths on another drive have nothing in common, which `commonpath` refuses to say."""
    return path if path.drive == place.drive else Path(place.anchor)

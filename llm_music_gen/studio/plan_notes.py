"""What is finished of a plan: noted on disk after every song, so that only the rest is made the next time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StorageError, UsageError
from llm_music_gen.jobs.lock import ProcessLock
from llm_music_gen.parsing import parse_json
from llm_music_gen.studio.names import safe_name
from llm_music_gen.studio.seeds import new_seed

SCHEMA = 1
_PATIENCE_S = 0.3


@dataclass
class PlanNotes:
    """What is finished of one plan, on disk after every song."""

    path: Path
    seed: int
    """Gives the seeds of the rows that have none of their own."""
    songs: dict[str, dict[int, dict[str, str]]] = field(default_factory=dict)
    """Key of a row -> number of the song in it -> its title and id."""

    def note(self, key: str, index: int, song: Song) -> None:
        """A song is finished. Raises StorageError."""
        self.songs.setdefault(key, {})[index] = {"title": song.title, "id": song.id}
        self.write()

    def titles(self, key: str, before: int) -> tuple[str, ...]:
        """Titles of the songs of a row before one of them, "" where there is none."""
        made = self.songs.get(key, {})
        return tuple(made.get(index, {}).get("title", "") for index in range(1, before))

    def write(self) -> None:
        """Write it whole or not at all. Raises StorageError."""
        data = json.dumps({"schema": SCHEMA, "seed": self.seed, "songs": self.songs}, ensure_ascii=False, indent=1)
        try:
            disk.write_whole(self.path, data.encode("utf-8"))
        except OSError as error:
            raise disk.storage_error(self.path, error) from error


class UnwrittenNotes(PlanNotes):
    """For a request that is no plan: nothing of it is kept."""

    def __init__(self, seed: int) -> None:
        super().__init__(Path(), seed)

    def write(self) -> None:
        """Nowhere."""


def notes_file(plans_dir: Path, plan: Path) -> Path:
    """Where the notes about a plan file stand: a plan of another folder has others."""
    place = hashlib.sha256(str(plan.resolve()).encode("utf-8")).hexdigest()[:8]
    return plans_dir / f"{safe_name(plan.stem)}-{place}.json"


@contextmanager
def open_notes(path: Path, *, again: bool = False) -> Iterator[PlanNotes]:
    """The notes about a plan; nobody else works on the plan inside. With `again` nothing counts as finished.

    Raises StorageError when another process is on it, or for notes that cannot be read or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path.parent} cannot be made ({error.strerror or error}).", hint="Check its rights.") from error
    lock = ProcessLock(path.with_suffix(".lock"))
    if not lock.acquire(_PATIENCE_S):
        raise StorageError(
            f"Another process (number {lock.holder_pid() or 'unknown'}) is making this plan.",
            hint="Let it finish, or end it first.",
        )
    try:
        notes = _read(path) if path.is_file() and not again else PlanNotes(path, new_seed())
        notes.write()
        yield notes
    finally:
        lock.release()


def _read(path: Path) -> PlanNotes:
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise UsageError(f"{path} has schema {data['schema']}, this version knows {SCHEMA}.", hint="Use the newer one.")
        songs = {
            str(key): {int(index): {name: str(song[name]) for name in ("title", "id")} for index, song in made.items()}
            for key, made in data["songs"].items()
        }
        return PlanNotes(path, int(data["seed"]), songs)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise StorageError(
            f"{path} cannot be read ({error}).", hint="Remove it, or begin anew with --again: every row is made once more then."
        ) from error

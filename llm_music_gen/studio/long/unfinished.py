"""The folder of a track in work: its recipe, how it shall be delivered, what is rendered so far. Gone when the track is done."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llm_music_gen import disk
from llm_music_gen.errors import DiskMissing, StorageError, StudioError
from llm_music_gen.jobs.lock import ProcessLock
from llm_music_gen.studio.long.narration import SPEECH_FILE, copy_speech
from llm_music_gen.studio.recipe import Recipe, read_recipe

RECIPE_FILE = "recipe.json"
ORDER_FILE = "order.json"
LOCK_FILE = "work.lock"
PROMPTS_FILE = "prompts.jsonl"
#: The finished files, until the folder is moved into place.
SONG_FOLDER = "song"
_GONE_SUFFIX = ".gone"
#: Another process that only looks whether the lock is held lets go at once.
_PATIENCE_S = 0.3
#: 24-bit stereo hardly ever shrinks under this by FLAC; the disk need is computed with it.
SEGMENT_BYTES_A_FRAME = 5
_FORMAT_BYTES_A_FRAME = {"wav": 4.0, "flac": 3.0, "opus": 0.4}
RESERVE_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Order:
    """How a track in work shall be delivered."""

    soundfont: str
    """Path of the file."""
    output_dir: str = ""
    upload_kit: bool = False
    song_number: int = 1
    songs: int = 1
    again: bool = False
    """Made again on purpose: the same track in the library does not count as this one, finished."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A track in work."""

    folder: Path

    @property
    def key(self) -> str:
        """Name under which it is resumed."""
        return self.folder.name

    @property
    def recipe_path(self) -> Path:
        """Its plan."""
        return self.folder / RECIPE_FILE

    @property
    def prompts_path(self) -> Path:
        """What models were asked and answered, where that is kept."""
        return self.folder / PROMPTS_FILE

    @property
    def speech_path(self) -> Path:
        """The voice of its narration, where it has one."""
        return self.folder / SPEECH_FILE

    def recipe(self) -> Recipe:
        """Its plan. Raises StudioError."""
        return read_recipe(self.recipe_path)

    def order(self) -> Order:
        """How it shall be delivered. Raises StorageError."""
        try:
            return Order(**json.loads((self.folder / ORDER_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise StorageError(f"{self.folder / ORDER_FILE} cannot be read ({error}).", hint="Plan the track anew.") from error

    def plan(self, recipe: Recipe) -> None:
        """Write (or replace) the plan, whole or not at all. Raises StorageError."""
        self.write_plan(recipe.to_json())

    def write_plan(self, text: str) -> None:
        """As `plan`, from its text."""
        _write_whole(self.recipe_path, text)

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """No other process works on it inside. Raises StorageError when one does."""
        lock = ProcessLock(self.folder / LOCK_FILE)
        if not lock.acquire(_PATIENCE_S):
            raise StorageError(
                f"Another process (number {lock.holder_pid() or 'unknown'}) is making the track {self.key}.",
                hint="Let it finish, or end it first.",
            )
        try:
            yield
        finally:
            lock.release()

    def throw_away(self) -> None:
        """Remove everything. It is gone in one step; what is interrupted here is swept up later."""
        aside = self.folder.with_name(f".{self.folder.name}{_GONE_SUFFIX}")
        shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)  # where it could not be renamed

    def forget_finished(self) -> None:
        """Remove what was made from the segments: encoded pieces and finished files."""
        shutil.rmtree(self.folder / SONG_FOLDER, ignore_errors=True)
        for pattern in ("chunk-*", "finished.*"):
            for part in self.folder.glob(pattern):
                part.unlink(missing_ok=True)


def begin(
    unfinished_dir: Path, key: str, recipe: Recipe, order: Order, prompts: str = "", speech: Path | None = None
) -> Unfinished:
    """A new track in work; `prompts` (JSON Lines) is what models were asked, to be kept beside it. The voice of its narration, if
    it has one, is copied from the file `speech`.

    The recipe is written last: a folder without one was never begun. Raises StorageError.
    """
    work = Unfinished(unfinished_dir / key)
    if not work.recipe_path.is_file():
        work.throw_away()  # segments without a plan may be of another one
    try:
        work.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk.storage_error(work.folder, error) from error
    _write_whole(work.folder / ORDER_FILE, json.dumps(asdict(order), ensure_ascii=False, indent=1))
    if prompts:
        _write_whole(work.prompts_path, prompts)
    if recipe.narration is not None and speech is not None:
        copy_speech(speech, work.speech_path)
    work.plan(recipe)
    return work


def find_unfinished(unfinished_dir: Path) -> Iterator[Unfinished]:
    """Every track in work whose plan stands, the oldest first. What was being thrown away is swept up."""
    try:
        entries = list(unfinished_dir.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(".") and entry.name.endswith(_GONE_SUFFIX):
            shutil.rmtree(entry, ignore_errors=True)
    folders = [entry for entry in entries if not entry.name.startswith(".") and (entry / RECIPE_FILE).is_file()]
    for folder in sorted(folders, key=lambda entry: (_begun_at(entry), entry.name)):
        yield Unfinished(folder)


def _begun_at(folder: Path) -> float:
    """When it was begun; 0 for what is being removed this moment."""
    try:
        return (folder / ORDER_FILE).stat().st_mtime
    except OSError:
        return 0.0


def segments_done(work: Unfinished) -> int:
    """How many segments lie in its folder."""
    return len(list(work.folder.glob("segment-*.flac")))


def needed_bytes(recipe: Recipe, segments_done: int, segments: int) -> int:
    """Space that the rest of the work takes, the finished files included."""
    frames = recipe.theme.length_frames
    left = frames * (segments - segments_done) / segments * SEGMENT_BYTES_A_FRAME
    sizes = {**_FORMAT_BYTES_A_FRAME, "mp3": 2 * recipe.mp3_kbps * 125 / 44_100}
    return int(left + sum(frames * sizes[name] for name in recipe.formats)) + RESERVE_BYTES


def check_space(folder: Path, needed: int) -> None:
    """Raises DiskMissing with what is free and what is needed."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise disk.storage_error(folder, error) from error
    if free < needed:
        raise DiskMissing(
            f"{folder} has {free / 1e9:.1f} GB free, but the track needs {needed / 1e9:.1f} GB while it is made.",
            hint='Free some space, then go on with "llm-music-gen resume".',
        )


def _write_whole(path: Path, text: str) -> None:
    try:
        disk.write_whole(path, text.encode("utf-8"))
    except OSError as error:
        raise disk.storage_error(path, error) from error


def facts(work: Unfinished) -> dict[str, Any]:
    """What the list of tracks in work shows. A plan that cannot be read is named as such."""
    try:
        recipe = work.recipe()
    except StudioError as error:
        return {"key": work.key, "error": str(error)}
    return {
        "key": work.key, "title": recipe.theme.title, "length_s": recipe.theme.length_frames / 44_100,
        "segments_done": segments_done(work), "created": recipe.created,
    }  # fmt: skip

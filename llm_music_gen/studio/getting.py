"""Gets models, soundfonts and voices into the folders where the studio looks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import DownloadError, UsageError
from llm_music_gen.fetching import hub
from llm_music_gen.fetching.choosing import Wish, check_name, choose_files, read_wish
from llm_music_gen.fetching.known import KINDS, Kind, Known, known
from llm_music_gen.fetching.remote import RemoteFile, size_words
from llm_music_gen.fetching.transfer import Manners, fetch
from llm_music_gen.paths import StudioPaths

VOICES_FOLDER = "voices"


@dataclass(frozen=True, slots=True)
class GetRequest:
    """What somebody wants to have."""

    kind: Kind
    name: str
    quant: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For the job queue."""
        return {"kind": self.kind, "name": self.name, "quant": self.quant}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> GetRequest:
        """Back from the queue. Raises UsageError."""
        kind = values.get("kind")
        if kind not in KINDS:
            raise UsageError(f"There is nothing of the kind {kind!r} to get.")
        return GetRequest(kind, str(values.get("name", "")), str(values.get("quant", "")))

    def wish(self) -> Wish:
        """What it means. Raises UsageError."""
        return read_wish(self.kind, self.name, self.quant)

    @property
    def title(self) -> str:
        """One line for the queue."""
        return f"Get the {self.kind} {self.name}" + (f" ({self.quant})" if self.quant else "")


def folder_for(wish: Wish, paths: StudioPaths) -> Path:
    """Where the files go: where the studio looks for such things."""
    if wish.entry.kind == "soundfont":
        return paths.soundfonts_dir
    if wish.entry.kind == "voice":
        return paths.models_dir / VOICES_FOLDER / wish.entry.folder
    return paths.models_dir


def links(wish: Wish) -> tuple[str, ...]:
    """Plain links for a browser; where the files are not certain without asking, the page that shows them. Asks nobody."""
    if wish.entry.address:
        return (wish.entry.address,)
    files = wish.exact_files
    return tuple(hub.link(wish.entry.repo, file) for file in files) if files else (hub.page(wish.entry.repo),)


def get(request: GetRequest, paths: StudioPaths, manners: Manners | None = None) -> Work[tuple[Path, ...]]:
    """Have what is asked for in its folder, and return its files. `fraction` is of all files together.

    Raises UsageError, StorageError, and DownloadError whose hint names the link and the folder for doing it by hand.
    """
    wish = request.wish()
    folder = folder_for(wish, paths)
    yield Progress("download", 0.0, f"Asking for {wish.entry.name}")
    try:
        remotes = _remotes(wish, manners)
        files = []
        whole_bytes = sum(remote.size_bytes for remote in remotes) or 1
        before_bytes = 0
        for remote in remotes:
            work = fetch(remote, folder, _as_whom(wish, manners))
            place = yield from _scaled(work, before_bytes / whole_bytes, (remote.size_bytes or 1) / whole_bytes)
            before_bytes += remote.size_bytes
            files.append(place)
    except DownloadError as error:
        by_hand = f"By hand: {' and '.join(links(wish))} into {folder}."
        raise DownloadError(error.message, hint=f"{error.hint} {by_hand}" if error.hint else by_hand) from error
    return tuple(files)


def entries(kind: Kind, paths: StudioPaths) -> list[dict[str, Any]]:
    """What is known of a kind, for lists: with what is here already."""
    return [_facts(entry, paths) for entry in known(kind)]


def _remotes(wish: Wish, manners: Manners | None) -> Sequence[RemoteFile]:
    """Every file with address, size and checksum."""
    entry = wish.entry
    if entry.address:
        return (RemoteFile(entry.address, entry.files[0], entry.size_bytes, entry.sha256),)
    pauses = {} if manners is None else {"pauses_s": manners.pauses_s[:2]}
    paths = [file.path for file in choose_files(wish, hub.list_files(entry.repo, **pauses))]
    for path in paths:
        check_name(path)
    return [hub.locate(entry.repo, path, **pauses) for path in paths]


def _as_whom(wish: Wish, manners: Manners | None) -> Manners:
    """The token goes to the hub and nowhere else."""
    base = manners or Manners()
    return Manners("" if wish.entry.address else hub.token(), base.pauses_s, base.silence_s)


def _scaled(work: Work[Path], start: float, share: float) -> Work[Path]:
    """One file's reports, as a share of all; checking counts as a twentieth."""
    reached = start
    try:
        while True:
            report = next(work)
            within = 0.95 * report.fraction if report.stage == "download" else 0.95 + 0.05 * report.fraction
            reached = max(reached, min(1.0, start + share * within))
            yield Progress(report.stage, reached, report.message, report.detail)
    except StopIteration as stop:
        place: Path = stop.value
        return place
    finally:
        work.close()


def _facts(entry: Known, paths: StudioPaths) -> dict[str, Any]:
    wish = Wish(entry)
    folder = folder_for(wish, paths)
    return {
        "kind": entry.kind,
        "name": entry.name,
        "about": entry.about,
        "licence": entry.licence,
        "role": entry.role,
        "default": entry.default_quant,
        "sizes": {quant: size_words(size) for quant, size in entry.sizes_bytes.items()},
        "size": size_words(entry.size_bytes or entry.sizes_bytes.get(entry.default_quant, 0)),
        "repo": entry.repo,
        "address": entry.address,
        "here": _is_here(entry, folder),
    }


def _is_here(entry: Known, folder: Path) -> bool:
    patterns = [name.rsplit("/", 1)[-1].replace("{quant}", "*") for name in entry.files]
    try:
        return all(any(folder.glob(pattern)) for pattern in patterns)
    except (OSError, ValueError):
        return False

"""Reads the songs that lie in a folder: one sub-folder a song, its recipe.json and the files beside it. Files are the truth."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llm_music_gen.domain.song import Song
from llm_music_gen.parsing import parse_json

RECIPE_FILE = "recipe.json"
PROOF_FILE = "proof.json"
MAX_RECIPE_BYTES = 50_000_000
#: File name ending -> kind.
KINDS = {
    ".mp3": "mp3", ".wav": "wav", ".flac": "flac", ".opus": "opus", ".abc": "abc", ".mid": "mid", ".musicxml": "musicxml",
    ".srt": "srt", ".vtt": "vtt",
}  # fmt: skip

_log = logging.getLogger(__name__)


def songs_on_disk(songs_dir: Path) -> Iterator[Song]:
    """Every folder with a readable recipe, in order of name. One that cannot be read is logged and passed over."""
    try:
        folders = sorted(entry for entry in songs_dir.iterdir() if (entry / RECIPE_FILE).is_file())
    except OSError:
        return
    for folder in folders:
        song = None if folder.name.startswith(".") else song_on_disk(folder)
        if song is not None:
            yield song


def song_on_disk(folder: Path) -> Song | None:
    """The song in a folder; one that cannot be read is logged and passed over."""
    try:
        return read_song(folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        _log.warning("%s holds no readable song: %s", folder, error)
        return None


def read_song(folder: Path) -> Song:
    """The song in one folder. Raises OSError, ValueError, KeyError or TypeError when its recipe is not one."""
    path = folder / RECIPE_FILE
    if path.stat().st_size > MAX_RECIPE_BYTES:
        raise ValueError("its recipe is too large")
    recipe = parse_json(path.read_text(encoding="utf-8"))
    theme: dict[str, Any] = recipe["theme"]
    measured: dict[str, Any] = recipe.get("measured") or {}
    return Song(
        id=_identity(recipe),
        title=str(theme["title"]),
        styles=tuple(str(style) for style in theme["styles"]),
        folder=folder,
        files={**files_in(folder), "recipe": path},
        frames=int(theme["length_frames"]),
        key=str(theme["key"]),
        tempo_bpm=float(theme["tempo_bpm"]),
        meter=str(theme["meter"]),
        seed=int(recipe["seed"]),
        model=str(recipe["model"]["name"]),
        created=str(recipe["created"]),
        lufs=_number(measured.get("lufs")),
        true_peak_dbtp=_number(measured.get("true_peak_dbtp")),
        hints=(*(str(hint) for hint in theme.get("hints", ())), *_failed_proof(folder)),
    )


def _failed_proof(folder: Path) -> tuple[str, ...]:
    """What a listener must know of a song that is not what was promised."""
    try:
        proof = parse_json((folder / PROOF_FILE).read_text(encoding="utf-8"))
        failed = [str(check["name"]) for check in proof["checks"] if check["verdict"] == "fail"]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return (f'It failed its proof ({", ".join(failed)}): "llm-music-gen proof" says more.',) if failed else ()


def files_in(folder: Path) -> dict[str, Path]:
    """Kind -> file for everything in a song's folder that a player or editor can open."""
    return {KINDS[path.suffix.lower()]: path for path in sorted(folder.iterdir()) if path.suffix.lower() in KINDS}


def _identity(recipe: dict[str, Any]) -> str:
    """The recipe's hash: canonical JSON without what was measured afterwards."""
    data = {key: value for key, value in recipe.items() if key != "measured"}
    canonical = json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None

"""What the jukebox remembers from one evening to the next, in data/jukebox.json."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_music_gen import disk
from llm_music_gen.parsing import parse_json
from llm_music_gen.playback.track import Track

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class JukeboxMemory:
    """Queue, place and habits."""

    played: tuple[Track, ...] = ()
    current: Track | None = None
    remaining: tuple[Track, ...] = ()
    position_s: float = 0.0
    shuffle: bool = False
    repeat: str = "off"
    crossfade_s: float = 0.0
    device: str = ""
    spectrum: bool = True
    favourites: frozenset[str] = field(default=frozenset())


def read_memory(path: Path) -> JukeboxMemory:
    """What was remembered; nothing when the file is missing or damaged, for a queue is not worth a refusal to start."""
    try:
        data = parse_json(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            return JukeboxMemory()
        return JukeboxMemory(
            played=tuple(_track(entry) for entry in data["played"]),
            current=_track(data["current"]) if data["current"] else None,
            remaining=tuple(_track(entry) for entry in data["remaining"]),
            position_s=float(data["position_s"]),
            shuffle=bool(data["shuffle"]),
            repeat=str(data["repeat"]),
            crossfade_s=float(data["crossfade_s"]),
            device=str(data["device"]),
            spectrum=bool(data["spectrum"]),
            favourites=frozenset(str(key) for key in data["favourites"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return JukeboxMemory()


def write_memory(path: Path, memory: JukeboxMemory) -> bool:
    """Replace the file in one move. Returns False where nothing can be written; music goes on without it."""
    data = {
        "schema": SCHEMA,
        "played": [_entry(track) for track in memory.played],
        "current": _entry(memory.current) if memory.current else None,
        "remaining": [_entry(track) for track in memory.remaining],
        "position_s": round(memory.position_s, 2),
        "shuffle": memory.shuffle,
        "repeat": memory.repeat,
        "crossfade_s": memory.crossfade_s,
        "device": memory.device,
        "spectrum": memory.spectrum,
        "favourites": sorted(memory.favourites),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.write_whole(path, json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8"))
    except OSError:
        return False
    return True


def _entry(track: Track) -> dict[str, Any]:
    return {"path": str(track.path), "title": track.title, "length_s": track.length_s, "song_id": track.song_id}


def _track(entry: dict[str, Any]) -> Track:
    return Track(Path(entry["path"]), str(entry["title"]), float(entry["length_s"]), str(entry["song_id"]))

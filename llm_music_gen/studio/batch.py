"""What comes out of a batch: one outcome a song, and the facts that are printed about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llm_music_gen.domain.song import Song


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one song of a batch ended: with the song, or with a sentence that says why not."""

    song: Song | None = None
    error: str = ""


def song_facts(song: Song) -> dict[str, Any]:
    """The JSON object that the command line and the servers give out for a song."""
    return {
        "title": song.title,
        "styles": list(song.styles),
        "files": {kind: str(path) for kind, path in song.files.items()},
        "frames": song.frames,
        "length_s": song.length_s,
        "key": song.key,
        "tempo_bpm": song.tempo_bpm,
        "meter": song.meter,
        "seed": song.seed,
        "model": song.model,
        "lufs": song.lufs,
        "true_peak_dbtp": song.true_peak_dbtp,
        "id": song.id,
        "created": song.created,
        "hints": list(song.hints),
    }

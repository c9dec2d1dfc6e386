"""What comes out of a batch: one outcome a song, and the facts that are printed about it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StorageError
from llm_music_gen.library.catalogue import Library

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one song of a batch ended: with the song, or with a sentence that says why not."""

    song: Song | None = None
    error: str = ""


def entered(song: Song, library: Library) -> Song:
    """The song in the library; where the index cannot be written the song is there nevertheless, and says so."""
    try:
        library.add(song)
    except StorageError as error:
        _log.warning("%s is not in the index: %s", song.folder, error)
        said = f'"{song.title}" is finished, but not listed: {error.message} "llm-music-gen library rescan" lists it.'
        return replace(song, hints=(*song.hints, said))
    return song


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

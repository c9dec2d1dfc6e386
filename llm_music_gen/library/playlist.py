"""Writes playlists that other players can open."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StorageError


def write_m3u(songs: Iterable[Song], path: Path) -> int:
    """Write an extended M3U (UTF-8) with paths relative to the playlist where possible. Returns the number of songs in it.

    Songs without files are left out. Raises StorageError.
    """
    lines, count = ["#EXTM3U"], 0
    for song in songs:
        audio = song.audio_file
        if audio is None:
            continue
        count += 1
        title = " ".join(song.title.split())
        lines += [f"#EXTINF:{round(song.length_s)},{title}", _relative(audio.resolve(), path.resolve().parent)]
    try:
        disk.write_whole(path, ("\n".join(lines) + "\n").encode("utf-8"))
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}).", hint="Choose another place.") from error
    return count


def _relative(audio: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(audio, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return str(audio)

"""What the jukebox plays: a song of the library or any audio file, and how tracks are found in folders and playlists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.domain.song import Song
from llm_music_gen.errors import PlaybackError

#: Endings of the files that can be played.
AUDIO_ENDINGS = (".mp3", ".flac", ".wav", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".w64", ".rf64", ".caf", ".au")

MAX_TRACKS = 10_000
#: So many songs of the library come into the queue at once: days of music, and a queue that is still written in a moment.
MOST_QUEUED_SONGS = 1_000


@dataclass(frozen=True, slots=True)
class Track:
    """One entry of the queue."""

    path: Path
    title: str
    length_s: float = 0.0
    """0 where it is not known yet."""
    song_id: str = ""
    """Of the library's song, or ""."""

    @property
    def key(self) -> str:
        """What identifies it among the favourites."""
        return self.song_id or str(self.path)


def track_of(song: Song) -> Track | None:
    """A song of the library as a track, or None when its files are gone."""
    path = song.audio_file
    return None if song.missing or path is None else Track(path, song.title, song.length_s, song.id)


def tracks_at(path: Path) -> list[Track]:
    """A file, a folder (with its folders, in order of name) or an M3U playlist as tracks.

    Raises PlaybackError when nothing there can be played.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in AUDIO_ENDINGS and file.is_file())
        what = "no audio file lies in it"
    elif path.suffix.lower() in (".m3u", ".m3u8"):
        files, what = _listed(path), "none of its files is there"
    else:
        files, what = [path] if path.is_file() else [], "it is not there"
    if not files:
        raise PlaybackError(f"{path} cannot be played: {what}.", hint="Give an audio file, a folder or an M3U playlist.")
    return [Track(file.resolve(), file.stem) for file in files[:MAX_TRACKS]]


def _listed(playlist: Path) -> list[Path]:
    try:
        lines = playlist.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError:
        return []
    entries = (playlist.parent / line.strip() for line in lines if line.strip() and not line.startswith("#"))
    return [entry for entry in entries if entry.suffix.lower() in AUDIO_ENDINGS and _is_file(entry)]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a line that is no file name at all
        return False

"""What lies before the assistant: the studio, the current file, the last song, and the files that may be touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_music_gen.assistant.reach import Reach
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import LibraryError, UsageError
from llm_music_gen.processing.files import SUFFIXES
from llm_music_gen.requests import Situation
from llm_music_gen.studio.processing_room import files_of
from llm_music_gen.studio.studio import Studio

#: So many names of songs and files are told to whoever plans.
_MOST_NAMES = 500


@dataclass
class Desk:
    """Tools work with this; what a tool answers moves it on."""

    studio: Studio
    reach: Reach
    file: Path | None = None
    """What "it" is."""
    song: str = ""
    """Folder name of the last song, "" before the first."""
    fresh: tuple[Path, ...] = ()
    """The songs that this request made so far."""

    def situation(self) -> Situation:
        """What whoever plans may know."""
        last = self.last_song()
        return Situation(
            file=str(self.file) if self.file else None,
            last_song=last.title if last else None,
            key=last.key if last else None,
            tempo_bpm=last.tempo_bpm if last else None,
            files_in_folder=self._beside(),
            songs=tuple(song.title for song in self.studio.library.search()[-_MOST_NAMES:]),
        )

    def last_song(self) -> Song | None:
        """The song that was made or named last; the newest where none was."""
        shelf = self.studio.library
        return (shelf.song_in(self.song) if self.song else None) or next(iter(shelf.search(newest_first=True)), None)

    def song_named(self, name: str) -> Song:
        """A song by its name; "last" and "" mean the last one. Raises LibraryError."""
        if name.strip().casefold() not in ("", "last", "it", "this", "that"):
            return self.studio.library.find(name)
        song = self.last_song()
        if song is None:
            raise LibraryError("There is no song yet.", hint='Say for example "Chill, Dubstep".')
        return song

    def audio(self, names: Sequence[str] = ()) -> tuple[Path, ...]:
        """The audio files that are meant: those named, else the current one, else the last song. Raises UsageError."""
        if not names:
            return (self.current(),)
        return tuple(dict.fromkeys(path for name in names for path in self._found(name)))

    def current(self) -> Path:
        """The file that "it" is. Raises UsageError where there is none."""
        if self.file is not None:
            return self.file
        song = self.last_song()
        if song is None or song.audio_file is None:
            raise UsageError("No file is open.", hint="Name one, or give it with --file.")
        return song.audio_file

    def _found(self, name: str) -> tuple[Path, ...]:
        """A file or the files of a folder, beside the current file or from here; else a song's audio."""
        place = Path(name.strip().strip("\"'")).expanduser()
        near = [self.file.parent / place] if self.file is not None and not place.is_absolute() else []
        for path in (place, *near):
            if path.exists():
                self.reach.check(path, name)
                return files_of([str(path)])
        for folder in {path.parent for path in (place, *near)}:
            for suffix in SUFFIXES:
                path = folder / f"{place.name}{suffix}"
                if path.is_file():
                    self.reach.check(path, name)
                    return (path,)
        try:
            song = self.studio.library.find(name)
        except LibraryError:
            raise UsageError(f"There is no file and no song {name!r}.", hint="Give its whole name.") from None
        if song.audio_file is None:
            raise UsageError(f'The audio of "{song.title}" is missing.', hint="Remake it first.")
        return (song.audio_file,)

    def _beside(self) -> tuple[str, ...]:
        """Names of the audio files in the folder of the current one."""
        if self.file is None:
            return ()
        try:
            return tuple(sorted(p.name for p in self.file.parent.iterdir() if p.suffix.lower() in SUFFIXES))[:_MOST_NAMES]
        except OSError:
            return ()

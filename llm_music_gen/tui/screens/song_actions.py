"""What can be done with a song on more than one screen: favourite, another like it, delete and undo, open its folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StudioError
from llm_music_gen.playback.track import Track
from llm_music_gen.tui.screens.dialogs import Choose
from llm_music_gen.tui.screens.song_change import SongChange

if TYPE_CHECKING:
    from llm_music_gen.jobs.queue import JobQueue
    from llm_music_gen.tui.screens.base import StudioScreen as _Base
else:
    _Base = object


class SongActions(_Base):
    """Mixed into screens; they say which track is meant."""

    def chosen_track(self) -> Track | None:
        """The track the keys act on: here the one that plays."""
        return self.studio.jukebox.queue.current

    def song_of(self, track: Track) -> Song | None:
        """The library's song behind a track."""
        return self.studio.services.library.song_with_id(track.song_id) if track.song_id else None

    def action_favourite(self) -> None:
        track = self.chosen_track()
        if track is None:
            return
        jukebox = self.studio.jukebox
        jukebox.favourites ^= {track.key}
        how = "is a favourite now" if track.key in jukebox.favourites else "is no favourite any more"
        self.notify(f"{track.title} {how}.", markup=False, timeout=2)
        self.show_time()

    def action_more_like(self) -> None:
        track = self.chosen_track()
        song = self.song_of(track) if track else None
        if song is None:
            self.notify("Only a song of the library tells how it was made.", severity="warning")
            return
        self.studio.make_more_like(song)

    def action_change_song(self) -> None:
        """Ask what shall be different; the plan is shown before anything is done."""
        track = self.chosen_track()
        song = self.song_of(track) if track else None
        if track is None or song is None:
            self.notify("Only songs of the library can be changed by request.", severity="warning")
        elif not self.studio.services.owner:
            self.notify("Another Llm-Music-Gen is open and makes the songs; this one only plays.", severity="warning", timeout=8)
        else:
            SongChange(self.studio, track, song).ask()

    def action_delete_song(self) -> None:
        track = self.chosen_track()
        song = self.song_of(track) if track else None
        if track is None or song is None:
            self.notify("Only songs of the library can be deleted here.", severity="warning")
            return

        def decide(answer: int | None) -> None:
            if answer == 0:
                self._delete(track, song)

        question = f'Move "{song.title}" to the trash? U brings it back.'
        self.app.push_screen(Choose(question, ["Yes, move it to the trash", "No, keep it"], 1), decide)

    def _delete(self, track: Track, song: Song) -> None:
        studio = self.studio
        studio.jukebox.forget(track)  # the file must be closed before its folder can be moved

        def remove(_: JobQueue) -> str:
            studio.services.library.remove(song)
            studio.bridge.read_library()
            return f'"{song.title}" lies in the trash; U brings it back.'

        def restore(_: JobQueue) -> str:
            back = studio.services.library.restore()
            studio.bridge.read_library()
            return f'"{back.title}" is back.'

        studio.bridge.do(remove)
        studio.remember_undo(lambda: studio.bridge.do(restore))
        self.show_time()

    def action_open_folder(self) -> None:
        track = self.chosen_track()
        if track is not None:
            self.studio.bridge.do(lambda _: open_folder(track.path.parent))


def open_folder(folder: Path) -> str:
    """Show a folder in the system's file manager; where there is none, say where it is."""
    try:
        if sys.platform == "win32":
            os.startfile(folder)
        else:
            program = "open" if sys.platform == "darwin" else "xdg-open"
            subprocess.Popen(
                [program, str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
    except OSError as error:
        raise StudioError(f"No file manager could be opened ({error.strerror}).", hint=f"The folder is {folder}.") from error
    return f"The folder is {folder}"

"""Every song of the library: play, enqueue, search, delete and undo."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, OptionList, Static

from llm_music_gen.domain.song import Song
from llm_music_gen.playback.track import Track, track_of
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.song_actions import SongActions
from llm_music_gen.tui.widgets.song_list import SongList
from llm_music_gen.tui.words import clock, counted, long_clock, shortened


class SongsScreen(SongActions, StudioScreen):
    """The newest song first."""

    PLACE = "songs"
    HEADING = "Songs"
    PROMPT = "Selection; Play = Enter, Back to Main = B, Exit Program = X:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("songs")]

    def body(self) -> ComposeResult:
        yield Static(id="total")
        yield Input(placeholder="Show songs that hold ... (titles and styles)", id="search")
        yield SongList(id="list")

    def on_mount(self) -> None:
        self.query_one("#search").display = False
        self.query_one("#list").focus()

    def focus_home(self) -> None:
        search = self.query_one("#search", Input)
        search.display = bool(search.value)
        self.query_one("#list").focus()

    def shown_songs(self) -> list[Song]:
        """Those that hold what is searched for."""
        wanted = self.query_one("#search", Input).value.casefold().split()
        songs = reversed(self.studio.songs)
        return [song for song in songs if all(word in f"{song.title} {' '.join(song.styles)}".casefold() for word in wanted)]

    def show_library(self) -> None:
        songs = self.shown_songs()
        total_s = sum(song.length_s for song in songs if not song.missing)
        self.query_one("#total", Static).update(
            Text.assemble("Total Songs Length: ", (long_clock(total_s), "bold"), (f"  ({counted(len(songs), 'song')})", "dim"))
        )
        favourites, width = self.studio.jukebox.favourites, self.size.width or 80
        title_room = max(20, (width - 34) // 2)
        lines = [
            f"{'*' if song.id in favourites else ' '} {shortened(song.title, title_room):<{title_room}}"
            f"  {clock(song.length_s):>8}  {song.key:<5} {shortened(', '.join(song.styles), max(10, width - title_room - 24))}"
            + ("  (files are gone)" if song.missing else "")
            for song in songs
        ]
        self.query_one(SongList).show(lines)

    def show_time(self) -> None:
        """Nothing here moves by itself."""

    def chosen_track(self) -> Track | None:
        songs, marked = self.shown_songs(), self.query_one(SongList).highlighted
        return track_of(songs[marked]) if marked is not None and marked < len(songs) else None

    def action_favourite(self) -> None:
        super().action_favourite()
        self.show_library()

    @on(OptionList.OptionSelected)
    def _clicked(self) -> None:
        self.action_play_here()

    def action_play_here(self) -> None:
        if isinstance(self.focused, Input):
            self.focus_home()
            return
        chosen = self.chosen_track()
        tracks = [track for song in self.shown_songs() if (track := track_of(song)) is not None]
        if chosen is None or not tracks:
            self.notify("There is nothing to play here.", severity="warning")
            return
        self.studio.jukebox.play_tracks(tracks, first=tracks.index(chosen))
        self.studio.action_go("jukebox")

    def action_enqueue(self) -> None:
        track = self.chosen_track()
        if track is not None:
            self.studio.jukebox.queue.add([track])
            self.notify(f"{track.title} comes at the end of the queue.", markup=False, timeout=2)

    def action_undo(self) -> None:
        self.studio.undo()

    def action_rescan(self) -> None:
        studio = self.studio

        def rescan(_: object) -> str:
            came, went = studio.services.library.rescan()
            studio.bridge.read_library()
            return f"{came} songs came in, {went} went out."

        studio.bridge.do(rescan)

    def action_search(self) -> None:
        search = self.query_one("#search", Input)
        search.display = True
        search.focus()

    @on(Input.Changed, "#search")
    def _search(self) -> None:
        self.show_library()

    @on(Input.Submitted, "#search")
    def _searched(self) -> None:
        self.focus_home()

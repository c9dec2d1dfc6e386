"""Every song of the library: play, enqueue, search, delete and undo."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from llm_music_gen.library.listing import Listing
from llm_music_gen.playback.track import MOST_QUEUED_SONGS, Track, track_of
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.song_actions import SongActions
from llm_music_gen.tui.widgets.long_list import LongList
from llm_music_gen.tui.words import clock, counted, long_clock, shortened

#: So many of the songs before the chosen one come along, as played ones.
MOST_BEFORE = 200


class SongsScreen(SongActions, StudioScreen):
    """The newest song first."""

    PLACE = "songs"
    HEADING = "Songs"
    PROMPT = "Selection; Play = Enter, Back to Main = B, Exit Program = X:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("songs")]
    _found: Listing

    def body(self) -> ComposeResult:
        yield Static(id="total")
        yield Input(placeholder="Show songs that hold ... (titles and styles)", id="search")
        yield LongList(id="list")

    def on_mount(self) -> None:
        self.query_one("#search").display = False
        self.query_one("#list").focus()

    def focus_home(self) -> None:
        search = self.query_one("#search", Input)
        search.display = bool(search.value)
        self.query_one("#list").focus()

    def show_library(self) -> None:
        wanted = self.query_one("#search", Input).value
        self._found = songs = self.studio.services.library.search(wanted, newest_first=True)
        length = () if wanted.strip() else ("Total Songs Length: ", (long_clock(self.studio.songs_total_s), "bold"), "  ")
        count = counted(len(songs), "song")
        self.query_one("#total", Static).update(Text.assemble(*length, (f"({count})" if length else f"{count} found", "dim")))
        self.query_one(LongList).show(len(songs), self._line)

    def _line(self, index: int) -> str:
        try:
            song = self._found[index]
        except IndexError:  # removed a moment ago
            return ""
        width = self.size.width or 80
        title_room = max(20, (width - 34) // 2)
        mark = "*" if song.id in self.studio.jukebox.favourites else " "
        return (
            f"{mark} {shortened(song.title, title_room):<{title_room}}  {clock(song.length_s):>8}  {song.key:<5}"
            f" {shortened(', '.join(song.styles), max(10, width - title_room - 24))}"
            + ("  (files are gone)" if song.missing else "")
        )

    def show_time(self) -> None:
        """Nothing here moves by itself."""

    def chosen_track(self) -> Track | None:
        marked = self.query_one(LongList).highlighted
        try:
            return None if marked is None else track_of(self._found[marked])
        except IndexError:
            return None

    def action_favourite(self) -> None:
        super().action_favourite()
        self.show_library()

    @on(LongList.Chosen)
    def _clicked(self) -> None:
        self.action_play_here()

    def action_play_here(self) -> None:
        if isinstance(self.focused, Input):
            self.focus_home()
            return
        chosen = self.chosen_track()
        if chosen is None:
            self.notify("There is nothing to play here.", severity="warning")
            return
        first = max(0, (self.query_one(LongList).highlighted or 0) - MOST_BEFORE)
        tracks = [track for song in self._found[first : first + MOST_QUEUED_SONGS] if (track := track_of(song)) is not None]
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

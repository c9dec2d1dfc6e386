"""The jukebox screen: songs played, the song that plays with its bar, and what remains."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input, Static

from llm_music_gen.playback.play_queue import Repeat
from llm_music_gen.playback.track import MOST_QUEUED_SONGS
from llm_music_gen.tui.actions import bindings
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.dialogs import Choose, Page
from llm_music_gen.tui.screens.song_actions import SongActions
from llm_music_gen.tui.widgets.long_list import LongList
from llm_music_gen.tui.widgets.rule import Line
from llm_music_gen.tui.widgets.spectrum import Spectrum
from llm_music_gen.tui.words import BAR_PLACES, bar, clock, counted, long_clock, names

SPECTRUM_EVERY_S = 0.1
CROSSFADES_S = (0.0, 3.0, 6.0, 12.0)


class JukeboxScreen(SongActions, StudioScreen):
    """Music goes on when this screen is left."""

    PLACE = "jukebox"
    HEADING = "Output Jukebox"
    PROMPT = "Selection; Back to Main = B, Exit Program = X:"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("jukebox")]

    def body(self) -> ComposeResult:
        yield Static(id="played")
        yield Line()
        yield Static(id="playing")
        yield Static(id="place")
        yield Static(id="state")
        yield Spectrum()
        yield Line()
        yield Static(id="coming")
        yield Input(placeholder="Find in the queue", id="search")
        yield LongList(id="queue")

    def on_mount(self) -> None:
        self.query_one("#search").display = False
        self.query_one("#queue").focus()
        self.set_interval(SPECTRUM_EVERY_S, self._draw_spectrum)

    def focus_home(self) -> None:
        self.query_one("#search").display = False
        self.query_one("#queue").focus()

    def show_library(self) -> None:
        queue = self.studio.jukebox.queue
        if queue.current is None and not queue.remaining and not queue.played and self.studio.songs:
            self.action_fill(quiet=True)

    def show_time(self) -> None:
        jukebox, width = self.studio.jukebox, self.size.width or 80
        queue, track = jukebox.queue, jukebox.queue.current
        self._put("#played", _named("Songs Played: ", names([song.title for song in reversed(queue.played)], width - 16)))
        title = track.title if track else "nothing; 1 on the main menu makes songs"
        heart = ("  (favourite)", "bold") if track and track.key in jukebox.favourites else ("", "")
        how = "" if jukebox.is_playing or track is None else "  (stopped)" if jukebox.is_stopped else "  (paused)"
        self._put("#playing", Text.assemble("Playing song: ", (title, "bold"), heart, (how, "dim")))
        length_s, position_s = jukebox.length_s, jukebox.position_s
        shown = f"{clock(position_s)}/{clock(length_s)}"
        places = max(BAR_PLACES, min(60, width - len(shown) - 20))
        self._put("#place", Text(f"{bar(position_s / length_s if length_s else 0.0, places)} {shown}"))
        self._put("#state", Text(self._state(), style="dim"))
        total_s = sum(song.length_s for song in queue.remaining)
        amount = f"{counted(len(queue.remaining), 'song')}, {long_clock(total_s)}" if queue.remaining else "none"
        self._put("#coming", _named("Remaining Songs: ", amount))
        remaining = queue.remaining

        def line(index: int) -> str:
            song = remaining[index]
            return f"{'* ' if song.key in jukebox.favourites else '  '}{song.title}  {_length(song.length_s)}"

        self.query_one(LongList).show(len(remaining), line)

    def _state(self) -> str:
        jukebox = self.studio.jukebox
        parts = [
            "Muted" if jukebox.muted else f"Volume {jukebox.volume_percent:.0f}%",
            f"Shuffle {'on' if jukebox.queue.shuffle else 'off'}",
            f"Repeat {jukebox.queue.repeat.value}",
        ]
        if jukebox.crossfade_s:
            parts.append(f"Crossfade {jukebox.crossfade_s:g} s")
        if jukebox.sleep.left_s is not None:
            parts.append(f"Sleep in {clock(jukebox.sleep.left_s)}")
        if jukebox.device_notice:
            parts.append("silent: no sound card")
        return "   ".join(parts)

    def _put(self, selector: str, text: Text) -> None:
        """Redraw a line only when it changed."""
        shown = self.__dict__.setdefault("_shown", {})
        if shown.get(selector) != text:
            shown[selector] = text
            text.no_wrap, text.overflow = True, "ellipsis"
            self.query_one(selector, Static).update(text)

    def _draw_spectrum(self) -> None:
        spectrum = self.query_one(Spectrum)
        wanted = self.studio.jukebox.spectrum
        if spectrum.display != wanted:
            spectrum.display = wanted
        if wanted and self.is_current:
            spectrum.show(self.studio.jukebox.levels(spectrum.bands))

    # Playing

    def action_previous(self) -> None:
        self.studio.jukebox.previous()
        self.show_time()

    def action_stop(self) -> None:
        self.studio.jukebox.stop()
        self.show_time()

    def action_seek(self, delta_s: int) -> None:
        self.studio.jukebox.seek_by(delta_s)
        self.show_time()

    def action_jump_to(self, tenth: int) -> None:
        self.studio.jukebox.seek_fraction(tenth / 10)
        self.show_time()

    def action_louder(self, percent: int) -> None:
        self.studio.jukebox.set_volume(self.studio.jukebox.volume_percent + percent)
        self.studio.change_setting("volume_percent", round(self.studio.jukebox.volume_percent))
        self.show_time()

    def action_mute(self) -> None:
        self.studio.jukebox.toggle_mute()
        self.show_time()

    def action_shuffle(self) -> None:
        self.studio.jukebox.toggle_shuffle()
        self.show_time()

    def action_repeat(self) -> None:
        self.studio.jukebox.step_repeat()
        names_of = {Repeat.OFF: "off", Repeat.ALL: "all songs", Repeat.ONE: "this song"}
        self.notify(f"Repeat: {names_of[self.studio.jukebox.queue.repeat]}.", timeout=2)
        self.show_time()

    def action_sleep(self) -> None:
        self.studio.jukebox.sleep.step()
        self.show_time()

    def action_crossfade(self) -> None:
        jukebox = self.studio.jukebox
        jukebox.set_crossfade(next((choice for choice in CROSSFADES_S if choice > jukebox.crossfade_s), 0.0))
        self.notify(f"Crossfade: {jukebox.crossfade_s:g} seconds.", timeout=2)
        self.show_time()

    def action_spectrum(self) -> None:
        self.studio.jukebox.spectrum = not self.studio.jukebox.spectrum
        self._draw_spectrum()

    @work(thread=True, exclusive=True, exit_on_error=False)
    def action_device(self) -> None:
        found = self.studio.jukebox.devices()  # drivers may take seconds to answer
        self.app.call_from_thread(self._ask_device, found)

    def _ask_device(self, found: tuple[str, ...]) -> None:
        here = found.index(self.studio.jukebox.device) if self.studio.jukebox.device in found else 0

        def choose(index: int | None) -> None:
            if index is not None:
                self.studio.jukebox.choose_device(found[index])

        self.app.push_screen(Choose("Where shall the sound come out?", found, here), choose)

    # The queue

    def _marked(self) -> int:
        marked = self.query_one(LongList).highlighted
        return -1 if marked is None else marked

    @on(LongList.Chosen)
    def _clicked(self, event: LongList.Chosen) -> None:
        self.studio.jukebox.jump(event.index)

    def action_play_selected(self) -> None:
        if self.studio.jukebox.queue.remaining:
            self.studio.jukebox.jump(self._marked())
        else:
            self.studio.action_play_pause()
        self.show_time()

    def action_move(self, steps: int) -> None:
        place = self.studio.jukebox.queue.move(self._marked(), steps)
        self.show_time()
        if place >= 0:
            self.query_one(LongList).highlighted = place

    def action_remove(self) -> None:
        removed = self.studio.jukebox.queue.remove(self._marked())
        if removed:
            self.studio.remember_undo(self._put_back)
            self.notify(f"{removed.title} is out of the queue; U puts it back.", markup=False)
        self.show_time()

    def _put_back(self) -> None:
        self.studio.jukebox.queue.undo_remove()
        self.show_time()

    def action_undo(self) -> None:
        self.studio.undo()
        self.show_time()

    def action_fill(self, quiet: bool = False) -> None:
        tracks = self.studio.library_tracks()
        current = self.studio.jukebox.queue.current
        if current is None:
            self.studio.jukebox.queue.replace(tracks)
        else:
            have = {current.key, *(track.key for track in self.studio.jukebox.queue.remaining)}
            self.studio.jukebox.queue.add(track for track in tracks if track.key not in have)
        if not quiet:
            whole = len(self.studio.songs) <= MOST_QUEUED_SONGS
            self.notify(
                "The whole library is in the queue." if whole else f"The newest {MOST_QUEUED_SONGS:,} songs are in the queue."
            )
        self.show_time()

    def action_search(self) -> None:
        search = self.query_one("#search", Input)
        search.display = True
        search.focus()

    @on(Input.Changed, "#search")
    def _search(self, event: Input.Changed) -> None:
        wanted = event.value.casefold().strip()
        titles = [track.title.casefold() for track in self.studio.jukebox.queue.remaining]
        found = next((index for index, title in enumerate(titles) if wanted and wanted in title), None)
        if found is not None:
            self.query_one(LongList).highlighted = found

    @on(Input.Submitted, "#search")
    def _searched(self) -> None:
        self.focus_home()

    # The song

    def action_info(self) -> None:
        track = self.studio.jukebox.queue.current
        if track is None:
            return
        song = self.song_of(track)
        rows = {"Title": track.title, "Length": clock(self.studio.jukebox.length_s), "File": str(track.path)}
        if song is not None:
            rows |= {
                "Styles": ", ".join(song.styles),
                "Key": song.key,
                "Tempo": f"{song.tempo_bpm:g} BPM",
                "Metre": song.meter,
                "Model": song.model,
                "Seed": str(song.seed),
                "Loudness": f"{song.lufs} LUFS",
                "Made": song.created,
            }
        self.app.push_screen(Page("Song info", "\n".join(f"{name + ':':<10} {value}" for name, value in rows.items())))

    def action_copy_path(self) -> None:
        track = self.studio.jukebox.queue.current
        if track is not None:
            self.app.copy_to_clipboard(str(track.path))
            self.notify(f"Copied: {track.path}", markup=False)


def _named(name: str, value: str) -> Text:
    return Text.assemble(name, (value, "bold"))


def _length(length_s: float) -> str:
    return clock(length_s) if length_s else ""

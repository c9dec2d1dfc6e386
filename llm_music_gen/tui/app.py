"""The terminal app: what all screens share, and how the program begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import BindingType

from llm_music_gen.domain.job import Job, JobState
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import StudioError
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.jobs.when_done import WhenDone
from llm_music_gen.playback.jukebox import Jukebox
from llm_music_gen.playback.track import MOST_QUEUED_SONGS, Track, track_of
from llm_music_gen.settings import save_settings, with_setting
from llm_music_gen.tui.actions import EVERYWHERE, bindings
from llm_music_gen.tui.bridge import Bridge
from llm_music_gen.tui.console import native_prints_in
from llm_music_gen.tui.doors import screen_of
from llm_music_gen.tui.messages import JobsMoved, LibraryRead, QueueEmptied, Told
from llm_music_gen.tui.palette import ActionProvider
from llm_music_gen.tui.screens.base import StudioScreen
from llm_music_gen.tui.screens.dialogs import AskText, Choose
from llm_music_gen.tui.screens.main import MainScreen, length_words
from llm_music_gen.tui.services import Services, open_services
from llm_music_gen.tui.themes import THEMES, is_old_console
from llm_music_gen.tui.widgets.now_line import ENDLESS_SONGS, NowLine
from llm_music_gen.tui.words import counted

if TYPE_CHECKING:
    from llm_music_gen.studio.request import GenerateRequest

TICK_S = 0.2


class StudioApp(App[int]):
    """Shows screens over a jukebox and a bridge. State that several screens show is kept here."""

    TITLE = "Llm-Music-Gen"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar[set[Any]] = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(EVERYWHERE)]

    def __init__(self, services: Services, tracks: Sequence[Track] = ()) -> None:
        super().__init__()
        self.services = services
        self.bridge = Bridge(self, services)
        self.songs: Sequence[Song] = ()
        self.songs_total_s = 0.0
        self.jobs: tuple[Job, ...] = ()
        self.when_done = WhenDone.NOTHING
        self._tracks = tuple(tracks)
        self._undo: list[Callable[[], None]] = []
        self._offered = self._counting = self._leaving = False

    @property
    def jukebox(self) -> Jukebox:
        """The jukebox."""
        return self.services.jukebox

    # Beginning and end

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self._take_theme(self.services.settings.theme)
        if is_old_console():
            self.add_class("-old-console")
            self.animation_level = "none"
            self.jukebox.spectrum = False
        self.push_screen(MainScreen())
        self.set_interval(TICK_S, self._tick)
        self.call_after_refresh(self.bridge.start)  # the first frame waits for nothing
        if self.services.complaint:
            self.call_after_refresh(self._complain)
        if self._tracks:
            self.jukebox.play_tracks(self._tracks)
            self.action_go("jukebox")

    def _complain(self) -> None:
        self.notify(f"{self.services.complaint} The defaults are used.", severity="error", timeout=15, markup=False)

    def on_unmount(self) -> None:
        self.bridge.close()
        self.jukebox.close()
        if self.services.lock is not None:
            self.services.lock.release()

    async def action_quit(self) -> None:
        """Ctrl-Q and Ctrl-C ask what X asks."""
        self.action_exit()

    def action_exit(self) -> None:
        active = [job for job in self.jobs if job.state in (JobState.RUNNING, JobState.QUEUED)]
        if not active or not self.services.owner or self._leaving:
            self.exit(0)
            return

        def decide(answer: int | None) -> None:
            if answer == 0:
                self.exit(0)
            elif answer == 1:
                self._leaving = True
                self.notify("The program ends when all songs are made. X leaves at once.", timeout=8)
            elif answer == 2:
                self.bridge.do(self._stop_and_leave)

        answers = [
            "Go on in the background",
            "Wait until all is done, then leave",
            "Stop; what is finished stays, the rest can be resumed",
        ]
        self.push_screen(Choose("Songs are still being made. What shall happen?", answers), decide)

    def _stop_and_leave(self, queue: JobQueue) -> None:
        queue.stop()
        self.call_from_thread(self.exit, 0)

    # What is told

    def on_jobs_moved(self, message: JobsMoved) -> None:
        self.jobs, self.when_done = message.jobs, message.when_done
        self._redraw(lambda screen: screen.show_jobs())
        self._draw_now()
        if not self._offered:
            self._offered = True
            self._offer_to_resume(message)
        if message.left_s is not None and not self._counting:
            self._counting = True
            self._ask_to_call_off(message.when_done)
        elif message.left_s is None:
            self._counting = False

    def on_queue_emptied(self, message: QueueEmptied) -> None:
        if self._leaving:
            self.exit(0)
        elif message.action is WhenDone.PLAY and not self.jukebox.is_playing:
            self.jukebox.play_tracks(self.library_tracks())
        self.bell()

    def on_library_read(self, message: LibraryRead) -> None:
        self.songs, self.songs_total_s = message.songs, message.total_s
        arrived = [track for song in message.arrived if (track := track_of(song)) is not None]
        if arrived:
            self._play_or_queue(arrived)
        self._redraw(lambda screen: screen.show_library())

    def on_told(self, message: Told) -> None:
        self.notify(message.sentence, severity="error" if message.bad else "information", timeout=8, markup=False)

    def _play_or_queue(self, arrived: list[Track]) -> None:
        """Auto-play: a finished song starts by itself unless something plays; then it comes at the end."""
        if self.services.settings.auto_play and not self.jukebox.is_playing and self.jukebox.is_stopped:
            self.jukebox.play_tracks(arrived)
        else:
            self.jukebox.queue.add(arrived)
        self.notify(f'"{arrived[-1].title}" is ready.', timeout=4, markup=False)

    def _offer_to_resume(self, message: JobsMoved) -> None:
        if not self.services.owner or message.alive:
            return
        cut_off = [job for job in message.jobs if job.state is JobState.INTERRUPTED]
        waiting = [job for job in message.jobs if job.state is JobState.QUEUED]
        if not cut_off and not waiting:
            return

        def decide(answer: int | None) -> None:
            if answer == 0:
                self.bridge.do(lambda queue: _go_on(queue, cut_off))
            elif answer == 2:
                self.bridge.do(lambda queue: _cancel_all(queue, cut_off + waiting))

        number = len(cut_off) + len(waiting)
        question = f"Last time {number} {'job was' if number == 1 else 'jobs were'} not finished. No finished song is lost."
        self.push_screen(Choose(question, ["Go on with the work", "Leave it for later (J shows it)", "Cancel it"]), decide)

    def _ask_to_call_off(self, action: WhenDone) -> None:
        what = "goes to sleep" if action is WhenDone.SLEEP else "shuts down"

        def decide(answer: int | None) -> None:
            if answer == 0:
                self.bridge.do(lambda queue: queue.set_when_done(WhenDone.NOTHING))

        self.push_screen(Choose(f"All is done. The computer {what} within a minute.", ["Call it off", "Let it"]), decide)

    # What several screens do

    def action_go(self, place: str) -> None:
        """Open a screen; the main menu is always below it."""
        while len(self.screen_stack) > 2 or (len(self.screen_stack) > 1 and not isinstance(self.screen, MainScreen)):
            self.pop_screen()
        if place != "main":
            self.push_screen(screen_of(place))

    def action_help(self) -> None:
        from llm_music_gen.tui.screens.help import help_page

        self.push_screen(help_page(getattr(self.screen, "PLACE", "main")))

    def action_play_pause(self) -> None:
        if self.jukebox.queue.current is None and not self.jukebox.queue.remaining and not self.jukebox.queue.played:
            self.jukebox.queue.replace(self.library_tracks())
        self.jukebox.toggle()
        self._tick()

    def action_next_song(self) -> None:
        self.jukebox.next()
        self._tick()

    def library_tracks(self) -> list[Track]:
        """The songs that can be played, the oldest first; of a large library the newest."""
        return [track for song in self.songs[-MOST_QUEUED_SONGS:] if (track := track_of(song)) is not None]

    def change_setting(self, key: str, value: object) -> None:
        """Change one setting and save it at once; a value that will not do is refused with a sentence."""
        try:
            settings = with_setting(self.services.settings, key, value)
        except StudioError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.services.settings = settings
        if key == "volume_percent" and round(self.jukebox.volume_percent) != settings.volume_percent:
            self.jukebox.set_volume(settings.volume_percent)
        elif key == "theme":
            self._take_theme(settings.theme)
        path = self.services.paths.settings_file
        self.bridge.do(lambda _: save_settings(settings, path))
        self._redraw(lambda screen: screen.show_library())

    def ask_length(self, after: Callable[[], None] | None = None) -> None:
        """The one field for the song length, for the main menu and the configuration."""
        from llm_music_gen.composing.lengths import parse_length

        def check(text: str) -> str:
            return f"Song Length: {parse_length(text)}"

        def take(text: str | None) -> None:
            if text is not None:
                self.change_setting("song_length", text)
                if after is not None:
                    after()

        hint = '"5" minutes, "4-6" a range, "8:00" hours and minutes, "30s", "3m20s"'
        self.push_screen(AskText("How long shall a song be?", self.services.settings.song_length, check, hint), take)

    def submit_songs(self, request: GenerateRequest) -> bool:
        """Queue songs. Returns False, with a sentence, in an app that only plays."""
        if not self.services.owner:
            self.notify("Another Llm-Music-Gen is open and makes the songs; this one only plays.", severity="warning", timeout=8)
            return False
        count = "songs until stopped" if request.songs >= ENDLESS_SONGS else counted(request.songs, "song")
        title = f"{request.styles_text} ({count}, {length_words(request.length)})"
        values = request.to_dict()
        self.bridge.do(lambda queue: _submitted(queue, title, values))
        return True

    def unfinished_tracks(self) -> list[str]:
        """Long tracks that were begun and that no job of the queue goes on with."""
        if not self.services.paths.unfinished_dir.is_dir():
            return []  # without loading what knows more
        from llm_music_gen.studio.long.unfinished import find_unfinished

        if any(job.kind in ("generate", "remake", "resume") and not job.state.is_over for job in self.jobs):
            return []  # it may be the very track that a job is making
        return [work.key for work in find_unfinished(self.services.paths.unfinished_dir)]

    def resume_tracks(self) -> None:
        """Queue what is left of the unfinished tracks."""
        keys = self.unfinished_tracks()
        if not keys:
            self.notify("No track waits to be finished.", severity="warning")
        for key in keys:
            self.bridge.do(partial(_resumed, key=key))

    def make_more_like(self, song: Song) -> None:
        """Queue another song of the same kind."""
        if not self.services.owner:
            self.notify("Another Llm-Music-Gen is open and makes the songs; this one only plays.", severity="warning", timeout=8)
            return
        services = self.services

        def submit(queue: JobQueue) -> str:
            from llm_music_gen.studio.studio import Studio

            request = Studio(services.paths, services.settings).request_like(song)
            _submitted(queue, f'More like "{song.title}"', request.to_dict())
            return f'Another song like "{song.title}" is in the queue.'

        self.bridge.do(submit)

    def remember_undo(self, undo: Callable[[], None]) -> None:
        """What the undo key shall do next."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Undo what was done last."""
        if self._undo:
            self._undo.pop()()
        else:
            self.notify("There is nothing to undo.", timeout=2)

    def _tick(self) -> None:
        """A fifth of a second has passed."""
        self.jukebox.tick()
        notice = self.jukebox.take_notice()
        if notice:
            self.notify(notice, severity="warning", timeout=6, markup=False)
        front = self._front()
        if front is not None:
            front.draw(front.show_time)
        self._draw_now()

    def _draw_now(self) -> None:
        """The line above the footer, also while a dialog stands before its screen."""
        front = self._front()
        if front is not None and front.PLACE != "jukebox":
            for line in front.query(NowLine):
                line.show(self.jukebox, self.jobs)

    def _front(self) -> StudioScreen | None:
        """The screen that is seen, be it behind a dialog."""
        front = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, StudioScreen)), None)
        return front if front is not None and front.is_mounted and front.query("#now") else None

    def _redraw(self, draw: Callable[[StudioScreen], None]) -> None:
        """Redraw the screen that is seen; those behind redraw when they come back."""
        front = self._front()
        if front is not None:
            front.draw(lambda: draw(front))

    def _take_theme(self, name: str) -> None:
        self.theme = name if name in self.available_themes else THEMES[0].name


def run_app(tracks: Sequence[Track] = ()) -> int:
    """Open the app in this terminal. Returns the exit code."""
    services = open_services()
    with native_prints_in(services.paths.logs_dir / "native.log"):
        return StudioApp(services, tracks).run() or 0


def _go_on(queue: JobQueue, cut_off: Sequence[Job]) -> None:
    for job in cut_off:
        queue.resume(job.uid)
    queue.ensure_worker()


def _cancel_all(queue: JobQueue, jobs: Sequence[Job]) -> None:
    for job in jobs:
        queue.cancel(job.uid)


def _resumed(queue: JobQueue, key: str) -> str:
    queue.submit("resume", f"Unfinished track {key}", {"key": key})
    return "The unfinished track is in the queue."


def _submitted(queue: JobQueue, title: str, values: dict[str, Any]) -> None:
    queue.submit("generate", title, values)

"""A song changed by request in the app: the question, the plan with its numbers, the job in the queue, and undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_music_gen.domain.song import Song
from llm_music_gen.errors import LibraryError, UsageError
from llm_music_gen.playback.track import Track
from llm_music_gen.tui.screens.dialogs import AskText, Choose
from llm_music_gen.tui.words import counted

if TYPE_CHECKING:
    from llm_music_gen.jobs.queue import JobQueue
    from llm_music_gen.studio.editing import EditingRoom, SongEdit
    from llm_music_gen.tui.app import StudioApp

_HINT = (
    '"make the second part calmer, and end in major", "melody on flute", "drums out", "slower"; "undo" takes the last change back'
)
_UNDO = ("undo", "back", "take it back")


@dataclass(frozen=True, slots=True)
class SongChange:
    """One change of one song."""

    studio: StudioApp
    track: Track
    song: Song

    def ask(self) -> None:
        """The question."""

        def check(text: str) -> str:
            if not text:
                raise UsageError("Say what shall be different.")
            return ""

        def take(text: str | None) -> None:
            if not text:
                return
            if text.strip().lower() in _UNDO:
                self.studio.bridge.do(self._take_back(self.song))
            else:
                self.studio.bridge.do(self._planning(text))

        self.studio.push_screen(AskText(f'What shall be different in "{self.song.title}"?', "", check, _HINT), take)

    def _planning(self, text: str) -> Callable[[JobQueue], str | None]:
        def plan(_: JobQueue) -> str | None:
            edit = self._room().plan(self.song, text)
            if not edit.operations:
                return " ".join(edit.remarks) or "Nothing in this request changes the song."
            self.studio.call_later(self._show, edit)
            return None

        return plan

    def _show(self, edit: SongEdit) -> None:
        """The plan; what could not be understood stands below it."""
        lines = [f"{number}. {operation}" for number, operation in enumerate(edit.operations, 1)]
        question = "\n".join([f'"{self.song.title}":', *lines, *edit.remarks])

        def decide(answer: int | None) -> None:
            if answer == 0:
                self.studio.bridge.do(self._queued(edit))

        steps = counted(len(edit.operations), "change")
        self.studio.push_screen(Choose(question, [f"Yes, make a new version with {steps}", "No, leave it as it is"]), decide)

    def _queued(self, edit: SongEdit) -> Callable[[JobQueue], str]:
        former = self.song.id

        def submit(queue: JobQueue) -> str:
            queue.submit("edit", f'"{self.song.title}": {edit.request}', {"song": former, "request": edit.request})
            return f'The new version of "{self.song.title}" is in the queue; U takes it back when it is there.'

        self.studio.remember_undo(lambda: self.studio.bridge.do(self._take_back_edit_of(former)))
        return submit

    def _take_back_edit_of(self, former: str) -> Callable[[JobQueue], str]:
        """The song that was made of `former` gives way to it again."""

        def back(queue: JobQueue) -> str:
            room = self._room()
            for song in self.studio.services.library.search(newest_first=True):
                if not song.missing and room.history(song)[:-1] and room.history(song)[-2].identity == former:
                    return self._take_back(song)(queue)
            raise LibraryError(
                f'There is no new version of "{self.song.title}" yet.', hint="A change in the queue is cancelled under Jobs."
            )

        return back

    def _take_back(self, song: Song) -> Callable[[JobQueue], str]:
        def back(_: JobQueue) -> str:
            former = self._room().undo(song)
            self.studio.bridge.read_library()
            return f'"{former.title}" is as it was before.'

        return back

    def _room(self) -> EditingRoom:
        from llm_music_gen.studio.studio import Studio

        services = self.studio.services
        return Studio(services.paths, services.settings).editing()

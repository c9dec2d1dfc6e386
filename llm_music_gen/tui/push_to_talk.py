"""Push to talk: one press listens, the next one ends it; answers are spoken, and the music waits meanwhile."""

from __future__ import annotations

from llm_music_gen.errors import StudioError
from llm_music_gen.tui.services import Recorder, Services


class PushToTalk:
    """What the microphone and the voice do. The slow methods say so and are for a thread of their own."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._recorder: Recorder | None = None
        self._speaking = self._stopped = self._music_waits = False

    @property
    def is_listening(self) -> bool:
        """Whether it records."""
        return self._recorder is not None

    @property
    def is_speaking(self) -> bool:
        """Whether an answer is being spoken."""
        return self._speaking

    def hold_music(self) -> None:
        """Pause what plays, so that the microphone does not hear it."""
        jukebox = self._services.jukebox
        if jukebox.is_playing:
            jukebox.toggle()
            self._music_waits = True

    def let_music_go_on(self) -> None:
        """Play on, if it was this that paused it and nobody chose something else meanwhile."""
        jukebox = self._services.jukebox
        if self._music_waits and not jukebox.is_playing and not jukebox.is_stopped:
            jukebox.toggle()
        self._music_waits = False

    def listen(self) -> None:
        """Slow: open the microphone. Raises PlaybackError, DependencyMissing."""
        recorder = self._services.microphone()
        recorder.start()
        self._recorder = recorder

    def heard(self) -> str:
        """Slow: end the recording and give the command in it, or "". Raises PlaybackError, DependencyMissing."""
        from llm_music_gen.studio.voice_room import command_heard

        recorder, self._recorder = self._recorder, None
        return "" if recorder is None else command_heard(iter([recorder.stop()]))

    def say(self, text: str) -> str:
        """Slow: speak an answer until it is over or stopped. Returns why it could not be spoken, or ""."""
        self._speaking, self._stopped = True, False
        try:
            self._services.say_aloud(text, self._services, lambda: self._stopped)
        except StudioError as error:
            return f"The answer cannot be spoken: {error}"
        finally:
            self._speaking = False
        return ""

    def stop(self) -> None:
        """Forget what was recorded and be silent."""
        self._stopped = True
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            recorder.close()

"""Push to talk in the assistant: a real recogniser hears a synthetic voice; only microphone and loudspeaker are stood in for."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly
from textual.pilot import Pilot

from llm_music_gen.errors import PlaybackError
from llm_music_gen.playback.track import track_of
from llm_music_gen.tui.screens.assistant import AssistantScreen
from llm_music_gen.tui.services import Services
from llm_music_gen.voice.espeak import Espeak
from tests.tui.conftest import Stage

SIZE = (100, 30)


class Tape:
    """A microphone before which something is said."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._samples = samples
        self.told: list[str] = []

    def start(self) -> None:
        self.told.append("start")

    def stop(self) -> NDArray[np.float32]:
        self.told.append("stop")
        return self._samples

    def close(self) -> None:
        self.told.append("close")


def said(text: str) -> Tape:
    speech = Espeak().speak(text, "adam", 140)
    return Tape(resample_poly(speech.samples, 16_000, speech.sample_rate_hz).astype(np.float32))


async def opened(stage: Stage, pilot: Pilot[int]) -> AssistantScreen:
    await stage.ready(pilot)
    await pilot.press("a")
    await stage.settle(pilot, lambda: "T listens" in stage.screen_text())
    await pilot.press("escape")
    screen = stage.app.screen
    assert isinstance(screen, AssistantScreen)
    return screen


async def test_a_spoken_command_is_carried_out_and_its_answer_is_spoken_while_the_music_waits(stage: Stage) -> None:
    tape, spoken, playing = said("list my songs"), list[str](), list[bool]()

    def say(text: str, services: Services, _: Callable[[], bool]) -> None:
        spoken.append(text)
        playing.append(services.jukebox.is_playing)

    stage.services.microphone, stage.services.say_aloud = lambda: tape, say
    async with stage.app.run_test(size=SIZE) as pilot:
        await opened(stage, pilot)
        tracks = [track for song in stage.songs if (track := track_of(song)) is not None]
        stage.jukebox.play_tracks(tracks)
        await pilot.press("t")
        await stage.settle(pilot, lambda: "Listening" in stage.screen_text())
        assert not stage.jukebox.is_playing and tape.told == ["start"]
        await pilot.press("t")
        await stage.settle(pilot, lambda: bool(spoken))
        await stage.settle(pilot, lambda: stage.jukebox.is_playing)
        assert "> list my songs" in stage.screen_text()
        assert spoken == ["0 songs."] and playing == [False]
        assert "Listening" not in stage.screen_text()


async def test_what_is_not_understood_is_said_and_nothing_is_done(stage: Stage) -> None:
    spoken = list[str]()
    noise = np.random.default_rng(1).standard_normal(32_000).astype(np.float32) * 0.01
    stage.services.microphone = lambda: Tape(noise)
    stage.services.say_aloud = lambda text, _services, _is_stopped: spoken.append(text)
    async with stage.app.run_test(size=SIZE) as pilot:
        await opened(stage, pilot)
        await pilot.press("t")
        await stage.settle(pilot, lambda: "Listening" in stage.screen_text())
        await pilot.press("t")
        await stage.settle(pilot, lambda: "I did not understand that" in stage.screen_text())
        assert spoken and not stage.queue.rows


async def test_a_recording_can_be_forgotten_and_speech_cut_short(stage: Stage) -> None:
    tape, cut = said("list my songs"), list[bool]()

    def say(_text: str, _services: Services, is_stopped: Callable[[], bool]) -> None:
        until = time.monotonic() + 20.0
        while not is_stopped() and time.monotonic() < until:
            time.sleep(0.02)
        cut.append(is_stopped())

    stage.services.microphone, stage.services.say_aloud = lambda: tape, say
    async with stage.app.run_test(size=SIZE) as pilot:
        screen = await opened(stage, pilot)
        await pilot.press("t")
        await stage.settle(pilot, lambda: "Listening" in stage.screen_text())
        await pilot.press("c")
        assert tape.told == ["start", "close"]
        await pilot.press("t")
        await stage.settle(pilot, lambda: "Listening" in stage.screen_text())
        await pilot.press("t")
        await stage.settle(pilot, lambda: screen._voice is not None and screen._voice.is_speaking)
        await pilot.press("t")
        await stage.settle(pilot, lambda: bool(cut))
        assert cut == [True]


async def test_without_a_microphone_one_sentence_says_so_and_the_music_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = said("play")

    def start() -> None:
        raise PlaybackError("No microphone was found.", hint="Connect one.")

    monkeypatch.setattr(tape, "start", start)
    stage.services.microphone = lambda: tape
    async with stage.app.run_test(size=SIZE) as pilot:
        await opened(stage, pilot)
        stage.jukebox.play_tracks([track for song in stage.songs if (track := track_of(song)) is not None])
        await pilot.press("t")
        await stage.settle(pilot, lambda: "No microphone was found" in stage.screen_text())
        await stage.settle(pilot, lambda: stage.jukebox.is_playing)
        assert "opened..." not in stage.screen_text()

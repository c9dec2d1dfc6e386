"""The real engine on its null device: sound goes nowhere, in real time."""

from __future__ import annotations

import time
from collections.abc import Callable

from llm_music_gen.playback.miniaudio_player import MiniaudioPlayer
from llm_music_gen.playback.player import PlayerEvent
from tests.unit.playback.conftest import ToneMaker

PATIENCE_S = 30.0


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.02)


def test_two_files_play_one_after_the_other_and_then_it_ends(tone: ToneMaker) -> None:
    player = MiniaudioPlayer(null_device=True)
    try:
        player.load(tone("a.wav", length_s=0.5))
        player.queue_next(tone("b.wav", length_s=0.5))
        assert not player.is_playing
        player.play()
        wait_until(lambda: player.position_s > 0.0)
        wait_until(lambda: player.poll() is PlayerEvent.MOVED_ON)
        wait_until(lambda: player.poll() is PlayerEvent.ENDED)
        assert not player.is_playing
        assert player.notice == ""
    finally:
        player.close()


def test_pause_and_seek_act_on_what_is_heard(tone: ToneMaker) -> None:
    player = MiniaudioPlayer(null_device=True)
    try:
        player.load(tone("a.wav", length_s=30))
        player.play()
        wait_until(lambda: player.position_s > 0.1)
        player.seek(20.0)
        wait_until(lambda: player.position_s > 20.1)
        player.pause()
        place_s = player.position_s
        time.sleep(0.5)
        assert player.position_s == place_s
    finally:
        player.close()


def test_closing_ends_its_threads(tone: ToneMaker) -> None:
    player = MiniaudioPlayer(null_device=True)
    player.load(tone("a.wav"))
    player.play()
    wait_until(lambda: player.position_s > 0.0)
    player.close()
    assert player._device is None
    assert player.length_s == 0.0


def test_the_list_of_devices_begins_with_the_system_choice() -> None:
    assert MiniaudioPlayer(null_device=True).devices() == ("System default",)

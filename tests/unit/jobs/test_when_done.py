"""What happens when the queue is empty."""

from __future__ import annotations

import pytest

from llm_music_gen.jobs.when_done import WhenDone, power_command, run_when_done


@pytest.mark.parametrize("platform", ["win32", "linux", "darwin"])
def test_every_platform_has_a_way_to_sleep_and_to_shut_down(platform: str) -> None:
    sleep, shutdown = power_command(WhenDone.SLEEP, platform), power_command(WhenDone.SHUTDOWN, platform)
    assert sleep and shutdown and sleep != shutdown


def test_nothing_and_play_run_nothing() -> None:
    assert power_command(WhenDone.NOTHING) is None
    assert power_command(WhenDone.PLAY) is None


def test_the_countdown_can_be_called_off() -> None:
    ran: list[list[str]] = []
    assert not run_when_done(WhenDone.SHUTDOWN, lambda: False, lambda _: None, countdown_s=2, run=ran.append)
    assert ran == []


def test_after_the_countdown_the_machine_is_told() -> None:
    ran: list[list[str]] = []
    left: list[int] = []
    assert run_when_done(WhenDone.SLEEP, lambda: True, left.append, countdown_s=1, run=ran.append)
    assert left == [1]
    assert ran == [power_command(WhenDone.SLEEP)]

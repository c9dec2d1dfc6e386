"""The machine is kept awake while a track is made, and may sleep afterwards."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from llm_music_gen.jobs import awake

#: Holds off nothing, but runs until it is ended, as the real programs do.
PATIENT = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that is started from now on."""
    found: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: object, **named: object) -> None:
            super().__init__(*arguments, **named)  # type: ignore[call-overload]
            found.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return found


def test_a_mac_is_held_by_caffeinate_for_as_long_as_the_studio_runs() -> None:
    assert awake.inhibit_command("darwin", 42) == ["caffeinate", "-i", "-w", "42"]


def test_linux_is_held_by_systemd_until_the_studio_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    command = awake.inhibit_command("linux", 42)
    assert command is not None
    assert command[0] == "systemd-inhibit"
    assert "--what=sleep:idle" in command
    assert command[command.index("tail") :] == ["tail", "--pid=42", "-f", "/dev/null"]


def test_where_nothing_can_hold_off_sleep_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert awake.inhibit_command("linux", 42) is None
    with awake._held_by(None):
        pass


def test_the_process_runs_inside_and_has_ended_afterwards(started: list[subprocess.Popen[bytes]]) -> None:
    with awake._held_by(PATIENT):
        [process] = started
        assert process.poll() is None
    assert process.returncode is not None


def test_the_process_has_ended_when_the_work_fails(started: list[subprocess.Popen[bytes]]) -> None:
    with pytest.raises(ValueError, match="broken"), awake._held_by(PATIENT):
        raise ValueError("broken")
    assert started[0].returncode is not None


def test_a_program_that_is_not_there_costs_nothing(tmp_path: Path, started: list[subprocess.Popen[bytes]]) -> None:
    with awake._held_by([str(tmp_path / "no such program")]):
        pass
    assert started == []


def test_one_that_ends_by_itself_does_not_disturb(started: list[subprocess.Popen[bytes]]) -> None:
    with awake._held_by([sys.executable, "-c", ""]):
        started[0].wait()
    assert started[0].returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows is asked directly")
def test_the_system_s_own_way_is_taken(monkeypatch: pytest.MonkeyPatch, started: list[subprocess.Popen[bytes]]) -> None:
    monkeypatch.setattr(awake, "inhibit_command", lambda platform, pid: PATIENT)
    with awake.kept_awake():
        assert started[0].poll() is None
    assert started[0].poll() is not None


def test_windows_is_told_to_stay_on_and_then_told_that_it_may_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes
    from types import SimpleNamespace

    told: list[int] = []
    kernel = SimpleNamespace(SetThreadExecutionState=told.append)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    with awake._windows():
        assert told == [0x80000001]
    assert told == [0x80000001, 0x80000000]

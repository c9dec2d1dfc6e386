"""The app in a real terminal of 80 by 24, from the command a user types to the prompt that comes back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.library.shelf import songs_on_disk

pexpect = pytest.importorskip("pexpect")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX pseudo-terminal")
PATIENCE_S = 180


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.1)


def processes_of(home: Path) -> list[str]:
    """Command lines of the processes that work in this home (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(home).encode() in (process / "environ").read_bytes() and process.name != str(os.getpid()):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.fixture
def terminal(studio_home: Path) -> Iterator[Any]:
    environment = {**os.environ, "TERM": "xterm-256color", "LLM_MUSIC_GEN_HOME": str(studio_home), "PULSE_SERVER": "none"}
    child = pexpect.spawn(
        sys.executable, ["-m", "llm_music_gen"], env=environment, dimensions=(24, 80), timeout=PATIENCE_S, encoding="utf-8"
    )
    child.delaybeforesend = 0.3
    yield child
    child.close(force=True)


def test_a_song_is_made_and_played_by_keyboard_alone(terminal: Any, studio_home: Path) -> None:
    terminal.expect("Selection; Menu Option = 1-3")
    terminal.send("l")
    terminal.expect("How long shall a song be")
    terminal.send("12s")
    terminal.expect("12 seconds")
    terminal.send("\r")
    terminal.expect("12 seconds")
    terminal.send("1")
    terminal.expect("What kind of music are we making today")
    terminal.send("Chill\r")
    terminal.send("1\r")
    terminal.expect("Producing")
    terminal.expect("Converting song number 1 from WAV to Mp3")
    # Auto-play starts the finished song, on the null device of a machine without a sound card.
    terminal.expect("Playing: ")
    terminal.send("b")
    terminal.expect("Menu Option = 1-3")
    terminal.send("2")
    terminal.expect("Output Jukebox")
    terminal.expect("Playing song: ")
    terminal.send(" ")
    terminal.expect("paused")
    terminal.send("B")
    terminal.expect("Menu Option = 1-3")
    terminal.send("X")
    rest = terminal.read()
    terminal.wait()
    assert terminal.exitstatus == 0
    # The screen of before comes back, with its cursor, without mouse reports.
    for sane in ("\x1b[?1049l", "\x1b[?25h", "\x1b[?1000l"):
        assert sane in rest
    assert "ALSA" not in rest
    (song,) = songs_on_disk(studio_home / "data" / "songs")
    assert song.length_s == pytest.approx(12.0)
    if sys.platform == "linux":
        wait_until(lambda: not processes_of(studio_home), "a process stayed behind")


def test_work_that_was_stopped_is_offered_at_the_next_start(terminal: Any, studio_home: Path) -> None:
    terminal.expect("Selection; Menu Option = 1-3")
    terminal.send("1")
    terminal.expect("What kind of music are we making today")
    terminal.send("Ambient\r")
    terminal.send("50\r")
    terminal.expect("Producing")
    terminal.send("\x1b")
    terminal.send("x")
    terminal.expect("Go on in the background")
    terminal.send("3")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0
    if sys.platform == "linux":
        wait_until(lambda: not processes_of(studio_home), "a process stayed behind")
    again = pexpect.spawn(
        sys.executable,
        ["-m", "llm_music_gen"],
        env={**os.environ, "TERM": "xterm-256color", "LLM_MUSIC_GEN_HOME": str(studio_home)},
        dimensions=(24, 80),
        timeout=PATIENCE_S,
        encoding="utf-8",
    )
    try:
        again.expect("Last time 1 job was not finished")
        again.send("3")
        time.sleep(1.0)
        again.send("x")
        again.expect(pexpect.EOF)
        again.wait()
        assert again.exitstatus == 0
    finally:
        again.close(force=True)

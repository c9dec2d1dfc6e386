"""The command line as a user runs it: a process of its own, on a terminal, and stopped with Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LINE = 'Llm-Music-Gen: Producing "Chill, Dubstep" themed song number 1...'


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process on Windows")
def test_ctrl_c_stops_the_song_with_one_sentence_and_leaves_nothing(studio_home: Path) -> None:
    command = [sys.executable, "-m", "llm_music_gen", "generate", "Chill, Dubstep", "--length", "1:00"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    assert process.stdout is not None
    assert process.stdout.readline().strip() == LINE
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=120)
    assert process.returncode == 130
    assert complaint.strip() == "Llm-Music-Gen: Stopped. What was finished is kept."
    songs = studio_home / "data" / "songs"
    assert not songs.exists() or list(songs.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a Unix terminal")
def test_on_a_terminal_the_users_own_lines_and_bars_are_drawn(studio_home: Path) -> None:
    import pexpect

    command = ["-m", "llm_music_gen", "generate", "Chill, Dubstep", "--length", "10s"]
    child = pexpect.spawn(sys.executable, command, encoding="utf-8", timeout=180, dimensions=(24, 200), env=dict(os.environ))
    child.expect_exact(LINE)
    child.expect_exact("[------------------------------] 0% Complete")
    child.expect_exact("[##############################] 100% Complete")
    child.expect_exact("Llm-Music-Gen: Converting song number 1 from WAV to Mp3...")
    child.expect_exact("[##############################] 100% Complete")
    child.expect(r'Llm-Music-Gen: "[^"]+" \(00:10, .+\) is ready: .+\.mp3')
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0

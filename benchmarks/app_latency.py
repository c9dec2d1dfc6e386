"""How quickly the app answers: `python benchmarks/app_latency.py [--keys N]` (POSIX, needs pexpect).

Through a real pseudo-terminal of 80 by 24, while songs are made by the worker and a file plays: the delay between a key and its
redraw, with the spectrum off and on; how late the sound card was ever served; the first frame against a bare Textual app's; and
`--help` against `python -c pass`. Prints milliseconds and the limits they are held to.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pexpect
import soundfile

ROOT = Path(__file__).resolve().parent.parent
BARE_APP = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("READY TO GO")
Bare().run()
"""
KEY_LIMIT_MS = {"off": 50.0, "on": 100.0}
SOUND_LIMIT_MS = 200.0


def main() -> int:
    """Run all measurements. Returns 1 when a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--keys", type=int, default=300, help="how many keys are pressed for each figure")
    parser.add_argument("--instrumented", nargs=2, metavar=("REPORT", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.instrumented:
        return run_instrumented(Path(arguments.instrumented[0]), Path(arguments.instrumented[1]))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        results = [*start_times(home), *key_times(home, arguments.keys)]
    for name, value_ms, limit_ms in results:
        verdict = "" if limit_ms is None else f"   limit {limit_ms:6.0f}   {'ok' if value_ms <= limit_ms else 'TOO SLOW'}"
        print(f"{name:<58} {value_ms:8.1f} ms{verdict}")
    return int(any(limit_ms is not None and value_ms > limit_ms for _, value_ms, limit_ms in results))


def environment(home: Path) -> dict[str, str]:
    """A home of its own and an ordinary terminal."""
    return {**os.environ, "LLM_MUSIC_GEN_HOME": str(home), "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}


def start_times(home: Path) -> list[tuple[str, float, float | None]]:
    """First frames and `--help`, the best of several."""
    python = sys.executable
    bare = min(first_frame_ms([python, "-c", BARE_APP], "READY TO GO", home) for _ in range(4))
    ours = min(first_frame_ms([python, "-m", "llm_music_gen"], "Menu Option = 1-3", home) for _ in range(4))
    nothing = min(run_ms([python, "-c", "pass"], home) for _ in range(6))
    helped = min(run_ms([python, "-m", "llm_music_gen", "--help"], home) for _ in range(6))
    return [
        ("first frame of a bare Textual app", bare, None),
        ("first frame of the studio, beyond that", ours - bare, 1000.0),
        ("python -c pass", nothing, None),
        ("--help, beyond that", helped - nothing, 300.0),
    ]


def first_frame_ms(command: list[str], words: str, home: Path) -> float:
    """From the start of a process until words stand on its screen."""
    began = time.perf_counter()
    child = pexpect.spawn(command[0], command[1:], env=environment(home), cwd=str(ROOT), dimensions=(24, 80), timeout=60)
    child.expect_exact(words)
    taken = time.perf_counter() - began
    child.close(force=True)
    return taken * 1000


def run_ms(command: list[str], home: Path) -> float:
    """How long a command takes."""
    began = time.perf_counter()
    subprocess.run(command, env=environment(home), cwd=ROOT, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000


def key_times(home: Path, keys: int) -> list[tuple[str, float, float | None]]:
    """Open the jukebox on a file, have songs made, and press keys."""
    file, report = home / "music.flac", home / "sound.json"
    seconds = np.arange(44100 * 900) / 44100
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * 220 * seconds), 44100)
    command = [str(Path(__file__).resolve()), "--instrumented", str(report), str(file)]
    child = pexpect.spawn(sys.executable, command, env=environment(home), cwd=str(ROOT), dimensions=(24, 80), timeout=120)
    child.delaybeforesend = None
    child.expect_exact("Playing song")
    for pause_s, text in ((1, "b"), (1, "1"), (3, "Ambient\r"), (1, "50\r")):
        time.sleep(pause_s)
        child.send(text)
    child.expect_exact("Producing")
    for text in ("b", "2", "v"):
        time.sleep(1)
        child.send(text)
    time.sleep(1)
    results: list[tuple[str, float, float | None]] = []
    for spectrum in ("off", "on"):
        times = np.array([one_key_ms(child) for _ in range(keys)])
        for name, value, limit in (
            ("median", np.percentile(times, 50), None),
            ("99th percentile", np.percentile(times, 99), KEY_LIMIT_MS[spectrum]),
        ):
            results.append((f"key to redraw while a song is made, spectrum {spectrum}, {name}", float(value), limit))
        child.send("v")
        time.sleep(1)
    child.send("x")
    child.expect_exact("Go on in the background")
    time.sleep(0.5)
    child.send("3")
    child.expect(pexpect.EOF)
    sound = json.loads(report.read_text(encoding="utf-8"))
    results.append((f"sound card served later than due, worst of {sound['calls']} buffers", sound["latest_ms"], None))
    results.append(("longest gap in the sound, after what the device had in hand", sound["gap_ms"], SOUND_LIMIT_MS))
    return results


def one_key_ms(child: pexpect.spawn) -> float:
    """Press the shuffle key and wait until the screen says so."""
    drain(child)
    began = time.perf_counter()
    child.send("h")
    child.expect(re.compile(rb"Shuffle o(n|ff)"))
    taken = time.perf_counter() - began
    time.sleep(0.03)
    return taken * 1000


def drain(child: pexpect.spawn) -> None:
    """Read away what was drawn before."""
    child.buffer = b""
    try:
        while True:
            child.read_nonblocking(65536, timeout=0)
    except (pexpect.TIMEOUT, pexpect.EOF):
        return


def run_instrumented(report: Path, file: Path) -> int:
    """The app itself, noting when the sound card asked for more."""
    from llm_music_gen.playback.deck import Deck
    from llm_music_gen.playback.miniaudio_player import BUFFER_MS, PERIODS
    from llm_music_gen.playback.source import Block
    from llm_music_gen.playback.track import tracks_at
    from llm_music_gen.tui.app import run_app
    from llm_music_gen.units import SAMPLE_RATE_HZ

    asked: list[tuple[float, float, int]] = []
    plain_read = Deck.read

    def read(deck: Deck, frames: int) -> Block:
        began = time.monotonic()
        block = plain_read(deck, frames)
        asked.append((began, time.monotonic(), frames))
        return block

    Deck.read = read  # type: ignore[method-assign,assignment]
    code = run_app(tracks_at(file))
    # A buffer is due when the one before it has been played; the first few fill the device.
    late = [done - before[1] - before[2] / SAMPLE_RATE_HZ for before, (_, done, _) in pairwise(asked[5:])]
    latest_ms = 1000 * max(0.0, max(late, default=0.0))
    gap_ms = max(0.0, latest_ms - BUFFER_MS * (PERIODS - 1))
    report.write_text(json.dumps({"calls": len(asked), "latest_ms": latest_ms, "gap_ms": gap_ms}), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())

"""R20: the studio in folders whose names hurt other programs, moved from one to another, and its launcher started there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.__main__ import main
from llm_music_gen.paths import HOME_VARIABLE, StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.studio import Studio
from tests.reliability.figures import Figure
from tests.reliability.scale import FULL
from tests.unit.assistant.test_assistant import shelved

CHECKOUT = Path(__file__).parents[2]
AWKWARD = ("with spaces", "Zoë & Co", "My Music (x86)!", "100 %TEMP% ^ '$HOME'", "x" * 100)


def awkward(base: Path) -> Path:
    """A folder below all of them, 200 characters deep where the system allows that."""
    folder = base.joinpath(*AWKWARD)
    folder.mkdir(parents=True)
    return folder


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program as a user starts it, in a process of its own."""
    environment = {**os.environ, HOME_VARIABLE: str(home), "PYTHONPATH": str(CHECKOUT), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "llm_music_gen", *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_studio_works_in_awkward_folders_and_can_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = awkward(tmp_path)
    assert len(str(home)) >= 200
    shelved(Studio(StudioPaths(home / "data", home / "models"), Settings()), "Früher & Später (x86)!")
    sound = home / "take & (1)!.wav"
    soundfile.write(sound, np.zeros((4_410, 2), np.float32) + 0.1, 44_100)
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    assert main(["process", str(sound), "make it quieter", "--json"]) == 0
    made = [Path(json.loads(line)["output"]) for line in capsys.readouterr().out.splitlines() if '"output"' in line]
    assert made == [] or all(path.is_file() for path in made)
    assert len(list(home.rglob("take*.wav"))) == 2

    moved = tmp_path / "another drive" / "é!"
    moved.parent.mkdir()
    shutil.move(home, moved)
    answered = run(moved, "library", "list", "--json")
    assert answered.returncode == 0, answered.stderr
    assert "Früher & Später (x86)!" in answered.stdout
    library = Studio(StudioPaths(moved / "data", moved / "models"), Settings()).library
    [song] = library.songs()
    assert not song.missing and song.folder.is_relative_to(moved)
    measured = f"works at {len(str(home))} characters with spaces, umlauts and & % ^ ' $ ( ) !; moved: all files found"
    Figure("R20", "awkward folders, and moved ones", "launcher and app work", measured, holds=True).record()


@pytest.mark.skipif(sys.platform == "win32", reason="launcher.sh is for POSIX systems")
def test_the_launcher_starts_from_an_awkward_folder(tmp_path: Path) -> None:
    """With an environment that is ready; that it can be made there is tested in tests/integration/launcher."""
    root = awkward(tmp_path)
    shutil.copy(CHECKOUT / "launcher.sh", root)
    (root / "llm_music_gen").symlink_to(CHECKOUT / "llm_music_gen")
    (root / "requirements").mkdir()
    (root / "requirements" / "studio.lock").write_text("numpy==2.0.0\n", encoding="utf-8")
    (root / ".venv" / "bin").mkdir(parents=True)
    python = root / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    shutil.copy(root / "requirements" / "studio.lock", root / ".venv" / "made-ready.lock")
    environment = {**os.environ, HOME_VARIABLE: str(root / "home")}
    command = [str(root / "launcher.sh"), "library", "--help"]
    answered = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert answered.returncode == 0, answered.stderr
    assert "usage" in answered.stdout.lower()


@pytest.mark.skipif(not FULL or shutil.which("wine") is None, reason="takes Wine and a minute; the full run does it")
def test_launcher_bat_runs_in_wines_cmd_from_an_awkward_folder(tmp_path: Path) -> None:
    """Wine has no Python for Windows, so the launcher must come as far as saying so: one sentence, also in its log."""
    root = tmp_path / "Zoe & Co (x86)!"
    (root / "requirements").mkdir(parents=True)
    shutil.copy(CHECKOUT / "launcher.bat", root)
    for name in ("studio", "test"):
        (root / "requirements" / f"{name}.lock").write_text("numpy==2.0.0\n", encoding="utf-8")
    environment = {**os.environ, "WINEPREFIX": str(tmp_path / "wine"), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}
    command = ["wine", "cmd", "/c", 'launcher.bat generate "Chill & Dub"']
    answered = subprocess.run(
        command, cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    said = [line for line in answered.stderr.splitlines() if line.startswith("Llm-Music-Gen: ")]
    assert len(said) == 1 and "Python 3.10 to 3.13, 64 bit, is missing" in said[0], answered
    assert "is missing" in (root / "launcher.log").read_text(encoding="utf-8")
    assert "recognize" not in answered.stdout + answered.stderr
    Figure(
        "R20", "launcher.bat under Wine's cmd", "runs in a folder with & ( ) !", "runs to its one sentence", holds=True
    ).record()

"""The wheel carries everything that is read at run time, and writes a song in a place that knows nothing of the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
PACKAGE = CHECKOUT / "llm_music_gen"
#: Files of these kinds are read at run time and must travel with the package.
DATA_SUFFIXES = {".toml", ".json", ".sql", ".tcss", ".gbnf", ".txt", ".md", ".csv", ".html", ".js", ".css", ".typed"}


@pytest.fixture(scope="module")
def wheel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(CHECKOUT)]
    built = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel_file: Path) -> set[str]:
    with zipfile.ZipFile(wheel_file) as wheel:
        return set(wheel.namelist())


def test_the_built_in_composer_is_there_whole_and_small(wheel_file: Path) -> None:
    models = sorted((CHECKOUT / "models").glob("*.built-in.gguf"))
    assert models
    with zipfile.ZipFile(wheel_file) as wheel:
        for model in models:
            assert wheel.read(f"llm_music_gen/builtin/{model.name}") == model.read_bytes()
            assert model.stat().st_size <= 12_000_000


def test_every_module_and_every_table_is_there(names: set[str]) -> None:
    wanted = {
        path.relative_to(CHECKOUT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and (path.suffix == ".py" or path.suffix in DATA_SUFFIXES) and "__pycache__" not in path.parts
    }
    assert any(name.endswith(".toml") for name in wanted)
    assert wanted - names == set()


def test_nothing_else_is_there(names: set[str]) -> None:
    assert [name for name in names if not name.startswith(("llm_music_gen/", "llm_music_gen-"))] == []


@pytest.fixture(scope="module")
def elsewhere(wheel_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel was installed into."""
    folder = tmp_path_factory.mktemp("elsewhere") / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([*install, str(wheel_file)], check=True, capture_output=True)
    return folder


def run_elsewhere(site: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS` in another folder, with the installed wheel before everything else on the path."""
    environment = {**os.environ, "PYTHONPATH": str(site), "LLM_MUSIC_GEN_HOME": str(home), "PYTHONUTF8": "1", "CI": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=site.parent, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_the_installed_package_is_the_one_that_runs(elsewhere: Path, tmp_path: Path) -> None:
    run = run_elsewhere(elsewhere, tmp_path, "-c", "import llm_music_gen; print(llm_music_gen.__file__)")
    assert run.stdout.strip() == str(elsewhere / "llm_music_gen" / "__init__.py")


def test_an_installed_wheel_makes_a_song(elsewhere: Path, tmp_path: Path) -> None:
    arguments = ["-m", "llm_music_gen", "generate", "Chill", "--length", "20s", "--seed", "1", "--json"]
    run = run_elsewhere(elsewhere, tmp_path, *arguments)
    assert run.returncode == 0, run.stderr
    song = json.loads(run.stdout)
    assert song["frames"] == 20 * 44_100
    assert Path(song["files"]["mp3"]).is_relative_to(tmp_path)
    assert Path(song["files"]["mp3"]).stat().st_size > 100_000

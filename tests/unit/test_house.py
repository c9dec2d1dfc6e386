"""What the repository promises about itself: licence, data files, commands in the README."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import llm_music_gen

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "llm_music_gen"
#: Files of these kinds are read at run time and must travel with the package.
DATA_SUFFIXES = {".toml", ".json", ".sql", ".tcss", ".gbnf", ".txt", ".md", ".csv", ".typed"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(CHECKOUT)]
    built = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_carries_the_built_in_composer_whole(wheel: zipfile.ZipFile) -> None:
    models = sorted((CHECKOUT / "models").glob("*.built-in.gguf"))
    assert models
    for model in models:
        assert wheel.read(f"llm_music_gen/builtin/{model.name}") == model.read_bytes()
        assert model.stat().st_size <= 12_000_000


def test_the_wheel_carries_every_module_and_every_table(wheel: zipfile.ZipFile) -> None:
    wanted = {
        path.relative_to(CHECKOUT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and (path.suffix == ".py" or path.suffix in DATA_SUFFIXES) and "__pycache__" not in path.parts
    }
    assert any(name.endswith(".toml") for name in wanted)
    assert wanted - set(wheel.namelist()) == set()


def test_the_wheel_carries_nothing_else(wheel: zipfile.ZipFile) -> None:
    strangers = [name for name in wheel.namelist() if not name.startswith(("llm_music_gen/", "llm_music_gen-"))]
    assert strangers == []


def test_the_licence_is_the_whole_text_of_the_gpl() -> None:
    text = (CHECKOUT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text and "Version 3, 29 June 2007" in text
    assert "How to Apply These Terms to Your New Programs" in text


def test_the_changelog_knows_this_version() -> None:
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[({re.escape(llm_music_gen.__version__)}|Unreleased)\]", text, re.MULTILINE)


def test_the_readme_sets_everything_up_with_two_commands() -> None:
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert './launcher.sh generate "Chill, Dubstep"' in text and 'launcher.bat generate "Chill, Dubstep"' in text
    assert "./launcher.sh test" in text and "launcher.bat test" in text


@pytest.mark.parametrize("page", ["README.md", *sorted(str(p.relative_to(CHECKOUT)) for p in (CHECKOUT / "docs").rglob("*.md"))])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    path = CHECKOUT / page
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []

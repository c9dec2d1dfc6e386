"""For every test: a home of its own, so that no test sees or changes the songs and settings of whoever runs it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_music_gen.paths import HOME_VARIABLE


@pytest.fixture(scope="session", autouse=True)
def studio_home_of_shared_fixtures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home that fixtures of a whole module or session see."""
    home = tmp_path_factory.mktemp("session") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home))
        yield home


@pytest.fixture(autouse=True)
def studio_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the studio under test: a folder that does not exist until something is written."""
    home = tmp_path / "home"
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    return home

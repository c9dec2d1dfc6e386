"""For every test: a home of its own, so that no test sees or changes the songs and settings of whoever runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_music_gen.paths import HOME_VARIABLE


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors for the whole suite, because many tests wait; a few named tests run right here."""
    whole = config.args_source is not pytest.Config.ArgsSource.ARGS
    return (os.cpu_count() or 1) + 1 if whole else 0


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

"""A planned track, and what comes out of it when nothing interrupts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.reliability.track import fresh, plan_in, resumed, short_pieces


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    short_pieces(monkeypatch)


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one track that is planned and not begun."""
    return plan_in(tmp_path_factory.mktemp("planned") / "home")


@pytest.fixture(scope="session")
def undisturbed(planned: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Checksums of the files of a run that nothing interrupts."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    shutil.copytree(planned, home)
    with pytest.MonkeyPatch.context() as patch:
        short_pieces(patch)
        return resumed(home)


@pytest.fixture
def home(planned: Path, tmp_path: Path) -> Path:
    """A home of the test's own with the planned track in it."""
    own = tmp_path / "own"
    fresh(own, planned)
    return own

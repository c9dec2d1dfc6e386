"""For every test: a home of its own, so that no test sees or changes the songs and settings of whoever runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.paths import HOME_VARIABLE


@pytest.fixture(autouse=True)
def studio_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the studio under test: an empty folder that does not exist until something is written."""
    home = tmp_path / "home"
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    return home

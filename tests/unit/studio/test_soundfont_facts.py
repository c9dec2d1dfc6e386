"""What is remembered about a soundfont, and when it is worked out anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_music_gen.sound.soundfonts import Soundfont
from llm_music_gen.studio import soundfont_facts as module
from llm_music_gen.studio.soundfont_facts import soundfont_facts


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The soundfonts with which the test block was rendered."""
    rendered: list[Path] = []

    def render(path: Path) -> str:
        rendered.append(path)
        return path.read_bytes().hex()

    monkeypatch.setattr(module, "render_fingerprint", render)
    return rendered


def test_facts_are_worked_out_once_and_again_when_the_file_changes(tmp_path: Path, renders: list[Path]) -> None:
    path = tmp_path / "a.sf2"
    path.write_bytes(b"one")
    first = soundfont_facts(Soundfont(path), tmp_path / "cache")
    assert soundfont_facts(Soundfont(path), tmp_path / "cache") == first
    assert len(renders) == 1
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert soundfont_facts(Soundfont(path), tmp_path / "cache") != first
    assert len(renders) == 2


@pytest.mark.parametrize("broken", [b"", b"[]", b"\xff", b"{"])
def test_a_broken_cache_only_costs_time(tmp_path: Path, renders: list[Path], broken: bytes) -> None:
    path = tmp_path / "a.sf2"
    path.write_bytes(b"one")
    (tmp_path / "soundfonts.json").write_bytes(broken)
    assert soundfont_facts(Soundfont(path), tmp_path) == soundfont_facts(Soundfont(path), tmp_path)
    assert len(renders) == 1
    (tmp_path / "file").write_bytes(b"")
    assert soundfont_facts(Soundfont(path), tmp_path / "file" / "cache").fingerprint == b"one".hex()

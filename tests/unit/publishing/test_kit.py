"""A kit is whole, passes its own check, and every damage to it is found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import SoundError
from llm_music_gen.publishing.kit import FILES, check_kit, make_kit
from llm_music_gen.publishing.upload import Upload

RATE = 44_100
SONG = Upload("Drei Töne", 40.0, ("ambient",), ((0.0, "a"), (12.0, "b"), (25.0, "c")), frequency_hz=528.0)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kit")
    t = np.arange(RATE * 4) / RATE
    soundfile.write(folder / "song.flac", 0.3 * np.sin(2 * np.pi * 528 * t), RATE)
    return finish(make_kit(SONG, folder / "song.flac", folder, cover_side=150))


def faults(kit: Path) -> list[str]:
    """All but that the cover of these tests is small."""
    return [fault for fault in check_kit(kit) if not fault.startswith("cover.jpg is 150x150")]


def test_a_kit_has_every_file_and_no_fault(kit: Path) -> None:
    assert all((kit / name).stat().st_size for name in FILES)
    assert not list(kit.glob("*.part"))
    assert faults(kit) == []
    assert "song.flac" in (kit / "checksums.sha256").read_text(encoding="utf-8")
    facts = json.loads((kit / "provenance.json").read_text(encoding="utf-8"))
    assert facts["song"]["title"] == "Drei Töne" and len(facts["audio"]["sha256"]) == 64


def test_the_same_facts_give_the_same_kit(kit: Path, tmp_path: Path) -> None:
    again = finish(make_kit(SONG, kit / "song.flac", tmp_path / "new" / "kit", cover_side=150))
    for name in FILES:
        assert (again / name).read_bytes() == (kit / name).read_bytes(), name


@pytest.mark.parametrize("name", [*FILES, "song.flac"])
def test_a_changed_file_is_found(kit: Path, name: str) -> None:
    before = (kit / name).read_bytes()
    try:
        (kit / name).write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        assert faults(kit)
    finally:
        (kit / name).write_bytes(before)


def test_a_missing_file_is_found(kit: Path) -> None:
    (kit / "tags.txt").rename(kit / "away")
    assert check_kit(kit) == ["tags.txt is missing."]
    (kit / "away").rename(kit / "tags.txt")


def test_what_is_not_audio_is_refused_and_progress_goes_forward(kit: Path, tmp_path: Path) -> None:
    (tmp_path / "x.flac").write_bytes(b"no sound")
    with pytest.raises(SoundError):
        finish(make_kit(SONG, tmp_path / "x.flac", tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.flac"]
    reports: list[Progress] = list(make_kit(SONG, kit / "song.flac", tmp_path / "kit", cover_side=60))
    files = [report.fraction for report in reports if report.stage == "files"]
    assert files == sorted(files) and files[-1] == 1.0

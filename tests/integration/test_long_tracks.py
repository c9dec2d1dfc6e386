"""Tracks of hours, made short: from words to a proven file, and again from its recipe. tests/reliability/ interrupts them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import UsageError
from llm_music_gen.sound.decode import audio_info
from llm_music_gen.studio.long import make
from llm_music_gen.studio.long.make import make_long
from llm_music_gen.studio.long.unfinished import Unfinished
from llm_music_gen.studio.request import LongWords
from tests.reliability.track import (
    RATE,
    failure,
    fresh,
    open_studio,
    plan_in,
    request,
    resumed,
    short_pieces,
    track_in,
)  # fmt: skip


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    short_pieces(monkeypatch)


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one track that is planned and not begun."""
    return plan_in(tmp_path_factory.mktemp("planned") / "home")


@pytest.fixture
def home(planned: Path, tmp_path: Path) -> Path:
    """A home of the test's own with the planned track in it."""
    own = tmp_path / "own"
    fresh(own, planned)
    return own


def test_words_become_a_track_with_chapters_that_proves_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "_MOST_ROUNDS", 0)
    with open_studio(tmp_path) as studio:
        reports: list[Progress] = []
        work = studio.generate(request(length="62s", formats="mp3", long=LongWords(layers="binaural 10-2, rain")))
        while True:
            try:
                reports.append(next(work))
            except StopIteration as stop:
                [outcome] = stop.value
                break
    song = outcome.song
    assert song is not None, outcome.error
    stages = list(dict.fromkeys(report.stage for report in reports))
    assert stages == ["theme", "tune", "sound", "master", "convert", "files", "finished"]
    wholes = [report.detail["whole"] for report in reports if "whole" in report.detail]
    assert wholes == sorted(wholes)
    assert wholes[-1] == pytest.approx(1.0)
    assert audio_info(song.files["mp3"]).frames == 62 * RATE
    proof = json.loads((song.folder / "proof.json").read_text(encoding="utf-8"))
    verdicts = {check["name"]: check["verdict"] for check in proof["checks"]}
    assert proof["passes"], proof
    assert (verdicts["tonic"], verdicts["beat"]) == ("pass", "pass")
    recipe = json.loads((song.folder / "recipe.json").read_text(encoding="utf-8"))
    assert len(recipe["long"]["chapters"]) == 3
    [listed] = song.folder.glob("* chapters.txt")
    lines = listed.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("0:00 ")
    assert [line.split(" ", 1)[1] for line in lines] == [chapter["name"] for chapter in recipe["long"]["chapters"]]


def test_a_track_is_made_again_from_its_recipe_byte_for_byte(home: Path) -> None:
    resumed(home)
    [folder] = (home / "data" / "songs").iterdir()
    kept = home / "kept.json"
    shutil.copy(folder / "recipe.json", kept)
    with open_studio(home) as studio:
        [outcome] = finish(studio.remake(kept))
    assert outcome.song is not None, outcome.error
    assert outcome.song.folder != folder, "the first one stays"
    for name in ("mp3", "flac"):
        original = next(path for path in folder.iterdir() if path.suffix == f".{name}")
        assert outcome.song.files[name].read_bytes() == original.read_bytes()


def test_two_processes_do_not_make_the_same_track(home: Path) -> None:
    track = track_in(home)
    with open_studio(home) as studio:
        with Unfinished(track.folder).claimed():
            assert "Another process" in failure(finish(studio.resume(track)))
        assert studio.unfinished() == (track,)
    resumed(home)


def test_a_song_s_recipe_in_the_folder_is_refused(home: Path) -> None:
    track = track_in(home)
    recipe = json.loads(track.recipe_path.read_text(encoding="utf-8"))
    del recipe["long"]
    track.recipe_path.write_text(json.dumps(recipe), encoding="utf-8")
    with open_studio(home) as studio, pytest.raises(UsageError, match="not of a long track"):
        finish(make_long(track, studio._long_workshop("")))

"""A finished song edited with the real engines: the same bytes as a full rendering, versions kept, undo, a model's new tune."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_music_gen.__main__ import main
from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import LibraryError, StyleError
from llm_music_gen.notation.music21_port import read_abc_with_music21
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.sound.decode import audio_info
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.studio import Studio


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one song in it."""
    home = tmp_path_factory.mktemp("made")
    with Studio(StudioPaths(home / "data", home / "models"), Settings()) as studio:
        request = GenerateRequest.from_words("pop", length="12s", seed=3, key="Dm", formats="flac")
        [outcome] = finish(studio.generate(request))
        assert outcome.song is not None
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "studio")
    monkeypatch.setenv("LLM_MUSIC_GEN_HOME", str(tmp_path / "studio"))
    return tmp_path / "studio"


@pytest.fixture
def studio(home: Path) -> Iterator[Studio]:
    with Studio(StudioPaths(home / "data", home / "models"), Settings()) as opened:
        opened.library.rescan()
        yield opened


def changed(studio: Studio, request: str) -> tuple[Song, Progress]:
    """The new version, and the report that says what was played anew."""
    room = studio.editing()
    notes: list[Progress] = []
    work = room.run(room.plan(room.song("last"), request))
    while True:
        try:
            report = next(work)
        except StopIteration as stop:
            return stop.value, notes[-1]
        if "note" in report.detail:
            notes.append(report)


def test_an_edit_plays_only_what_changed_and_a_remake_gives_the_same_bytes(studio: Studio, home: Path) -> None:
    changed(studio, "make the first part calmer, and end in major")
    song, note = changed(studio, "melody on flute")
    assert set(note.detail["blocks_rendered"]) == {"Flute"}
    assert len(note.detail["blocks_reused"]) >= 3
    shutil.rmtree(home / "data" / "cache" / "parts")
    [again] = finish(studio.remake(song.folder))
    assert again.song is not None
    for kind in ("flac", "mid", "abc", "musicxml"):
        assert again.song.files[kind].read_bytes() == song.files[kind].read_bytes(), kind
    reading = read_abc_with_music21(song.files["abc"].read_text(encoding="utf-8"))
    assert len({length for part in reading.bar_lengths_ql for length in part}) == 1


def test_versions_are_kept_and_come_back_several_steps(studio: Studio, home: Path) -> None:
    room = studio.editing()
    first = room.song("last")
    bytes_before = first.files["flac"].read_bytes()
    second, _ = changed(studio, 'tempo 110 and call it "Another name"')
    third, _ = changed(studio, "drums out")
    assert [song.id for song in studio.library.songs()] == [third.id]
    assert (second.title, third.title, third.tempo_bpm) == ("Another name", "Another name", 110)
    assert audio_info(third.files["flac"]).frames == third.frames
    assert [(version.request, version.is_kept) for version in room.history(third)] == [
        ("", True), ('tempo 110 and call it "Another name"', True), ("drums out", True),
    ]  # fmt: skip
    back = room.undo(third, 2)
    assert back.id == first.id
    assert back.files["flac"].read_bytes() == bytes_before
    assert [song.id for song in studio.library.songs()] == [first.id]
    with pytest.raises(LibraryError, match="never edited"):
        room.undo(back)
    # What was taken back is not lost either, nor what lay between.
    assert len(list((home / "data" / "versions").iterdir())) == 2
    assert second.id != third.id


@pytest.mark.parametrize("stage", ["sound", *(pytest.param(stage, marks=pytest.mark.heavy) for stage in ("master", "convert"))])
def test_stopped_in_the_middle_the_song_is_as_it_was(studio: Studio, home: Path, stage: str) -> None:
    room = studio.editing()
    song = room.song("last")
    work = room.run(room.plan(song, "faster"))
    for report in work:
        if report.stage == stage:
            break
    work.close()
    assert [known.id for known in studio.library.songs()] == [song.id]
    assert [entry.name for entry in (home / "data" / "songs").iterdir()] == [song.folder.name]


def test_killed_between_the_new_version_and_the_old_one_everything_is_put_right(studio: Studio, home: Path) -> None:
    room = studio.editing()
    old = room.song("last")
    new, _ = changed(studio, "faster")
    # As if killed right after the journal: both lie among the songs, the library knows the old one alone.
    [kept] = (home / "data" / "versions").iterdir()
    kept.rename(old.folder)
    noted = {"old": old.folder.name, "new": new.folder.name, "identity": old.id}
    (home / "data" / "versions" / "change.json").write_text(json.dumps(noted), encoding="utf-8")
    studio.library.rescan()
    assert len(studio.library.songs()) == 2
    assert room.song("last").id == new.id
    assert [song.id for song in studio.library.songs()] == [new.id]
    assert room.undo(new).id == old.id


def test_the_built_in_composer_writes_a_new_tune_for_one_section(studio: Studio) -> None:
    before = read_sections(studio.editing().song("last"))
    song, _ = changed(studio, "in 3/4, and a livelier tune in the first part")
    assert read_sections(song) != before
    assert song.meter == "3/4"
    assert read_abc_with_music21(song.files["abc"].read_text(encoding="utf-8")).bar_lengths_ql


def read_sections(song: Song) -> list[tuple[str, str]]:
    """Label and text of each section."""
    recipe = json.loads(song.files["recipe"].read_text(encoding="utf-8"))
    return [(part["label"], part["text"]) for part in recipe["sections"]]


@pytest.mark.heavy
def test_changed_style_sheets_are_refused_and_taken_anyway(studio: Studio) -> None:
    room = studio.editing()
    song = room.song("last")
    recipe = json.loads(song.files["recipe"].read_text(encoding="utf-8"))
    song.files["recipe"].write_text(json.dumps({**recipe, "style_sha256": "0" * 64}), encoding="utf-8")
    studio.library.rescan()
    song = room.song("last")
    with pytest.raises(StyleError, match="have changed since"):
        room.plan(song, "slower")
    edited = finish(room.run(room.plan(song, "slower", anyway=True)))
    assert room.history(edited)[0].identity == song.id
    assert room.undo(edited).id == song.id


def test_edit_on_the_command_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["library", "rescan"]) == 0
    capsys.readouterr()
    assert main(["edit", "last", "up a tone", "--plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["operations"] == ["transpose +2 semitones, to Em"]
    assert main(["edit", "last", "up a tone and frobnicate the wug", "--json"]) == 1
    assert "frobnicate" in capsys.readouterr().err
    assert main(["edit", "last", "up a tone and frobnicate the wug", "--json", "--yes"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["key"] == "Em"
    assert main(["edit", "last", "--history"]) == 0
    assert "1. as it was made" in capsys.readouterr().out
    assert main(["edit", "last", "--undo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["key"] == "Dm"
    assert main(["edit", "last", "in 6/8"]) == 2
    assert "3/4 and 4/4" in capsys.readouterr().err
    assert main(["edit", "last"]) == 2

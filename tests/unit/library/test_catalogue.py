"""The library: an index that follows the files, whatever is done to them by hand."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.errors import LibraryError
from llm_music_gen.library.catalogue import Library
from llm_music_gen.library.playlist import write_m3u
from llm_music_gen.library.shelf import read_song


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "studio.sqlite", tmp_path / "songs", tmp_path / "trash")


def put_song(tmp_path: Path, title: str, *, folder: str = "", seconds: int = 90, created: str = "2026-01-01T00:00:00Z") -> Path:
    home = tmp_path / "songs" / (folder or title)
    home.mkdir(parents=True)
    theme: dict[str, Any] = {
        "title": title, "styles": ["Chill"], "length_frames": seconds * 44_100, "key": "Dm", "tempo_bpm": 90.0, "meter": "4/4",
    }  # fmt: skip
    recipe = {"schema": 1, "theme": theme, "seed": 2**70, "model": {"name": "m.gguf"}, "created": created}
    recipe["measured"] = {"lufs": -14.1, "true_peak_dbtp": -1.6}
    (home / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
    (home / f"{title}.mp3").write_bytes(b"not really")
    (home / f"{title}.abc").write_text("X:1", encoding="utf-8")
    return home


def test_what_is_added_is_listed_with_everything_known_about_it(library: Library, tmp_path: Path) -> None:
    song = read_song(put_song(tmp_path, "Río Ámbar"))
    library.add(song)
    assert library.songs() == (song,)
    assert song.seed == 2**70
    assert song.lufs == -14.1
    assert set(song.files) == {"mp3", "abc", "recipe"}


def test_a_rescan_finds_songs_that_came_and_forgets_those_that_went(library: Library, tmp_path: Path) -> None:
    first, _ = put_song(tmp_path, "One"), put_song(tmp_path, "Two")
    assert library.rescan() == (2, 0)
    shutil.rmtree(first)
    put_song(tmp_path, "Three")
    assert library.rescan() == (1, 1)
    assert {song.title for song in library.songs()} == {"Two", "Three"}


def test_a_song_whose_audio_was_deleted_by_hand_is_marked(library: Library, tmp_path: Path) -> None:
    home = put_song(tmp_path, "One")
    library.rescan()
    (home / "One.mp3").unlink()
    [song] = library.songs()
    assert song.missing
    library.rescan()
    assert library.total_length_s() == 0


def test_a_lost_database_is_built_again_from_the_files(library: Library, tmp_path: Path) -> None:
    put_song(tmp_path, "One")
    library.rescan()
    before = library.songs()
    (tmp_path / "studio.sqlite").write_bytes(b"rubbish" * 1000)
    library.rescan()
    assert library.songs() == before


def test_a_folder_with_a_broken_recipe_is_passed_over(library: Library, tmp_path: Path) -> None:
    put_song(tmp_path, "One")
    for number, text in enumerate(["", "[]", '{"theme": 3}', '{"theme": {}}', "\x00", "[" * 100_000]):
        home = tmp_path / "songs" / f"broken {number}"
        home.mkdir()
        (home / "recipe.json").write_text(text, encoding="utf-8")
    assert library.rescan() == (1, 0)


def test_a_removed_song_lies_in_the_trash_and_comes_back(library: Library, tmp_path: Path) -> None:
    put_song(tmp_path, "One")
    put_song(tmp_path, "Two")
    library.rescan()
    library.remove(library.find("One"))
    assert [song.title for song in library.songs()] == ["Two"]
    assert (tmp_path / "trash" / "One" / "One.mp3").is_file()
    assert library.restore().title == "One"
    assert len(library.songs()) == 2
    with pytest.raises(LibraryError, match="empty"):
        library.restore()


def test_removing_twice_under_one_name_keeps_both_in_the_trash(library: Library, tmp_path: Path) -> None:
    for _ in range(2):
        put_song(tmp_path, "One")
        library.rescan()
        library.remove(library.find("One"))
    assert len(list((tmp_path / "trash").iterdir())) == 2


def test_songs_are_found_by_title_folder_number_and_part_of_the_title(library: Library, tmp_path: Path) -> None:
    put_song(tmp_path, "Amber Comet", folder="Amber Comet (2)", created="2026-01-02")
    put_song(tmp_path, "Blue River", created="2026-01-01")
    library.rescan()
    for name in ("amber comet", "Amber Comet (2)", "2", "comet", library.songs()[1].id[:8]):
        assert library.find(name).title == "Amber Comet", name
    with pytest.raises(LibraryError, match="no song 'Waltz'"):
        library.find("Waltz")
    with pytest.raises(LibraryError, match="fits 2 songs"):
        library.find("r")


def test_the_playlist_has_relative_paths_and_lengths_and_leaves_out_missing_songs(library: Library, tmp_path: Path) -> None:
    put_song(tmp_path, "Früh", seconds=75)
    gone = put_song(tmp_path, "Gone")
    (gone / "Gone.mp3").unlink()
    library.rescan()
    assert write_m3u(library.songs(), tmp_path / "all.m3u") == 1
    lines = (tmp_path / "all.m3u").read_text(encoding="utf-8").splitlines()
    assert lines == ["#EXTM3U", "#EXTINF:75,Früh", "songs/Früh/Früh.mp3"]


def test_a_search_finds_songs_that_hold_every_word_and_reads_them_as_they_are_looked_at(library: Library, tmp_path: Path) -> None:
    for number in range(150):
        put_song(tmp_path, f"{'Amber' if number % 3 else 'Velvet'} Tide {number}", created=f"2026-01-01T00:{number:06d}Z")
    library.rescan()
    found = library.search("TIDE vel", newest_first=True)
    assert len(found) == 50
    assert [song.title for song in found][:2] == ["Velvet Tide 147", "Velvet Tide 144"]
    assert found[-1].title == "Velvet Tide 0"
    assert len(library.search("chill")) == 150, "styles are searched too"
    assert not library.search("100%") and not library.search("'; DROP TABLE songs; --")
    assert [song.title for song in library.search()[:2]] == ["Velvet Tide 0", "Amber Tide 1"]


def test_last_is_the_newest_song_unless_one_is_called_so(library: Library, tmp_path: Path) -> None:
    put_song(tmp_path, "Old", created="2026-01-01T00:00:00Z")
    put_song(tmp_path, "New", created="2026-01-02T00:00:00Z")
    library.rescan()
    assert library.find("last").title == "New"
    put_song(tmp_path, "Last", created="2025-01-01T00:00:00Z")
    library.rescan()
    assert library.find("last").title == "Last"


def test_a_listing_survives_songs_that_go_meanwhile(library: Library, tmp_path: Path) -> None:
    for number in range(3):
        put_song(tmp_path, f"Tide {number}", created=f"2026-01-0{number + 1}T00:00:00Z")
    library.rescan()
    found = library.search()
    library.remove(library.find("Tide 1"))
    library.rescan()
    assert [song.title for song in found] == ["Tide 0", "Tide 2"]
    with pytest.raises(IndexError):
        found[1]
    assert library.restore().title == "Tide 1"
    assert [song.title for song in library.search()] == ["Tide 0", "Tide 1", "Tide 2"]


def test_an_index_of_the_first_version_learns_to_search(library: Library, tmp_path: Path) -> None:
    put_song(tmp_path, "Río Ámbar")
    (put_song(tmp_path, "Mute") / "Mute.mp3").unlink()
    library.rescan()
    with sqlite3.connect(tmp_path / "studio.sqlite") as connection:
        connection.execute("CREATE INDEX songs_by_date ON songs (created, folder)")
        connection.execute("DROP INDEX songs_by_words")
        connection.execute("DROP INDEX songs_by_id")
        connection.execute("ALTER TABLE songs DROP COLUMN words")
        connection.execute("ALTER TABLE songs DROP COLUMN audible")
        connection.execute("DELETE FROM migrations WHERE room = 'library' AND number = 2")
    assert [song.title for song in library.search("RÍO")] == ["Río Ámbar"]
    assert library.total_length_s() == 90.0


def test_the_song_with_a_file_is_found_by_the_files_name(library: Library, tmp_path: Path) -> None:
    put_song(tmp_path, 'Say "Ä"'), put_song(tmp_path, "Two")
    library.rescan()
    assert [song.title for song in library.songs_with_file('Say "Ä".mp3')] == ['Say "Ä"']
    assert not library.songs_with_file("Tw")

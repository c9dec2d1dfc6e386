"""Songs appear whole, under free names, and never over something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.errors import StorageError
from llm_music_gen.studio.files import check_room, copy_out, move_into_place, unfinished_folder


def test_a_finished_folder_moves_into_place_and_a_clash_gets_a_number(tmp_path: Path) -> None:
    places = []
    for text in ("one", "two"):
        with unfinished_folder(tmp_path) as folder:
            (folder / "song.abc").write_text(text, encoding="utf-8")
            places.append(move_into_place(folder, tmp_path, "CON: river?"))
    assert [place.name for place in places] == ["CON- river-", "CON- river- (2)"]
    assert [(place / "song.abc").read_text(encoding="utf-8") for place in places] == ["one", "two"]
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_not_finished_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), unfinished_folder(tmp_path) as folder:
        (folder / "song.wav").write_bytes(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_copies_share_one_free_name_and_overwrite_nothing(tmp_path: Path) -> None:
    source = tmp_path / "song"
    source.mkdir()
    for name in ("A.mp3", "A.abc", "recipe.json"):
        (source / name).write_text(name, encoding="utf-8")
    files = {"mp3": source / "A.mp3", "abc": source / "A.abc", "recipe": source / "recipe.json"}
    out = tmp_path / "out"
    out.mkdir()
    (out / "River.abc").write_text("the user's own", encoding="utf-8")
    copies = copy_out(files, out, "River")
    assert {path.name for path in copies.values()} == {"River (2).mp3", "River (2).abc", "River (2).recipe.json"}
    assert (out / "River.abc").read_text(encoding="utf-8") == "the user's own"
    assert len(list(out.iterdir())) == 4


def test_a_folder_that_cannot_be_written_is_named_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    for attempt in (lambda: check_room(tmp_path / "file" / "songs", 1), lambda: copy_out({}, tmp_path / "file", "x")):
        with pytest.raises(StorageError) as caught:
            attempt()
        assert "file" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_song_that_does_not_fit_is_refused_before_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="MB free, but the song needs"):
        check_room(tmp_path, 10**15)
    assert list(tmp_path.iterdir()) == []

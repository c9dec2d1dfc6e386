"""Files that are whole or not there, and what is said when they cannot be."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from llm_music_gen import disk
from llm_music_gen.errors import DiskMissing, StorageError


def test_a_file_is_replaced_whole_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "any.json"
    for data in (b"one", b"another, longer", b""):
        disk.write_whole(path, data)
        assert path.read_bytes() == data
    assert [entry.name for entry in tmp_path.iterdir()] == ["any.json"]


def test_what_fails_amid_the_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "any.json"
    disk.write_whole(path, b"old")
    with pytest.raises(KeyError), disk.being_written(path) as file:
        file.write(b"new")
        raise KeyError
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["any.json"]


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, DiskMissing, "There is no room for any.json of 2.0 MB in"),
        (errno.EIO, DiskMissing, "cannot be reached"),
        (errno.EACCES, StorageError, "cannot be written"),
    ],
)
def test_the_sentence_names_the_file_and_says_what_to_do(
    tmp_path: Path, number: int, kind: type[StorageError], words: str
) -> None:
    error = disk.storage_error(tmp_path / "any.json", OSError(number, "why"), needed_bytes=2_000_000)
    assert type(error) is kind
    assert words in str(error)
    assert str(tmp_path) in str(error)
    assert error.hint


def test_a_folder_is_written_out_with_everything_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", flushed.append)
    disk.sync_tree(tmp_path)
    assert len(flushed) >= 2

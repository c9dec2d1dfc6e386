"""Finding tracks in folders and playlists."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.errors import PlaybackError
from llm_music_gen.playback.track import tracks_at
from tests.unit.playback.conftest import ToneMaker


def test_a_folder_is_played_in_order_of_name_with_its_folders(tone: ToneMaker, tmp_path: Path) -> None:
    for name in ("music/b.wav", "music/a.wav", "music/more/c.wav"):
        tone(name, length_s=0.1)
    (tmp_path / "music" / "notes.txt").write_text("no music", encoding="utf-8")
    assert [track.title for track in tracks_at(tmp_path / "music")] == ["a", "b", "c"]


def test_a_playlist_is_read_and_its_missing_files_are_left_out(tone: ToneMaker, tmp_path: Path) -> None:
    tone("x.wav", length_s=0.1)
    playlist = tmp_path / "list.m3u"
    playlist.write_text("#EXTM3U\n#EXTINF:1,x\nx.wav\ngone.wav\n\0\n../../etc/passwd\n", encoding="utf-8")
    assert [track.title for track in tracks_at(playlist)] == ["x"]


@pytest.mark.parametrize("name", ["nothing", "empty.m3u"])
def test_where_nothing_can_be_played_it_says_so(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.m3u").write_text("", encoding="utf-8")
    with pytest.raises(PlaybackError, match="cannot be played"):
        tracks_at(tmp_path / name)

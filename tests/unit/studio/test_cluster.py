"""What this side does with workers and with what they send; the workers are threads of this process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import ClusterError, StorageError
from llm_music_gen.paths import StudioPaths, studio_paths
from llm_music_gen.settings import Settings
from llm_music_gen.sound.long.store import SegmentRow, segment_name, write_segment
from llm_music_gen.studio.cluster import admission, there
from llm_music_gen.studio.cluster.admission import Admission
from llm_music_gen.studio.cluster.files import NeededFile, find_file, pieces, receive_piece, sent_path
from llm_music_gen.studio.cluster.segments_there import SentSegment
from llm_music_gen.studio.cluster.songs import _filed, _titles_before, can_go
from llm_music_gen.studio.cluster.songs_there import SentSong
from llm_music_gen.studio.cluster.track import SegmentsElsewhere
from llm_music_gen.studio.request import GenerateRequest
from llm_music_gen.studio.soundfont_facts import SoundfontFacts
from llm_music_gen.studio.studio import Studio
from llm_music_gen.studio.versions import versions
from tests.fakes.recipes import recipe_of
from tests.fakes.tunes import theme_for

RECIPE = recipe_of(theme_for(Key("D", "minor"), Meter(4, 4), 90))
FONT = b"RIFF\x00\x00\x00\x00sfbk" + bytes(range(256)) * 40_000


class OneMachine:
    """Carries out every call here, at once."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.spoil: Callable[[Any], Any] = lambda result: result

    def workers(self) -> Mapping[str, int]:
        return {"tcp://10.0.0.1:1": 1}

    def submit(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        self.calls.append(function.__name__)
        future: Future[Any] = Future()
        try:
            future.set_result(self.spoil(function(*arguments)))
        except Exception as error:  # as Dask hands an error on
            future.set_exception(error)
        return future

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def font(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A soundfont that only this side has."""
    path = tmp_path / "mine" / "own.sf2"
    path.parent.mkdir()
    path.write_bytes(FONT)
    monkeypatch.setattr(there, "soundfont_facts", lambda font, cache: SoundfontFacts("", f"as {font.checksum()[:4]}"))
    return path


def needed(path: Path) -> NeededFile:
    return NeededFile.of("soundfont", path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_soundfont_is_sent_once_and_found_by_its_checksum_afterwards(font: Path) -> None:
    machine, file = OneMachine(), needed(font)
    admit = Admission({file: font}, f"as {file.sha256[:4]}")
    assert admit(machine, "tcp://10.0.0.1:1") == ""
    assert machine.calls.count("receive") == -(-len(FONT) // (4 << 20))
    found = find_file(file, studio_paths())
    assert found is not None and found.read_bytes() == FONT
    machine.calls.clear()
    assert admit(machine, "tcp://10.0.0.1:2") == ""
    assert machine.calls == ["introduce"]


def test_a_soundfont_of_the_worker_s_own_is_found_under_any_name(font: Path) -> None:
    own = studio_paths().soundfonts_dir / "quite another.sf2"
    own.parent.mkdir(parents=True)
    own.write_bytes(FONT)
    (own.parent / "as large.sf2").write_bytes(FONT[:-1] + b"x")
    assert find_file(needed(font), studio_paths()) == own


def test_a_worker_that_renders_differently_is_refused(font: Path) -> None:
    machine = OneMachine()
    reason = Admission({needed(font): font}, "as it never was")(machine, "tcp://10.0.0.1:1")
    assert reason.startswith("It renders differently (")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"versions": {"llm-music-gen": "0.0.1"}}, "It has Llm-Music-Gen 0.0.1, and this is"),
        ({"versions": {**versions(), "lameenc": "0.1"}}, "It has other versions (lameenc 0.1 there, "),
        ({"segment_frames": 44_100}, "Its segments have another length."),
    ],
)
def test_a_worker_with_another_program_is_refused_before_anything_is_sent(
    changed: dict[str, Any], reason: str, font: Path
) -> None:
    machine = OneMachine()
    machine.spoil = lambda result: replace(result, **changed) if isinstance(result, there.Introduction) else result
    assert Admission({needed(font): font}, "", True)(machine, "tcp://10.0.0.1:1").startswith(reason)
    assert "receive" not in machine.calls


def test_a_worker_that_does_not_answer_is_given_up(font: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(OneMachine):
        def workers(self) -> Mapping[str, int]:
            return {}

        def submit(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
            return Future()

    monkeypatch.setattr(admission, "_LOOK_EVERY_S", 0.01)
    with pytest.raises(ClusterError, match="does not answer"):
        Admission({needed(font): font}, "")(Gone(), "tcp://10.0.0.1:1")


def test_a_file_that_was_damaged_on_the_way_never_gets_its_name(font: Path, tmp_path: Path) -> None:
    paths, file = StudioPaths(tmp_path / "there", tmp_path / "models"), needed(font)
    with pytest.raises(StorageError, match="damaged while it was sent"):
        for offset, data in pieces(font):
            receive_piece(file, "a", offset, bytes([data[0] ^ 1]) + data[1:], paths)
    assert list((paths.cache_dir / "sent").iterdir()) == []
    for offset, data in pieces(font):  # two senders at a time do not disturb each other
        receive_piece(file, "a", offset, data, paths)
        receive_piece(file, "b", offset, data, paths)
    assert [path.name for path in (paths.cache_dir / "sent").iterdir()] == [f"{file.sha256}.sf2"]


@pytest.mark.parametrize("sha256", ["../../evil", "", "A" * 64, "0" * 63])
def test_what_is_announced_from_elsewhere_names_no_place(sha256: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        sent_path(NeededFile("model", "x.gguf", sha256, 1), StudioPaths(tmp_path, tmp_path))
    named = sent_path(NeededFile("model", "../x.exe", "0" * 64, 1), StudioPaths(tmp_path, tmp_path))
    assert named == tmp_path / "cache" / "sent" / f"{'0' * 64}.gguf"


def a_segment(folder: Path) -> SentSegment:
    folder.mkdir(exist_ok=True)
    sha256 = write_segment(folder, 4, np.zeros((100, 2), dtype=np.float32))
    return SentSegment(SegmentRow(4, sha256, 0.0, (), {}), (folder / segment_name(4)).read_bytes())


def test_only_segments_that_are_what_they_say_are_filed(tmp_path: Path) -> None:
    sent = a_segment(tmp_path / "there")
    filing = SegmentsElsewhere(OneMachine(), tmp_path, RECIPE, {}, tmp_path, SoundfontFacts("", ""))
    for index, bad in (
        (4, None), (4, b"x"), (5, sent), (4, replace(sent, data=sent.data[:-1])), (4, replace(sent, data=b"x" + sent.data[1:])),
    ):  # fmt: skip
        assert filing._filed(index, bad) is None
        assert not (tmp_path / segment_name(4)).exists()
    assert filing._filed(4, sent) == sent.row
    assert (tmp_path / segment_name(4)).read_bytes() == sent.data


def a_song() -> SentSong:
    files = {"recipe.json": RECIPE.to_json().encode("utf-8"), "Waltz.flac": b"sound", "stems/Waltz - Bass.wav": b"bass"}
    return SentSong(files, {name: hashlib.sha256(data).hexdigest() for name, data in files.items()})


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/evil.txt", "a/b.txt", "stems/../../x.wav", "CON.txt", ".hidden", "C:\\x.txt", "x", "x.", "x.a/b"]
)
def test_songs_with_names_that_no_song_has_are_not_filed(name: str, tmp_path: Path) -> None:
    sent = a_song()
    evil = SentSong({**sent.files, name: b"x"}, {**sent.sha256, name: hashlib.sha256(b"x").hexdigest()})
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings()) as studio:
        assert _filed(evil, studio, GenerateRequest(("jazz",))) is None
        assert studio.library.songs() == ()
    assert not list(tmp_path.rglob("evil*"))


def test_songs_are_filed_whole_or_not_at_all(tmp_path: Path) -> None:
    sent, request = a_song(), GenerateRequest(("jazz",), output_dir=str(tmp_path / "out"))
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings()) as studio:
        spoilt = SentSong({**sent.files, "Waltz.flac": b"soUnd"}, sent.sha256)
        for bad in (None, spoilt, SentSong({}, {}), SentSong({"recipe.json": b"{}"}, {"recipe.json": _sha(b"{}")})):
            assert _filed(bad, studio, request) is None
        outcome = _filed(sent, studio, request)
        assert outcome is not None and outcome.song is not None
        [song] = studio.library.songs()
        assert {path.name for path in song.folder.iterdir()} == {"recipe.json", "Waltz.flac", "stems"}
        assert (tmp_path / "out").is_dir()
        (tmp_path / "no folder").write_text("", encoding="utf-8")
        lost = _filed(sent, studio, replace(request, output_dir=str(tmp_path / "no folder")))
        assert lost is not None and "cannot be copied" in lost.error
        failed = _filed(SentSong({}, {}, "It broke."), studio, request)
        assert failed is not None and failed.error == "It broke."


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_titles_of_a_row_are_numbered_before_any_song_is_made() -> None:
    assert _titles_before(GenerateRequest(("jazz",), songs=3, title="Waltz")) == ("Waltz", "Waltz 2")
    assert _titles_before(GenerateRequest(("jazz",), songs=3)) == ("", "")


def test_hours_and_models_on_servers_stay_on_this_machine(tmp_path: Path) -> None:
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings()) as studio:
        song = GenerateRequest(("jazz",), length="3")
        assert can_go(song, studio)
        for other in (
            replace(song, length="8:00"), replace(song, night=True), replace(song, model="server"),
            replace(song, server="http://127.0.0.1:1/v1"), replace(song, theme_model="server:x"),
        ):  # fmt: skip
            assert not can_go(other, studio)

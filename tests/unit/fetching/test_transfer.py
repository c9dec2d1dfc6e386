"""One file, over connections that break, servers that lie and disks that are full."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import pytest

from llm_music_gen.domain.progress import Progress, finish
from llm_music_gen.errors import DownloadError, StorageError
from llm_music_gen.fetching.part import PartFile
from llm_music_gen.fetching.remote import RemoteFile, size_words
from llm_music_gen.fetching.transfer import Manners, fetch
from llm_music_gen.fetching.web import check_address
from tests.fakes.hub_server import Hub, running_hub

CONTENT = np.random.default_rng(1).bytes(1_500_000)
HASTE = Manners(pauses_s=(0.01, 0.01, 0.01), silence_s=0.4)
NAME = "plain/sound.sf2"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub({NAME: CONTENT}) as server:
        yield server


def remote(hub: Hub, *, checked: bool = True, size_bytes: int = len(CONTENT)) -> RemoteFile:
    sha256 = hashlib.sha256(CONTENT).hexdigest() if checked else ""
    return RemoteFile(f"{hub.address}/{NAME}", "sound.sf2", size_bytes, sha256)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_leaves_nothing_beside_it(hub: Hub, tmp_path: Path) -> None:
    reports: list[Progress] = []
    work = fetch(remote(hub), tmp_path / "new", HASTE)
    try:
        while True:
            reports.append(next(work))
    except StopIteration as stop:
        place = stop.value
    assert place.read_bytes() == CONTENT
    assert names(tmp_path / "new") == ["sound.sf2"]
    fractions = [report.fraction for report in reports if report.stage == "download"]
    assert fractions == sorted(fractions) and fractions[0] == 0.0 and fractions[-1] == 1.0
    assert reports[0].detail["total_bytes"] == len(CONTENT)


@pytest.mark.parametrize("checked", [True, False])
def test_a_connection_that_breaks_is_continued_where_it_broke(hub: Hub, tmp_path: Path, checked: bool) -> None:
    hub.break_after = [400_000, 1, 700_000, 0, 0]
    place = finish(fetch(remote(hub, checked=checked), tmp_path, HASTE))
    assert place.read_bytes() == CONTENT
    assert hub.sent_bytes == len(CONTENT), "every byte came once"
    assert hub.offsets == sorted(hub.offsets) and len(hub.offsets) == 6


def test_a_server_without_ranges_is_asked_from_the_start(hub: Hub, tmp_path: Path) -> None:
    hub.ranges = False
    hub.break_after = [600_000]
    assert finish(fetch(remote(hub), tmp_path, HASTE)).read_bytes() == CONTENT
    assert hub.offsets == [0, 0]


def test_a_server_that_falls_silent_is_asked_again(hub: Hub, tmp_path: Path) -> None:
    hub.silent_after = [250_000]
    assert finish(fetch(remote(hub), tmp_path, HASTE)).read_bytes() == CONTENT
    assert hub.offsets == [0, 250_000]
    hub.silent_after = [0] * 9
    with pytest.raises(DownloadError, match="fell silent"):
        finish(fetch(remote(hub), tmp_path / "again", Manners(pauses_s=(0.01,), silence_s=0.1)))


def test_errors_that_pass_are_waited_out(hub: Hub, tmp_path: Path) -> None:
    hub.transfer_errors = [500, 503, 429]
    messages = []
    work = fetch(remote(hub), tmp_path, HASTE)
    try:
        while True:
            messages.append(next(work).message)
    except StopIteration:
        pass
    assert any("error 503; trying again" in message for message in messages)
    assert names(tmp_path) == ["sound.sf2"]


def test_what_has_arrived_is_kept_when_it_is_given_up(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [500_000, 0, 0, 0]
    with pytest.raises(DownloadError, match=r"broke off\. What has arrived is kept"):
        finish(fetch(remote(hub), tmp_path, HASTE))
    assert names(tmp_path) == ["sound.sf2.part", "sound.sf2.part.json"]
    sent = hub.sent_bytes
    assert finish(fetch(remote(hub), tmp_path, HASTE)).read_bytes() == CONTENT
    assert hub.sent_bytes - sent == len(CONTENT) - 500_000
    assert names(tmp_path) == ["sound.sf2"]


def test_cancelling_leaves_a_part_that_is_continued(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [300_000]
    work = fetch(remote(hub), tmp_path, Manners(pauses_s=(30.0,)))
    while "trying again" not in next(work).message:
        pass
    work.close()
    assert (tmp_path / "sound.sf2.part").stat().st_size == 300_000
    assert not (tmp_path / "sound.sf2").exists()
    assert finish(fetch(remote(hub), tmp_path, HASTE)).read_bytes() == CONTENT
    assert hub.offsets == [0, 300_000]


def test_a_part_of_another_file_is_not_continued(hub: Hub, tmp_path: Path) -> None:
    part = PartFile(tmp_path / "sound.sf2")
    part.path.write_bytes(b"x" * 1000)
    part.note("another", '"etag"')
    assert finish(fetch(remote(hub), tmp_path, HASTE)).read_bytes() == CONTENT
    assert hub.offsets == [0]


def test_a_file_that_changed_meanwhile_is_fetched_anew(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [500_000]
    work = fetch(remote(hub, checked=False, size_bytes=0), tmp_path, Manners(pauses_s=(30.0,)))
    while "trying again" not in next(work).message:
        pass
    work.close()
    hub.files[NAME] = CONTENT[::-1]
    place = finish(fetch(remote(hub, checked=False, size_bytes=0), tmp_path, HASTE))
    assert place.read_bytes() == CONTENT[::-1]


def test_a_wrong_checksum_is_deleted_with_a_sentence(hub: Hub, tmp_path: Path) -> None:
    hub.lie_about[NAME] = CONTENT[:-1] + b"!" if CONTENT[-1:] != b"!" else CONTENT[:-1] + b"?"
    with pytest.raises(DownloadError, match=r"^sound\.sf2 arrived damaged .* was deleted; ask again\.$"):
        finish(fetch(remote(hub), tmp_path, HASTE))
    assert names(tmp_path) == []


def test_another_size_is_refused_before_a_byte_is_written(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="should have 7 bytes, but the server offers 1,500,000"):
        finish(fetch(remote(hub, size_bytes=7), tmp_path, HASTE))
    assert names(tmp_path) == []


def test_a_web_page_is_no_file(hub: Hub, tmp_path: Path) -> None:
    hub.web_page = True
    with pytest.raises(DownloadError, match="web page instead"):
        finish(fetch(remote(hub), tmp_path, HASTE))
    assert "sound.sf2" not in names(tmp_path)


@pytest.mark.parametrize(("code", "words"), [(401, "HF_TOKEN"), (403, "HF_TOKEN"), (404, "not there"), (418, "error 418")])
def test_refusals_are_said_at_once(hub: Hub, tmp_path: Path, code: int, words: str) -> None:
    hub.transfer_errors = [code]
    with pytest.raises(DownloadError, match=words):
        finish(fetch(remote(hub), tmp_path, HASTE))
    assert hub.asked["transfer"] == 1


def test_a_whole_file_is_not_fetched_again_and_another_one_not_overwritten(hub: Hub, tmp_path: Path) -> None:
    finish(fetch(remote(hub), tmp_path, HASTE))
    finish(fetch(remote(hub), tmp_path, HASTE))
    assert hub.asked["transfer"] == 1
    (tmp_path / "sound.sf2").write_bytes(b"my own")
    with pytest.raises(StorageError, match="is another file"):
        finish(fetch(remote(hub), tmp_path, HASTE))
    assert (tmp_path / "sound.sf2").read_bytes() == b"my own"


def test_room_is_looked_for_first(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10**9, 0, 500_900_000))
    with pytest.raises(StorageError, match=r"has 501 MB free, but 502 MB are needed"):
        finish(fetch(remote(hub), tmp_path, HASTE))
    assert hub.asked["transfer"] == 0
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_is_said_and_the_rest_comes_later(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = [600_000]

    def write(file: IO[bytes], block: bytes) -> None:
        room[0] -= len(block)
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        file.write(block)

    with monkeypatch.context() as patch:
        patch.setattr("llm_music_gen.fetching.transfer._write", write)
        with pytest.raises(StorageError, match=r"is full; free some space and ask again"):
            finish(fetch(remote(hub), tmp_path, HASTE))
    kept = (tmp_path / "sound.sf2.part").stat().st_size
    assert 0 < kept <= 600_000
    assert finish(fetch(remote(hub), tmp_path, HASTE)).read_bytes() == CONTENT
    assert hub.offsets == [0, kept]


def test_two_at_once_do_not_write_into_one_part(hub: Hub, tmp_path: Path) -> None:
    hub.break_after = [1000]
    first = fetch(remote(hub), tmp_path, Manners(pauses_s=(30.0,)))
    while "trying again" not in next(first).message:
        pass
    with pytest.raises(DownloadError, match="another window"):
        finish(fetch(remote(hub), tmp_path, HASTE))
    first.close()


def test_a_server_that_cannot_be_reached_is_named(hub: Hub, tmp_path: Path) -> None:
    nobody = RemoteFile("http://127.0.0.1:9/sound.sf2", "sound.sf2", 10)
    with pytest.raises(DownloadError, match="no connection"):
        finish(fetch(nobody, tmp_path, HASTE))


@pytest.mark.parametrize(
    "address",
    ["http://example.org/a", "https://[x/a", "https://é.org/a", "ftp://127.0.0.1/a", "file:///etc/passwd", "https:///a", "a", ""],
)
def test_only_https_and_this_computer_are_asked(address: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="not an https address"):
        check_address(address)
    with pytest.raises(DownloadError):
        finish(fetch(RemoteFile(address, "a", 1), tmp_path, HASTE))


def test_sizes_are_written_as_shops_write_them() -> None:
    assert [size_words(size) for size in (5_530_000_000, 63_201_294, 4_890, 3)] == ["5.53 GB", "63 MB", "5 kB", "1 kB"]

"""R5 and R21: a disk that fills up, refuses or is gone, at any moment: no wrong file, one sentence, and then the same bytes."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import DiskMissing, StorageError
from llm_music_gen.jobs.queue import JobQueue
from llm_music_gen.jobs.worker import QueueFiles
from llm_music_gen.settings import Settings, load_settings, save_settings
from llm_music_gen.sound.encode import encode
from llm_music_gen.studio.long import make, waiting
from tests.reliability.faults import ROOM, Step, Watch, refuse
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled
from tests.reliability.track import RATE, ended, failed, failure, fresh, open_studio, resumed, track_in, waits

linux = pytest.mark.skipif(sys.platform != "linux", reason="the trial finds out what is flushed by /proc")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes, where the system lets us have one."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mounted = sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount")
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if not mounted or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no disk of our own can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_really_fills_up_leaves_nothing_wrong(
    planned: Path, undisturbed: dict[str, str], tiny_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "check_space", lambda folder, needed: None)
    home, ballast = tiny_disk / "home", tiny_disk / "ballast"
    count, refused = scaled(24, 3), 0
    for number in range(count):
        fresh(home, planned)
        free = shutil.disk_usage(tiny_disk).free
        ballast.write_bytes(bytes(max(0, free - 150_000 - 1_900_000 * number // count)))
        sentence = failed(home) if waits(home) else ""
        if sentence:
            refused += 1
            assert str(home) in sentence
            assert not list((home / "data").glob("songs/*"))
        ballast.unlink()
        roomy = tmp_path / f"roomy{number}"
        shutil.copytree(home, roomy)
        assert ended(roomy) == undisturbed
        shutil.rmtree(roomy)
    said = f"{refused} refused of {count} sizes, all the same in the end"
    Figure("R5", "a disk (tmpfs) with too little room", "same bytes after room is made", said, refused > 0).record()


def test_the_queue_waits_for_room_and_loses_nothing(tiny_disk: Path) -> None:
    files = QueueFiles(tiny_disk / "studio.sqlite", tiny_disk / "jobs")
    client = JobQueue(files, None)
    uids = [client.submit("crash", f"Job {number}", {"times": 0}) for number in range(3)]
    client.close()
    ballast = tiny_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))
    command = [sys.executable, "-m", "tests.fakes.job_worker", str(files.database_file), str(files.jobs_dir)]
    errors = tiny_disk.with_name("errors")
    with errors.open("wb") as heard:
        worker = subprocess.Popen(command, stderr=heard)
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(scaled(10, 2))
    waited = worker.poll() is None
    ballast.unlink()
    worker.wait(60)
    client = JobQueue(files, None)
    states = [client.job(uid).state.value for uid in uids]
    client.close()
    measured = f"{'waits' if waited else 'ended'}; {', '.join(states)}"
    required = "waits; done, done, done"
    assert b"Traceback" not in errors.read_bytes(), errors.read_text(encoding="utf-8")
    Figure("R5", "the queue on a disk without any room", required, measured, measured == required).record()


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")
def test_a_limit_on_the_size_of_files_is_met_in_one_sentence(home: Path, planned: Path, undisturbed: dict[str, str]) -> None:
    import resource
    import signal

    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = range(40_000, 2_400_000, scaled(40_000, 790_000))
    refused = 0
    for limit in limits:
        fresh(home, planned)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
            sentence = failed(home)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        if sentence:
            refused += 1
            assert str(home) in sentence
            assert not list((home / "data").glob("songs/*"))
        assert ended(home) == undisturbed
    signal.signal(signal.SIGXFSZ, handler)
    said = f"{refused} refused of {len(limits)} limits, all the same in the end"
    Figure("R5", "RLIMIT_FSIZE (EFBIG)", "same bytes after it is lifted", said, refused > 0).record()


@linux
def test_settings_that_cannot_be_written_leave_the_old_ones(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    save_settings(Settings(), file)
    old = file.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        watch = Watch(patch, tmp_path)
        save_settings(Settings(song_length="7m"), file)
    count = 0
    replaced = [each.kind for each in watch.steps].index("replace")
    for step in [each for each in watch.steps[:replaced] if each.kind in ROOM]:
        file.write_bytes(old)

        def fails(each: Step, at: int = step.number) -> None:
            if each.number >= at and each.kind in ROOM:
                refuse(each, errno.ENOSPC)

        with pytest.MonkeyPatch.context() as patch, pytest.raises(StorageError, match=re.escape(str(file))):
            Watch(patch, tmp_path, fails)
            save_settings(Settings(song_length="7m"), file)
        assert file.read_bytes() == old
        assert [path.name for path in tmp_path.iterdir()] == [file.name]
        count += 1
    assert load_settings(file) == Settings()
    Figure("R5", "ENOSPC while settings are written", "the old ones stay", f"{count} of {count}", count > 0).record()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("name", ["wav", "flac", "opus", "mp3"])
def test_every_format_notices_a_device_that_is_always_full(tmp_path: Path, name: str) -> None:
    (tmp_path / f"song.{name}.part").symlink_to("/dev/full")
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (RATE, 2)).astype(np.float32)
    with pytest.raises(DiskMissing, match=rf"no room for song\.{name} in {re.escape(str(tmp_path))}"):
        finish(encode([noise], RATE, tmp_path / f"song.{name}", name))
    assert not list(tmp_path.iterdir())
    Figure("R5", f"/dev/full as {name}", "noticed, nothing left", "noticed, nothing left", holds=True).record()


def test_without_room_it_says_what_is_missing_and_goes_on_later(
    home: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(home)
    with monkeypatch.context() as patch, open_studio(home) as studio:
        patch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1_000_000))
        sentence = failure(finish(studio.resume(track_in(home))))
    assert re.search(r"has 0\.0 GB free, but the track needs 0\.2 GB", sentence)
    assert not list((home / "data").glob("songs/*"))
    assert resumed(home) == undisturbed


@pytest.mark.parametrize("lost", ["unplugged", "full"])
def test_a_disk_that_is_gone_for_a_while_pauses_the_track(
    home: Path, planned: Path, undisturbed: dict[str, str], monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """The folder of the home is taken away amid the work, or full, and comes back; at several moments."""
    monkeypatch.setattr(waiting, "PATIENCE_S", 60.0)
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.01)
    away = home.with_name("away")
    moments, paused = scaled(12, 3), 0
    usage = shutil.disk_usage(home)
    for moment in range(moments):
        fresh(home, planned)
        wholes: list[float] = []
        looked = 0
        with monkeypatch.context() as patch, open_studio(home) as studio, closing(studio.resume(track_in(home))) as work:
            for number, report in enumerate(work):
                wholes.append(report.detail.get("whole", 1.0))
                if number == 2 + moment:
                    if lost == "unplugged":
                        home.rename(away)
                    else:
                        patch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1))
                        patch.setattr("llm_music_gen.disk.sync", _no_room)
                elif "paused" in report.detail:
                    looked += 1
                    assert "Paused." in report.message
                    if looked == 3 and lost == "unplugged":
                        shutil.rmtree(home, ignore_errors=True)
                        away.rename(home)
                    elif looked == 3:
                        patch.undo()
                        patch.setattr(waiting, "PATIENCE_S", 60.0)
        assert wholes == sorted(wholes), "the bar went back"
        if looked:
            paused += 1
        if away.exists():  # it was finished before anything was missed
            shutil.rmtree(home, ignore_errors=True)
            away.rename(home)
        assert ended(home) == undisturbed
    said = f"{paused} pauses, {moments} of {moments} the same"
    Figure("R21", f"the disk is {lost} amid the work", "pauses, says so, goes on to the same bytes", said, paused > 0).record()


def _no_room(file: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

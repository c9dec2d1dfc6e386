"""Fetches one file: goes on where it broke off, checks what came, and only then gives it its name.

The hub's own library deletes what has arrived when a download is cancelled or given up (seen in 2.4), so the bytes come by this
module, from the hub and from elsewhere alike. A cancelled, broken or killed download leaves `NAME.part`; asking again goes on.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import re
import shutil
import time
import urllib.error
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import DownloadError, StorageError
from llm_music_gen.fetching.part import PartFile
from llm_music_gen.fetching.remote import RemoteFile, size_words
from llm_music_gen.fetching.web import SILENCE_S, open_address

#: Space that stays free beside the file.
RESERVE_BYTES = 500_000_000
#: Waits between attempts; a byte that arrives begins the list anew.
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
REPORT_EVERY_S = 0.25
BLOCK_BYTES = 256 * 1024
#: Refusals that pass by themselves.
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$")


@dataclass(frozen=True, slots=True)
class Manners:
    """How patient a download is, and as whom it asks."""

    token: str = ""
    """For the address's own host."""
    pauses_s: Sequence[float] = PAUSES_S
    silence_s: float = SILENCE_S


class _Passing(Exception):
    """Something that may be gone at the next attempt; its text is the reason, as part of a sentence."""


def fetch(remote: RemoteFile, folder: Path, manners: Manners = Manners()) -> Work[Path]:
    """Have `remote` in `folder`, and return its place. A whole file that is there already is not fetched again.

    Yields "download" with `detail` of bytes, total_bytes and left_s, then "check".

    Raises DownloadError: not there, not allowed, not reachable, not what it should be (then deleted); StorageError: no room, a
    folder that cannot be written, another file of that name.
    """
    target = folder / remote.name
    part = PartFile(target)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if target.exists():
            yield from _recognise(target, remote)
            return target
        with part.opened() as file:
            size_bytes = yield from _receive(remote, part, file, manners)
            problem = yield from _check(file, remote, size_bytes)
        if problem:
            part.drop()
            raise DownloadError(problem)
        part.finish()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise StorageError(f"The disk of {folder} is full; free some space and ask again, it goes on from here.") from error
        raise StorageError(
            f"{target} cannot be written ({error.strerror or error}).", hint="Check the folder's rights."
        ) from error
    yield Progress("check", 1.0, f"{remote.name} is here")
    return target


def _recognise(target: Path, remote: RemoteFile) -> Work[None]:
    """Make sure that the file that is there is the one that was asked for; it is never overwritten."""
    size_bytes = target.stat().st_size if target.is_file() else -1
    same = size_bytes == remote.size_bytes if remote.size_bytes else size_bytes > 0
    if same and (remote.sha256 or remote.git_sha1):
        with target.open("rb") as file:
            same = (yield from _sum_of(file, remote, size_bytes)) == (remote.sha256 or remote.git_sha1)
    if not same:
        raise StorageError(f"{target} is there already and is another file.", hint="Move or rename it, and ask again.")
    yield Progress("check", 1.0, f"{remote.name} is here already")


def _receive(remote: RemoteFile, part: PartFile, file: IO[bytes], manners: Manners) -> Work[int]:
    """Have all bytes in the part, over as many connections as it takes. Returns how many there are."""
    have, validator = part.begun(remote.identity)
    if remote.size_bytes and have > remote.size_bytes:
        have = 0
    if remote.size_bytes and have == remote.size_bytes:
        return have
    _check_room(part.target.parent, remote.size_bytes - have)
    gauge, failures = _Gauge(remote, have), 0
    yield gauge.report()
    while True:
        before = have
        try:
            have = yield from _one_connection(remote, part, file, (have, validator), manners, gauge)
            return have
        except _Passing as problem:
            have, validator = part.begun(remote.identity)
            failures = 1 if have > before else failures + 1
            if failures > len(manners.pauses_s):
                raise DownloadError(
                    f"{remote.name} could not be fetched: {problem}.",
                    hint="What has arrived is kept; ask again later." if have else None,
                ) from problem
            yield from _wait(manners.pauses_s[failures - 1], gauge, str(problem))


def _one_connection(
    remote: RemoteFile, part: PartFile, file: IO[bytes], begun: tuple[int, str], manners: Manners, gauge: _Gauge
) -> Work[int]:
    """Receive what one connection gives. Returns the size when all is there; raises _Passing when it broke off."""
    have, validator = begun
    checked = bool(remote.sha256 or remote.git_sha1)
    try:
        answer = open_address(
            remote.address,
            offset=have if checked or validator else 0,
            validator="" if checked else validator,
            token=manners.token,
            silence_s=manners.silence_s,
        )
    except urllib.error.HTTPError as refusal:
        refusal.close()
        if refusal.code == 416:  # what is here is no beginning of what is there
            part.drop_note()
            raise _Passing("the server cannot go on from here") from refusal
        raise _refused(remote, refusal.code) from refusal
    except (OSError, http.client.HTTPException) as error:
        raise _Passing(_reason(error)) from error
    with answer:
        start, total = _span(answer, remote)
        if not total:
            raise DownloadError(f"The server does not say how large {remote.name} is, so it is not fetched.")
        if remote.size_bytes and total != remote.size_bytes:
            raise DownloadError(
                f"{remote.name} should have {remote.size_bytes:,} bytes, but the server offers {total:,}; it is not fetched."
            )
        if start > have:
            raise _Passing("the server left out a piece")
        file.truncate(start)
        _check_room(part.target.parent, total - start)
        part.note(remote.identity, _strong(answer.headers.get("ETag", "")))
        file.seek(start)
        gauge.at(start, total)
        while start < total:
            try:
                block = answer.read1(min(BLOCK_BYTES, total - start))  # what has come, however little; `read` would lose it
            except (OSError, http.client.HTTPException) as error:
                raise _Passing(_reason(error)) from error
            if not block:
                raise _Passing("the connection broke off")
            _write(file, block)
            start += len(block)
            if gauge.is_due(start):
                yield gauge.report()
    return total


def _span(answer: http.client.HTTPResponse, remote: RemoteFile) -> tuple[int, int]:
    """(first byte that comes, size of the whole file; 0 when it is not said). Raises DownloadError for a web page."""
    if answer.headers.get_content_type() in ("text/html", "application/xhtml+xml") and not remote.name.endswith(
        (".html", ".htm")
    ):
        raise DownloadError(f"The server sent a web page instead of {remote.name}; perhaps somebody has to log in first.")
    if answer.status == 206:
        match = _RANGE.match(answer.headers.get("Content-Range", ""))
        if match is None:
            raise _Passing("the server did not say which piece it sent")
        return int(match[1]), int(match[3]) if match[3] != "*" else remote.size_bytes
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else remote.size_bytes


def _strong(etag: str) -> str:
    """An ETag by which a part can be continued, otherwise ""."""
    return "" if etag.startswith("W/") else etag[:200]


def _write(file: IO[bytes], block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]


def _refused(remote: RemoteFile, code: int) -> Exception:
    if code in _PASSING:
        return _Passing(f"the server answered with error {code}")
    if code in (401, 403):
        return DownloadError(
            f"The server gives {remote.name} only to people who have agreed to its terms or logged in (error {code}).",
            hint="Agree on its page, and put a token into the environment variable HF_TOKEN.",
        )
    if code in (404, 410):
        return DownloadError(f"{remote.name} is not there any more (error {code}).")
    return DownloadError(f"The server refused {remote.name} with error {code}.")


def _reason(error: BaseException) -> str:
    """Why a connection failed, as part of a sentence."""
    cause = getattr(error, "reason", error)
    if isinstance(cause, TimeoutError):
        return "the server fell silent"
    if isinstance(cause, http.client.IncompleteRead):
        return "the connection broke off"
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return f"no connection ({str(text).splitlines()[0][:120]})"


def _wait(pause_s: float, gauge: _Gauge, why: str) -> Work[None]:
    """Wait in small pieces, so that cancelling is heard."""
    end_s = time.monotonic() + pause_s
    while (left_s := end_s - time.monotonic()) > 0:
        yield gauge.report(f"{why[0].upper()}{why[1:]}; trying again")
        time.sleep(min(REPORT_EVERY_S, left_s))


def _check_room(folder: Path, more_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    needed_bytes = max(0, more_bytes) + RESERVE_BYTES
    if free_bytes < needed_bytes:
        raise StorageError(
            f"The folder {folder} has {size_words(free_bytes)} free, but {size_words(needed_bytes)} are needed.",
            hint="Free some space, and ask again.",
        )


def _check(file: IO[bytes], remote: RemoteFile, size_bytes: int) -> Work[str]:
    """Compare what is on the disk with the checksum. Returns what is wrong, "" if nothing is."""
    os.fsync(file.fileno())
    wanted = remote.sha256 or remote.git_sha1
    if not wanted:
        return ""
    file.seek(0)
    found = yield from _sum_of(file, remote, size_bytes)
    if found == wanted:
        return ""
    sums = f"its checksum is {found[:12]}... instead of {wanted[:12]}..."
    return f"{remote.name} arrived damaged ({sums}) and was deleted; ask again."


def _sum_of(file: IO[bytes], remote: RemoteFile, size_bytes: int) -> Work[str]:
    """The checksum of the kind that `remote` has, with reports: 5 GB take a while to read."""
    digest = hashlib.sha256() if remote.sha256 else hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)
    done, said_s = 0, time.monotonic()
    while block := file.read(4 * BLOCK_BYTES):
        digest.update(block)
        done += len(block)
        if time.monotonic() - said_s >= REPORT_EVERY_S:
            said_s = time.monotonic()
            yield Progress("check", min(1.0, done / max(1, size_bytes)), f"Checking {remote.name}")
    return digest.hexdigest()


class _Gauge:
    """How far a download is, how fast, and how long it will still take."""

    def __init__(self, remote: RemoteFile, have: int) -> None:
        self._remote = remote
        self._have, self._total = have, remote.size_bytes
        self._marks = [(time.monotonic(), have)]
        self._said_s = 0.0
        self._reached = 0.0

    def at(self, have: int, total: int) -> None:
        """A connection begins there."""
        self._have, self._total = have, total
        self._marks = [(time.monotonic(), have)]

    def is_due(self, have: int) -> bool:
        """Take note of what is here, and say whether it is time for a report."""
        self._have = have
        now_s = time.monotonic()
        if have < self._total and now_s - self._said_s < REPORT_EVERY_S:
            return False
        self._said_s = now_s
        self._marks = [*self._marks[-40:], (now_s, have)]
        return True

    def report(self, note: str = "") -> Progress:
        """What there is to say."""
        elapsed_s = self._marks[-1][0] - self._marks[0][0]
        rate = (self._marks[-1][1] - self._marks[0][1]) / elapsed_s if elapsed_s > 0.5 else 0.0
        left_s = (self._total - self._have) / rate if rate > 0 else None
        self._reached = max(self._reached, self._have / self._total if self._total else 0.0)
        message = f"{self._remote.name}: {size_words(self._have)} of {size_words(self._total) if self._total else '?'}"
        message += f", {size_words(rate)} a second" if rate else ""
        detail = {"bytes": self._have, "total_bytes": self._total, **({} if left_s is None else {"left_s": left_s})}
        return Progress("download", min(1.0, self._reached), f"{message}. {note}" if note else message, detail)

"""Whether a worker may take part: the same program, every file, and exactly the same rendering."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llm_music_gen.domain.machines import Machines
from llm_music_gen.errors import ClusterError
from llm_music_gen.sound.long import store
from llm_music_gen.studio.cluster import there
from llm_music_gen.studio.cluster.files import NeededFile, pieces, sender_name
from llm_music_gen.studio.versions import differences, differing, versions

#: A worker that imports everything for the first time from a slow disk, and a model whose checksum is read.
_ANSWER_S = 600.0
_LOOK_EVERY_S = 1.0


@dataclass
class Admission:
    """Asks each worker once and sends it what it lacks. Callable as `jobs.spread.Admit`, from several threads."""

    needed: Mapping[NeededFile, Path]
    """Every file that is used, and where it stands on this side."""
    fingerprint: str
    same_versions: bool = False
    """Whether every package has to be the same, because files are encoded there, too."""
    _hosts: dict[str, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, machines: Machines, worker: str) -> str:
        """ "" when the worker may take part, else why not. Raises ClusterError for one that does not answer."""
        known = self._ask(machines, worker)
        reason = self._other_program(known)
        if not reason and known.missing:
            # Workers of one machine may share their cache: what the first was sent the second finds.
            with self._lock_of(worker):
                known = self._ask(machines, worker)
                for file in known.missing:
                    self._send(machines, worker, file)
                known = self._ask(machines, worker) if known.missing else known
            if known.missing:
                return f"It lost {known.missing[0].name}, which it had been sent."
        if not reason and known.fingerprint != self.fingerprint:
            return f"It renders differently ({differences(known.versions)})."
        return reason

    def _other_program(self, known: there.Introduction) -> str:
        mine, its = versions()["llm-music-gen"], known.versions.get("llm-music-gen")
        if mine != its:
            return f"It has Llm-Music-Gen {its}, and this is {mine}."
        if self.same_versions and (others := differing(known.versions)):
            return f"It has other versions ({others})."
        return "" if known.segment_frames == store.SEGMENT_FRAMES else "Its segments have another length."

    def _ask(self, machines: Machines, worker: str) -> there.Introduction:
        answer = _result(machines, worker, there.introduce, tuple(self.needed))
        if not isinstance(answer, there.Introduction):
            raise ClusterError(f"The worker {worker} does not say what it is.", hint="Install the same version there.")
        return answer

    def _send(self, machines: Machines, worker: str, file: NeededFile) -> None:
        sender = sender_name()
        for offset, data in pieces(self.needed[file]):
            _result(machines, worker, there.receive, file, sender, offset, data)

    def _lock_of(self, worker: str) -> threading.Lock:
        with self._lock:
            return self._hosts.setdefault(urlsplit(worker).hostname or worker, threading.Lock())


def _result(machines: Machines, worker: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a worker answers. Raises ClusterError when it is gone or takes too long, and what the call raised."""
    future: Future[Any] = machines.submit(worker, function, *arguments)
    until = time.monotonic() + _ANSWER_S
    while True:
        try:
            return future.result(timeout=_LOOK_EVERY_S)
        except FutureTimeout:
            if future.done():
                raise
            if worker not in machines.workers() or time.monotonic() > until:
                future.cancel()
                raise ClusterError(f"The worker {worker} does not answer.", hint="Others do its part.") from None

"""Renders the segments that are missing, on all cores, and merges what was measured of them into one gain.

The list of segments goes to a `concurrent.futures.Executor`; which worker renders which makes no difference to any sample.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.errors import SoundError
from llm_music_gen.sound.long.store import SegmentRow, SegmentStore, segment_count, segment_range, write_segment
from llm_music_gen.sound.long.track import Track, TrackPlayer
from llm_music_gen.sound.loudness import LoudnessMeter, TruePeak, integrated_lufs, momentary_lufs
from llm_music_gen.sound.mix import BLOCK_FRAMES
from llm_music_gen.units import SAMPLE_RATE_HZ, gain_to_db

#: The meter's filter has settled after this much of what comes before a segment.
_SETTLE_FRAMES = SAMPLE_RATE_HZ // 10 * 8
_MOST_CRASHES = 3
#: How often the estimate is renewed while nothing is finished.
_WAIT_S = 0.5
_TEN_MINUTES = 6_000
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class TrackLoudness:
    """What the rows of all segments add up to, before the master."""

    integrated_lufs: float
    true_peak_db: float
    rises_lu: NDArray[np.float64]
    """Rise of momentary loudness within 0.4 s at each 100 ms; 0 where the track is near silence."""
    over_median_lu: NDArray[np.float64]
    """Momentary loudness over the median of the ten minutes around, at each 100 ms."""

    def gain_db(self, target_lufs: float, ceiling_dbtp: float) -> float:
        """The constant gain: to the target, as far as the peaks allow."""
        return min(target_lufs - self.integrated_lufs, ceiling_dbtp - self.true_peak_db)


#: Renders the segments with these numbers on other machines and puts their files into the track's folder, whole and verified.
#: Gives a row for each that stands there, sentences for people, and None now and then while nothing happens.
Elsewhere = Callable[[Sequence[int]], Iterator[SegmentRow | str | None]]


def render_track(
    make_track: Callable[[], Track],
    store: SegmentStore,
    frames: int,
    workers: int,
    check: Callable[[], None] = lambda: None,
    elsewhere: Elsewhere | None = None,
) -> Work[None]:
    """Render every segment that the store lacks. Yields the stage "sound"; stopping loses only segments in work.

    `make_track` is called once in every worker process and must be picklable. With 0 workers everything happens here, one
    after the other; with `elsewhere` nothing does. `check` is asked before a segment counts as done, and raises where what it was
    rendered with has changed meanwhile. Raises SoundError, StorageError, and what `elsewhere` does.
    """
    count = segment_count(frames)
    done = store.rows()
    missing = [index for index in range(count) if index not in done]
    finished = count - len(missing)
    yield Progress("sound", finished / count, f"{finished} of {count} segments")
    crashes = 0
    while missing:
        try:
            rows = elsewhere(tuple(missing)) if elsewhere else _rendered(make_track, store.folder, frames, missing, workers)
            for row in rows:
                if isinstance(row, str):
                    yield Progress("sound", finished / count, row, {"note": True})
                    continue
                if row is not None:
                    check()
                    store.add(row)
                    missing.remove(row.index)
                    finished += 1
                yield Progress("sound", finished / count, f"{finished} of {count} segments")
        except BrokenExecutor as error:
            crashes = crashed_again(crashes, "renders", error)


def crashed_again(crashes: int, what: str, error: BrokenExecutor) -> int:
    """One crash of a worker process more. Raises SoundError when there were too many to begin again."""
    if crashes >= _MOST_CRASHES:
        raise SoundError(
            f"A process that {what} ended by itself again and again.", hint="Free memory, or choose another soundfont."
        ) from error
    return crashes + 1


def track_loudness(rows: Mapping[int, SegmentRow]) -> TrackLoudness:
    """Merge the rows of all segments, in order."""
    steps = np.concatenate([np.array(rows[index].steps) for index in sorted(rows)])
    peak = max(row.true_peak for row in rows.values())
    loud = np.maximum(momentary_lufs(steps), -70.0)
    if len(loud) <= 4:
        return TrackLoudness(integrated_lufs(steps), gain_to_db(peak), np.zeros(1), np.zeros(1))
    # The ends fade on purpose; what rises out of near silence there is no event.
    heard = loud > loud.max() - 20.0
    rises = np.where(heard[:-4] & heard[4:], loud[4:] - loud[:-4], 0.0)
    return TrackLoudness(
        integrated_lufs(steps), gain_to_db(peak), rises, _over_median(loud),
    )  # fmt: skip


def processor_count() -> int:
    """Processors that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _rendered(
    make_track: Callable[[], Track], folder: Path, frames: int, missing: list[int], workers: int
) -> Iterator[SegmentRow | str | None]:
    """Rows as they are finished; None now and then while nothing is."""
    if workers <= 0:
        player = TrackPlayer(make_track(), folder)
        try:
            for index in list(missing):
                yield make_segment(player, folder, index, frames)
        finally:
            player.close()
        return
    with worker_pool(workers, _open_worker, (make_track, str(folder))) as pool:
        waiting: set[Future[SegmentRow]] = {pool.submit(_in_worker, str(folder), index, frames) for index in missing}
        try:
            while waiting:
                ready, waiting = wait(waiting, timeout=_WAIT_S, return_when=FIRST_COMPLETED)
                for future in ready:
                    yield future.result()
                if not ready:
                    yield None
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def worker_pool(
    workers: int, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[Executor]:
    """Processes that compute with one thread each: threads of the matrix library would wait for each other, and how many there
    are must not change a sample. What is in work when it is left is lost; nobody waits for it. The processes end with this one,
    however it ends: each holds the far end of a pipe, which closes when the near end is gone.
    """
    context = get_context("spawn")
    far, near = context.Pipe(duplex=False)
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))  # read by the children when they import numpy
    try:
        with ExitStack() as stack:
            pool = _Pool(workers, context, _begin_worker, (far, initializer, arguments))
            stack.callback(far.close)
            stack.callback(pool.shutdown, wait=True, cancel_futures=True)
            stack.callback(near.close)
            yield pool
            pool.shutdown(wait=True)  # whoever comes so far has waited for every result
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Pool(ProcessPoolExecutor):
    """Starts its processes with Ctrl-C held back, from their first moment on; they inherit that."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """As in every executor."""
        if sys.platform == "win32":
            return super().submit(function, *arguments, **named)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return super().submit(function, *arguments, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker(leash: Connection, initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """What every worker process does first."""
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()
    # Ctrl-C reaches every process of a terminal; the one that leads decides. On Windows it can be said only from here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if initializer is not None:
        initializer(*arguments)


def _end_with(leash: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        leash.recv_bytes()
    os._exit(0)  # files are written whole or not at all: there is nothing to tidy up first


_player: TrackPlayer | None = None


def _open_worker(make_track: Callable[[], Track], folder: str) -> None:
    global _player
    _lower_priority()
    _player = TrackPlayer(make_track(), Path(folder))


def _in_worker(folder: str, index: int, frames: int) -> SegmentRow:
    assert _player is not None
    return make_segment(_player, Path(folder), index, frames)


def make_segment(player: TrackPlayer, folder: Path, index: int, frames: int) -> SegmentRow:
    """Render, measure and write one segment. The same track and index give the same file."""
    first, length = segment_range(index, frames)
    before = min(first, _SETTLE_FRAMES)
    samples = player.stretch(first - before, before + length)
    own = samples[before:]
    meter, peak = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False), TruePeak()
    meter.push(samples[:before])
    for start in range(0, length, BLOCK_FRAMES):  # in pieces: the meter works in double precision
        meter.push(own[start : start + BLOCK_FRAMES])
        peak.push(own[start : start + BLOCK_FRAMES])
    sha256 = write_segment(folder, index, own)
    return SegmentRow(
        index, sha256, peak.value(), tuple(meter.steps()[before // (SAMPLE_RATE_HZ // 10) :].tolist()),
        {"music": float(np.abs(own).max(initial=0.0))},
    )  # fmt: skip


def _over_median(loud: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each value over the median of its own ten minutes."""
    out = np.zeros(len(loud))
    for start in range(0, len(loud), _TEN_MINUTES):
        stretch = loud[start : start + _TEN_MINUTES]
        heard = stretch[stretch > loud.max() - 20.0]
        if len(heard) > 10:
            out[start : start + _TEN_MINUTES] = stretch - np.median(heard)
    return out


def _lower_priority() -> None:
    """Rendering for hours leaves the machine to its user."""
    nice = getattr(os, "nice", None)
    if nice is not None:
        nice(5)

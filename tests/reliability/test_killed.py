"""R1 and R2: killed at random and at every named moment, a track goes on to the same bytes."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from llm_music_gen.sound.long import render
from tests.reliability.faults import Kind, Step, Watch, nothing
from tests.reliability.figures import Figure
from tests.reliability.scale import FULL, scaled
from tests.reliability.track import (
    KILLED,
    LENGTH_S,
    SEGMENT_S,
    checksums,
    ended,
    fresh,
    in_a_process,
    make_it,
    plan_in,
    swept,
    waits,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """A named moment: before, amid or after what is done to a file whose path fits."""

    when: Literal["before", "amid", "after"]
    kind: Kind
    path: str


MOMENTS = {
    "before a segment's temporary file is opened": Moment("before", "open", r"segment-.*\.part$"),
    "amid the writing of a segment": Moment("amid", "write", r"segment-.*\.part$"),
    "a segment is written, not yet on the disk": Moment("before", "fsync", r"segment-.*\.part$"),
    "a segment is on the disk, not yet renamed": Moment("after", "fsync", r"segment-.*\.part$"),
    "a segment is renamed": Moment("after", "replace", r"segment-.*\.flac$"),
    "before a segment's row is committed": Moment("before", "commit", r"segments\.sqlite$"),
    "after a segment's row is committed": Moment("after", "commit", r"segments\.sqlite$"),
    "the softer plan is written, not renamed": Moment("before", "replace", r"recipe\.json$"),
    "the softer plan is renamed": Moment("after", "replace", r"recipe\.json$"),
    "amid the writing of a chunk": Moment("amid", "write", r"chunk-.*\.part\..*$"),
    "before a chunk is renamed": Moment("before", "replace", r"chunk-.*\.part$"),
    "after a chunk is renamed": Moment("after", "replace", r"chunk-.*\.part$"),
    "amid the joining of the chunks": Moment("amid", "write", r"finished\.mp3\..*$"),
    "amid the writing of the FLAC": Moment("amid", "write", r"finished\.flac\.part$"),
    "amid the writing of tags": Moment("amid", "write", r"finished\.(mp3|flac)$"),
    "before the finished file is renamed": Moment("before", "replace", r"song/.*\.(mp3|flac)$"),
    "after the finished file is renamed": Moment("after", "replace", r"song/.*\.(mp3|flac)$"),
    "amid the writing of the song's texts": Moment("amid", "write", r"song/.*\.(json|txt|abc)$"),
    "before the song is moved into place": Moment("before", "rename", r"songs/[^/]*$"),
    "after the song is moved into place": Moment("after", "rename", r"songs/[^/]*$"),
    "amid the clearing up": Moment("after", "unlink", r"unfinished/.*\.(flac|sqlite|part)$"),
    "the folder is put aside": Moment("after", "rename", r"unfinished/\..*\.gone$"),
}


def killed_in_its_course(home: Path, moment: Moment, nth: int) -> None:
    """Make the track until the moment comes for the n-th time."""
    seen = 0

    def counted(step: Step) -> None:
        nonlocal seen
        if step.kind == moment.kind and re.search(moment.path, step.path):
            seen += 1
            if seen == nth:
                if moment.when == "amid":  # half of what is written so far stays
                    os.truncate(step.path, Path(step.path).stat().st_size // 2)
                os._exit(KILLED)

    before, after = (counted, nothing) if moment.when == "before" else (nothing, counted)
    Watch(pytest.MonkeyPatch(), home, before, after)
    make_it(home)


@pytest.mark.skipif(sys.platform != "linux", reason="the trial finds out what is flushed by /proc")
def test_killed_at_every_named_moment_it_goes_on_to_the_same_bytes(
    home: Path, planned: Path, undisturbed: dict[str, str]
) -> None:
    times, kept = scaled(5, 1), 0
    moments = list(MOMENTS.items())[:: scaled(1, 3)]
    for name, moment in moments:
        fresh(home, planned)
        for nth in range(1, times + 1):
            process = in_a_process(killed_in_its_course, home, moment, nth)
            process.join()
            if process.exitcode != KILLED:  # so often it does not come in one making
                assert process.exitcode == 0, name
                fresh(home, planned)
                process = in_a_process(killed_in_its_course, home, moment, 1)
                process.join()
                assert process.exitcode == KILLED, f"{name} never came"
            if not waits(home):
                assert swept(home) == undisturbed, name
                fresh(home, planned)
            kept += 1
        assert ended(home) == undisturbed, name
    wanted = times * len(moments)
    Figure("R2", "kills at named moments", f"{wanted} of {wanted} the same", f"{kept} of {wanted}", kept == wanted).record()


class Counted:
    """Counts in a file how many segments were begun, in whatever process."""

    def __init__(self, file: Path, function: Callable[..., object]) -> None:
        self._file = file
        self._function = function

    def __call__(self, *arguments: object) -> object:
        with self._file.open("ab") as file:
            file.write(b".")
        return self._function(*arguments)


def make_and_count(home: Path, counter: Path) -> None:
    render.make_segment = Counted(counter, render.make_segment)  # type: ignore[assignment]
    make_it(home)


def killed_at_random(home: Path, planned: Path, wanted: dict[str, str], kills: int, seed: int, counter: Path) -> tuple[int, int]:
    """Kill makings again and again until `kills` have met one alive. (tracks finished, segments begun)."""
    rng = np.random.default_rng(seed)
    started_s = time.monotonic()
    process = in_a_process(make_it, home)
    process.join()
    usual_s = time.monotonic() - started_s
    assert checksums(home) == wanted
    fresh(home, planned)
    done = finished = 0
    while done < kills:
        process = in_a_process(make_and_count, home, counter)
        process.join(float(rng.uniform(0.0, 0.7 * usual_s)))
        if process.is_alive():
            process.kill()
            done += 1
        process.join()
        if not waits(home):
            assert swept(home) == wanted
            finished += 1
            fresh(home, planned)
    if counter.exists() and waits(home):
        process = in_a_process(make_and_count, home, counter)
        process.join()
        assert checksums(home) == wanted
        finished += 1
    return finished, len(counter.read_bytes())


def test_killed_at_random_it_goes_on_to_the_same_bytes(
    home: Path, planned: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    kills, counter = scaled(200, 4), tmp_path / "begun"
    finished, begun = killed_at_random(home, planned, undisturbed, kills, 1, counter)
    # One round of evening out renders every segment of this track twice.
    redone = begun - finished * 2 * LENGTH_S // SEGMENT_S
    said = f"{kills} kills, {finished} tracks, all the same; {redone} segments rendered again"
    Figure("R1", "random SIGKILLs, short tracks", f"{kills} kills, at most as many segments", said, redone <= kills).record()


@pytest.mark.skipif(not FULL, reason="takes minutes")
def test_one_long_render_killed_at_random_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    kills, done, length_s = 200, 0, 600
    planned = plan_in(tmp_path / "planned" / "home", length=f"{length_s}s")
    calm, home, counter = tmp_path / "calm", tmp_path / "own", tmp_path / "begun"
    fresh(home, planned)
    fresh(calm, planned)
    started_s = time.monotonic()
    process = in_a_process(make_and_count, calm, counter)
    process.join()
    usual_s, wanted, needed = time.monotonic() - started_s, checksums(calm), len(counter.read_bytes())
    counter.unlink()
    rng = np.random.default_rng(7)
    while waits(home):
        process = in_a_process(make_and_count, home, counter)
        process.join(float(rng.uniform(0.0, 4.0 * usual_s / kills)) if done < kills else None)
        if process.is_alive():
            process.kill()
            done += 1
        process.join()
    assert swept(home) == wanted
    redone = len(counter.read_bytes()) - needed
    said = f"{done} kills, the same; {redone} segments rendered again"
    what = f"random SIGKILLs, one track of {length_s // SEGMENT_S} segments"
    Figure("R1", what, f"{kills} kills, at most as many segments", said, redone <= done and done == kills).record()

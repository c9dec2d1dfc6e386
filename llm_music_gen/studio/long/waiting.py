"""Around the making of a track: it waits for a disk that is full or gone, and says how long it will still take."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from llm_music_gen import disk
from llm_music_gen.domain.progress import Progress, Work
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import DiskMissing, StudioError
from llm_music_gen.sound.long.store import segment_count
from llm_music_gen.studio.long.unfinished import Unfinished, check_space, needed_bytes, segments_done

_log = logging.getLogger(__name__)
#: How long a track waits for a disk that is full or gone, and how often it looks.
PATIENCE_S = 24 * 3_600.0
LOOK_EVERY_S = 1.0
#: Share of each stage in the whole, as measured on tracks of an hour: the bar and the time left follow from it.
SHARES = {"sound": 0.44, "master": 0.005, "convert": 0.25, "files": 0.305}
#: Nothing that is reported as one step takes longer by itself.
_LONGEST_STEP_S = 15.0


def whatever_the_disk_does(work: Unfinished, making: Callable[[bool], Work[Song]], anyway: bool) -> Work[Song]:
    """Make the track; where its disk fills up or is gone meanwhile, wait until there is room or the disk is back.

    What cannot even be begun is refused at once. Reports of waiting have `detail["paused"]`, a sentence. Raises StudioError.
    """
    begun = False
    while True:
        try:
            with work.claimed(), contextlib.closing(making(anyway)) as reports:
                while True:
                    try:
                        report = next(reports)
                    except StopIteration as stop:
                        song: Song = stop.value
                        return song
                    begun = begun or report.stage != "sound" or report.fraction > 0.0
                    yield report
        except (StudioError, OSError) as error:
            missing = error if isinstance(error, StudioError) else disk.storage_error(Path(error.filename or work.folder), error)
            gone = not work.recipe_path.is_file()
            if not begun or not (gone or isinstance(missing, DiskMissing)):
                raise missing from error
            _log.warning("paused: %s", missing)
            yield from _paused(work, missing)
            anyway = False


def _paused(work: Unfinished, missing: StudioError) -> Work[None]:
    """Wait for the disk. Raises the error when it does not come back for a day."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        yield Progress("sound", 0.0, f"Paused. {missing.message}", {"paused": str(missing)})
        time.sleep(LOOK_EVERY_S)
        with contextlib.suppress(StudioError):
            recipe = work.recipe()
            count = segment_count(recipe.theme.length_frames)
            check_space(work.folder, needed_bytes(recipe, segments_done(work), count))
            return
    raise missing


def with_time_left(work: Work[Song]) -> Work[Song]:
    """The reports with `detail["whole"]`, which never goes back even when something is rendered again, and `detail["left_s"]`."""
    names = list(SHARES)
    reached, since_s, at_start = 0.0, 0.0, -1.0
    while True:
        asked_at = time.monotonic()
        try:
            report = next(work)
        except StopIteration as stop:
            song: Song = stop.value
            return song
        # A machine that slept, or a program that was stopped, has not been slow.
        if "paused" not in report.detail:
            since_s += min(_LONGEST_STEP_S, time.monotonic() - asked_at)
        before = sum(SHARES[name] for name in names[: names.index(report.stage)])
        reached = max(reached, before + SHARES[report.stage] * report.fraction)
        at_start = reached if at_start < 0.0 else at_start
        left_s = since_s / (reached - at_start) * (1.0 - reached) if reached - at_start > 0.01 else None
        yield replace(report, detail={**report.detail, "whole": reached, "left_s": left_s})

"""Reports of a song or track on its way: with their place in a batch, and of one part of the work as part of it all."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TypeVar

from llm_music_gen.domain.progress import Work
from llm_music_gen.domain.song import Song

T = TypeVar("T")


def numbered(work: Work[Song], place: dict[str, int]) -> Work[Song]:
    """A song's reports with its place in the batch."""
    with ExitStack() as stack:
        stack.callback(work.close)
        while True:
            try:
                report = next(work)
            except StopIteration as stop:
                song: Song = stop.value
                return song
            yield replace(report, detail={**report.detail, **place})


def part_of_whole(work: Work[T], start: float, end: float) -> Work[T]:
    """The reports of one part of making a track, with `detail["whole"]` between `start` and `end`."""
    while True:
        try:
            report = next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result
        share = float(report.detail.get("whole", report.fraction if report.stage == "tune" else 0.0))
        yield replace(report, detail={**report.detail, "whole": start + (end - start) * share})

"""How fast sounds are described, and whether memory stays bounded: stereo of several lengths, each in a process of its own.

    python -m benchmarks.describing_speed [--minutes 5 60]

Prints how many times real time it is and the largest memory that was used. Wanted: at least 15 times real time, and an hour in no
more than 1.5 times the memory of five minutes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from multiprocessing.queues import SimpleQueue
from pathlib import Path

from benchmarks.processing_speed import RATE_HZ, music, peak_memory_mb
from llm_music_gen.domain.progress import finish
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.describing_room import describe_file, describing_with

WANTED_TIMES, WANTED_GROWTH = 15.0, 1.5


def describe(path: Path, answer: SimpleQueue[tuple[float, float]]) -> None:
    """Seconds and megabytes that a description takes, with the ears that come along."""
    began = time.perf_counter()
    wish = describing_with(StudioPaths(path.parent / "data", path.parent / "models"), Settings(), None)
    assert wish.ears is not None, wish.deaf
    finish(describe_file(path, wish))
    answer.put((time.perf_counter() - began, peak_memory_mb()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[5.0, 60.0])
    options = parser.parse_args()
    import soundfile

    context = multiprocessing.get_context("spawn")
    least_mb = float("inf")
    for minutes in sorted(options.minutes):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "sound.wav"
            with soundfile.SoundFile(source, "w", RATE_HZ, 2, "PCM_16") as file:
                for block in music(minutes * 60):
                    file.write(block)
            answer: SimpleQueue[tuple[float, float]] = context.SimpleQueue()
            process = context.Process(target=describe, args=(source, answer))
            process.start()
            seconds, megabytes = answer.get()
            process.join()
        least_mb = min(least_mb, megabytes)
        times, growth = minutes * 60 / seconds, megabytes / least_mb
        good = times >= WANTED_TIMES and not growth > WANTED_GROWTH
        print(f"{minutes:6.1f} min: {times:6.1f} times real time, {megabytes:5.0f} MB, {growth:4.2f} times the least: "
              f"{'as wanted' if good else 'NOT as wanted'}")  # fmt: skip


if __name__ == "__main__":
    main()

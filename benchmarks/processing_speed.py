"""How fast audio is processed: an hour of stereo through AutoEQ, AutoCompressor, AutoGain and AutoLimiter, WAV to WAV.

    python -m benchmarks.processing_speed [--minutes 60] [--tools auto_eq auto_compressor auto_gain auto_limiter]

Prints processor time (of all threads together) per stage, how many times real time that is, and the largest memory that was used.
Wanted: at least 40 times real time, under 300 MB.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llm_music_gen.processing.report import Report
from llm_music_gen.processing.runner import run
from llm_music_gen.tools.plan import Call

RATE_HZ = 44_100
TOOLS = ("auto_eq", "auto_compressor", "auto_gain", "auto_limiter")
WANTED_TIMES, WANTED_MB = 40.0, 300.0


def music(length_s: float) -> Iterator[NDArray[np.float32]]:
    """Chords that change, a beat, noise that swells: something for every tool to do. Blocks of a second."""
    chance = np.random.default_rng(7)
    at = np.arange(RATE_HZ) / RATE_HZ
    beat = np.exp(-((at * 2 % 0.5) / 0.03)) * np.sin(2 * np.pi * 55 * at)
    for second in range(round(length_s)):
        root = 110.0 * 2 ** (second // 4 % 5 * 5 / 12 % 1)
        wave = np.sum([np.sin(2 * np.pi * root * part * (second + at)) / part for part in (1, 2, 3, 4, 5, 6, 8)], axis=0)
        loud = 0.08 * (1.2 + np.sin(2 * np.pi * second / 47))
        noise = 0.02 * chance.standard_normal((RATE_HZ, 2))
        yield (np.stack([wave, np.roll(wave, 211)], axis=1) * loud + 0.4 * beat[:, None] + noise).astype(np.float32)


def peak_memory_mb() -> float:
    """The most this process held."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--tools", nargs="+", default=list(TOOLS))
    options = parser.parse_args()
    import soundfile

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "hour.wav"
        with soundfile.SoundFile(source, "w", RATE_HZ, 2, "PCM_16") as file:
            for block in music(options.minutes * 60):
                file.write(block)
        began = {"processor": time.process_time(), "wall": time.perf_counter()}
        stage, since = "", time.process_time()
        work = run([Call(tool) for tool in options.tools], [source])
        while True:
            try:
                report = next(work)
            except StopIteration as stop:
                (result,) = stop.value
                break
            name = f"{report.stage}: {report.message}"
            if name != stage:
                if stage:
                    print(f"{time.process_time() - since:8.1f} s  {stage}")
                stage, since = name, time.process_time()
        print(f"{time.process_time() - since:8.1f} s  {stage}")
        assert isinstance(result, Report)
        for what, before, after in result.lines():
            print(f"{what:18} {before:>14} -> {after:>14}")
    processor_s, wall_s = time.process_time() - began["processor"], time.perf_counter() - began["wall"]
    times, memory_mb = options.minutes * 60 / processor_s, peak_memory_mb()
    print(f"{processor_s:.1f} s of processor time, {wall_s:.1f} s on the clock: {times:.0f} times real time on one core")
    print(f"largest memory {memory_mb:.0f} MB")
    fine = times >= WANTED_TIMES and not memory_mb > WANTED_MB
    print("as wanted" if fine else f"NOT as wanted: {WANTED_TIMES:.0f} times, {WANTED_MB:.0f} MB")


if __name__ == "__main__":
    main()

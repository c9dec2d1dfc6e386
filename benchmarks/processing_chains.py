"""Processing beside ffmpeg and sox, which do the same chain to the same file in the same run.

    python -m benchmarks.processing_chains [--minutes 30] [--runs 3]

Every side is a whole process, WAV to WAV (44.1 kHz, 16 bits, stereo). "With report" is what a user gets: loudness,
true peak and the rest measured before and after; ffmpeg then measures with `ebur128=peak=true` on both sides of its chain, sox
cannot. "Chain alone" leaves that out on both sides. Prints processor seconds (a busy machine changes them less than the clock),
the ratio to each program, and the largest memory. The best of several runs counts.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.processes import Cost, cost_of
from benchmarks.processing_speed import RATE_HZ, music

#: Our side, as a program of its own. "report" is what `process` does; "alone" opens, changes and writes.
OURS = """
import json, sys
from pathlib import Path
from llm_music_gen.domain.progress import finish
from llm_music_gen.tools.plan import Call
source, out, calls = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
if sys.argv[4] == "report":
    from llm_music_gen.processing.runner import run
    finish(run([Call(tool, settings) for tool, settings in calls], [source], out.parent))
else:
    from llm_music_gen.processing.files import opened
    from llm_music_gen.processing.registry import REGISTRY
    from llm_music_gen.processing.writing import Encoding, write
    audio = opened(source).audio
    for tool, settings in calls:
        audio = REGISTRY[tool].function(audio, **settings)
    finish(write(audio, out, Encoding("wav", 16)))
"""
METER = "ebur128=peak=true"
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Chain:
    """The same work in three languages."""

    name: str
    calls: tuple[tuple[str, dict[str, Any]], ...]
    ffmpeg: str
    sox: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What one chain cost; the report's measurements are in `ours` and `ffmpeg`, and left out of the others."""

    name: str
    ours: Cost
    ffmpeg: Cost
    ours_alone: Cost
    ffmpeg_alone: Cost
    sox_alone: Cost


def chains(length_s: float) -> tuple[Chain, ...]:
    """What is compared. Fades need the length in ffmpeg."""
    bands = [{"hz": 300, "db": -3, "q": 1.0}, {"hz": 8000, "db": 2, "type": "high_shelf"}]
    return (
        Chain(
            "EQ: high-pass, bell, shelf",
            (("highpass", {"hz": 80}), ("eq", {"bands": bands})),
            "highpass=f=80,equalizer=f=300:t=q:w=1:g=-3,treble=g=2:f=8000",
            ("highpass", "80", "equalizer", "300", "1q", "-3", "treble", "+2", "8000"),
        ),
        Chain(
            "compressor and gain",
            (("compress", {"threshold_db": -20, "ratio": 3}), ("gain", {"db": 3})),
            "acompressor=threshold=-20dB:ratio=3:attack=15:release=150,volume=3dB",
            ("compand", "0.015,0.15", "6:-60,-60,-20,-20,0,-13.3", "3"),
        ),
        Chain(
            "fades and gain",
            (("fade", {"in_s": 2, "out_s": 4}), ("gain", {"db": -3})),
            f"afade=t=in:d=2,afade=t=out:st={length_s - 4:g}:d=4,volume=-3dB",
            ("fade", "t", "2", f"{length_s:g}", "4", "gain", "-3"),
        ),
        Chain(
            "44.1 to 48 kHz",
            (("convert", {"rate": 48_000}),),
            "aresample=48000:resampler=swr:filter_size=64:cutoff=0.97",
            ("rate", "-v", "48000"),
        ),
        Chain(
            "reverb of 2 seconds",
            (("reverb", {"mix": 0.25, "decay_s": 2.0}),),
            "asplit[dry][in];[in][1:a]afir=dry=10:wet=10[wet];[dry][wet]amix=weights=0.75 0.25",
            ("reverb", "50", "50", "60", "100", "10", "0"),
        ),
    )  # fmt: skip


def main() -> int:
    """Print the table. Returns 1 where ours takes more than ffmpeg with the report, or than sox without."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if missing := [name for name in ("ffmpeg", "sox") if shutil.which(name) is None]:
        print(f"Not measured: {' and '.join(missing)} not installed.")
        return 2
    worst = 0.0
    for row in rows(options.minutes * 60, options.runs):
        ratios = (
            row.ours.cpu_s / row.ffmpeg.cpu_s,
            row.ours_alone.cpu_s / row.ffmpeg_alone.cpu_s,
            row.ours_alone.cpu_s / row.sox_alone.cpu_s,
        )
        worst = max(worst, ratios[0], ratios[2])
        print(
            f"{row.name:<28} with report {row.ours.cpu_s:6.2f} s, ffmpeg {row.ffmpeg.cpu_s:6.2f} s: {ratios[0]:5.2f}   "
            f"alone {row.ours_alone.cpu_s:6.2f} s, ffmpeg {row.ffmpeg_alone.cpu_s:6.2f} s: {ratios[1]:5.2f}, "
            f"sox {row.sox_alone.cpu_s:6.2f} s: {ratios[2]:5.2f}   "
            f"memory {row.ours.memory_mb:.0f}, {row.ffmpeg.memory_mb:.0f}, {row.sox_alone.memory_mb:.0f} MB",
            flush=True,
        )
    return int(worst > 1.0)


def rows(length_s: float, runs: int) -> Iterator[Row]:
    """Every chain measured; the sides take turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, response = folder / "source.wav", folder / "room.wav"
        with soundfile.SoundFile(source, "w", RATE_HZ, 2, "PCM_16") as file:
            for block in music(length_s):
                file.write(block)
        noise = (
            np.random.default_rng(1).standard_normal((2 * RATE_HZ, 2)) * np.exp(-np.arange(2 * RATE_HZ) / RATE_HZ * 3.45)[:, None]
        )
        soundfile.write(response, 0.01 * noise, RATE_HZ)
        for chain in chains(length_s):
            costs = [measured(chain, source, response, folder) for _ in range(runs)]
            best = [min((cost[side] for cost in costs), key=lambda cost: cost.cpu_s) for side in range(5)]
            yield Row(chain.name, *best)


def measured(chain: Chain, source: Path, response: Path, folder: Path) -> tuple[Cost, ...]:
    """One run of every side: ours and ffmpeg with measurements, ours, ffmpeg and sox without."""
    out = folder / "out.wav"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ours = [sys.executable, "-c", OURS, str(source), str(out), json.dumps(chain.calls)]
    plain = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", str(source)]
    if "[1:a]" in chain.ffmpeg:
        plain += ["-i", str(response)]
    begin, end = (f"[0:a]{METER}[metered];[metered]", f",{METER}")
    bare = chain.ffmpeg if "[" not in chain.ffmpeg else f"[0:a]{chain.ffmpeg}"
    return (
        cost_of([*ours, "report"], environment)[0],
        cost_of([*plain, "-filter_complex", f"{begin}{chain.ffmpeg}{end}", "-c:a", "pcm_s16le", str(out)])[0],
        cost_of([*ours, "alone"], environment)[0],
        cost_of([*plain, "-filter_complex", bare, "-c:a", "pcm_s16le", str(out)])[0],
        cost_of(["sox", "-V1", str(source), "-b", "16", str(out), *chain.sox])[0],
    )


if __name__ == "__main__":
    raise SystemExit(main())

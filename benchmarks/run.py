"""One table of how quick the studio is, each ratio measured against another program in the same run.

    python -m benchmarks.run [song long sampling app library processing] [--full] [--again] [--detached]

Reduced, it takes about ten minutes; `--full` (8 hours of music, an hour of audio, a model of a billion parameters) two hours.
What is finished is kept in `data/benchmarks.jsonl` (`--results` names another file), so that a run that was cut off goes on
where it was; `--again` measures anew. `--detached` goes on behind this terminal and tells where its words go. Leaves with 1 when
a goal is missed. What another program is needed for (fluidsynth, lame, ffmpeg, sox, pexpect) is left out where it is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    ours: str
    other: str
    value: float
    """A ratio of ours to the other, or a figure with a unit."""
    goal: float | None
    """`value` must not be above it; None where nothing was asked for."""
    unit: str = ""
    memory: str = ""

    @property
    def verdict(self) -> str:
        return "" if self.goal is None else "kept" if self.value <= self.goal else "MISSED"


def song(full: bool) -> Iterator[Figure]:
    """A finished song of three minutes, and its soundfont part alone."""
    from benchmarks import song_speed
    from llm_music_gen.sound.soundfonts import find_soundfont

    soundfont = find_soundfont(None).path
    with tempfile.TemporaryDirectory() as folder:
        song_speed.warm_up(Path(folder), "chill", soundfont)
        runs = [song_speed.measured(Path(folder), "chill", "3", seed, soundfont) for seed in range(1, 6 if full else 3)]
    best = min(runs, key=lambda run: run.over_s)
    other = f"fluidsynth {best.fluidsynth_s:.1f} s + lame {best.lame_s:.1f} s"
    goal = song_speed.RATIO + song_speed.EXTRA_S / best.reference_s
    yield Figure("3-minute song, Enter to MP3", f"{best.song_s:.1f} s", other, best.song_s / best.reference_s, goal)
    least = min(runs, key=lambda run: run.part_s / run.reference_s)
    yield Figure("  its soundfont part, MIDI to MP3", f"{least.part_s:.1f} s", f"{least.reference_s:.1f} s",
                 least.part_s / least.reference_s, 1.0)  # fmt: skip
    yield Figure("  the same in processor time", f"{best.song_cpu_s:.1f} s", f"{best.reference_cpu_s:.1f} s",
                 best.song_cpu_s / best.reference_cpu_s, None)  # fmt: skip


def long(full: bool) -> Iterator[Figure]:
    """Hours of music, and how time and memory grow with length."""
    from benchmarks import long_track

    hours = 8.0 if full else 0.5
    with tempfile.TemporaryDirectory() as folder:
        for name, measure, against in (
            ("own track", long_track.own, "lame alone"), ("dense MIDI", long_track.dense, "fluidsynth + lame"),
        ):  # fmt: skip
            row = measure(Path(folder), hours, 10.0 if full else 3.0)
            yield Figure(
                f"{hours:g} h, {name}", f"{row.ours_s:.0f} s", f"{against} {row.plain_s:.0f} s", row.ratio, row.goal,
                memory=f"{row.memory_mb:.0f} MB",
            )  # fmt: skip
        (short_h, short_s, short_mb), *_, (far_h, far_s, far_mb) = long_track.growth(Path(folder))
    growth = (far_s / far_h) / (short_s / short_h)
    yield Figure(f"time an hour at {far_h:g} h against {short_h:g} h", f"{far_s:.0f} s", f"{short_s:.0f} s", growth, 1.1)
    yield Figure("memory likewise", f"{far_mb:.0f} MB", f"{short_mb:.0f} MB", far_mb / short_mb, 1.25)


def sampling(full: bool) -> Iterator[Figure]:
    """What the guaranteed score costs in tokens a second: plain over constrained."""
    from benchmarks import sampling as tokens
    from llm_music_gen.llm.backend import installed_bindings, thread_count
    from tests.fakes.gguf_writer import LARGE_BENCHMARK, SMALL_BENCHMARK, sentencepiece_vocabulary, write_model

    with tempfile.TemporaryDirectory() as folder:
        shape, size = (LARGE_BENCHMARK, "1 billion") if full else (SMALL_BENCHMARK, "100 million")
        path = write_model(Path(folder) / "random.gguf", sentencepiece_vocabulary(), shape)
        for binding in installed_bindings():
            ratio = tokens.measure(binding, path, rounds=8, bars=4, threads=thread_count(5 / 6), context=1024)
            goal = 1 / tokens.TARGET_RATIO if full else None
            yield Figure(f"score under grammar, {size} ({binding})", f"{ratio:.2f} of plain", "plain completion", 1 / ratio, goal)


def app(full: bool) -> Iterator[Figure]:
    """Start-up and keys of the terminal app."""
    from benchmarks import app_latency

    with tempfile.TemporaryDirectory() as folder:
        for what, value_ms, limit_ms in (
            *app_latency.start_times(Path(folder)), *app_latency.key_times(Path(folder), 300 if full else 60),
        ):  # fmt: skip
            yield Figure(what, "", "", value_ms, limit_ms, "ms")


def library(full: bool) -> Iterator[Figure]:
    """A large library."""
    from benchmarks import large_library

    for what, value_ms, limit_ms in large_library.measured(100_000):
        yield Figure(f"100,000 songs: {what}", "", "", value_ms, limit_ms, "ms")


def processing(full: bool) -> Iterator[Figure]:
    """The same chains through ffmpeg and sox."""
    from benchmarks import processing_chains

    minutes = 60 if full else 15
    for row in processing_chains.rows(minutes * 60.0, 3 if full else 1):
        memory = f"{row.ours.memory_mb:.0f} MB"
        for side, ours, other in (
            ("ffmpeg, both measure", row.ours, row.ffmpeg), ("ffmpeg", row.ours_alone, row.ffmpeg_alone),
            ("sox", row.ours_alone, row.sox_alone),
        ):  # fmt: skip
            yield Figure(f"{minutes} min, {row.name}", f"{ours.cpu_s:.1f} s", f"{side} {other.cpu_s:.1f} s",
                         ours.cpu_s / other.cpu_s, 1.0, memory=memory)  # fmt: skip


GROUPS: dict[str, tuple[Callable[[bool], Iterator[Figure]], tuple[str, ...]]] = {
    "song": (song, ("fluidsynth", "lame")),
    "long": (long, ("fluidsynth", "lame", "ffmpeg")),
    "sampling": (sampling, ()),
    "app": (app, ()),
    "library": (library, ()),
    "processing": (processing, ("ffmpeg", "sox")),
}


def main() -> int:
    """Measure what is not measured yet, then print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"some of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--detached", action="store_true")
    parser.add_argument("--results", type=Path, default=ROOT / "data" / "benchmarks.jsonl")
    options = parser.parse_args()
    wanted = options.groups or list(GROUPS)
    if unknown := set(wanted) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}; choose from {', '.join(GROUPS)}")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    if options.detached:
        return detached(options.results)
    known = {} if options.again else read(options.results)
    for name in wanted:
        if (name, options.full) in known:
            continue
        measure, programs = GROUPS[name]
        if missing := [program for program in programs if shutil.which(program) is None]:
            print(f"{name}: not measured, {', '.join(missing)} missing", flush=True)
            continue
        print(f"{name} ...", file=sys.stderr, flush=True)
        figures = list(measure(options.full))
        known[name, options.full] = figures
        with options.results.open("a", encoding="utf-8") as file:
            line = {"group": name, "full": options.full, "figures": [asdict(figure) for figure in figures]}
            file.write(json.dumps(line) + "\n")
    return show([figure for name in wanted for figure in known.get((name, options.full), [])])


def read(path: Path) -> dict[tuple[str, bool], list[Figure]]:
    """What an earlier run finished; the newest counts. A line that was cut off is none."""
    known: dict[tuple[str, bool], list[Figure]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            data = json.loads(line)
            known[str(data["group"]), bool(data["full"])] = [Figure(**figure) for figure in data["figures"]]
        except (ValueError, KeyError, TypeError):
            continue
    return known


def show(figures: Sequence[Figure]) -> int:
    """The table. Returns 1 when a goal is missed."""
    print(f"{'what':<66} {'ours':>14} {'the other':>30} {'ratio':>10} {'goal':>8} {'memory':>8}")
    for figure in figures:
        value = f"{figure.value:.1f} {figure.unit}" if figure.unit else f"{figure.value:.2f}"
        goal = "" if figure.goal is None else f"{figure.goal:.2f}" if not figure.unit else f"{figure.goal:.0f}"
        print(
            f"{figure.what:<66} {figure.ours:>14} {figure.other:>30} {value:>10} {goal:>8} {figure.memory:>8}  {figure.verdict}"
        )
    return int(any(figure.verdict == "MISSED" for figure in figures))


def detached(results: Path) -> int:
    """Start the same run behind this terminal."""
    log = results.with_suffix(".log")
    command = [sys.executable, "-m", "benchmarks.run", *(word for word in sys.argv[1:] if word != "--detached")]
    apart = {"creationflags": 0x00000008 | 0x00000200} if sys.platform == "win32" else {"start_new_session": True}
    with log.open("ab") as file:
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, **apart)
    print(f"It is measured behind this terminal; its words go to {log}. The same command without --detached shows what is done.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

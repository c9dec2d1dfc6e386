"""Hours of music against the plain pipeline, each side measured in the same run.

    python benchmarks/long_track.py own --hours 8      the product's own track against `lame` alone on its PCM (0.7)
    python benchmarks/long_track.py dense --hours 8    a dense MIDI against `fluidsynth -F` and `lame` (goal 0.25)
    python benchmarks/long_track.py growth             wall time at 15, 30 and 60 minutes, and how well time left was estimated

`fluidsynth` and `lame` are run on --reference-minutes of the same sound (default 10) and counted up: both are linear. Memory is
the largest sum of PSS over all processes (Linux only).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from llm_music_gen.arranging import write_midi
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Chapter, LongScore, Piece
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.sound.long.finish import BAND_QUALITY, encode_track
from llm_music_gen.sound.long.render import processor_count, render_track, track_loudness
from llm_music_gen.sound.long.store import SegmentStore
from llm_music_gen.sound.long.track import Track
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.units import SAMPLE_RATE_HZ

KBPS = 192
DENSE_S = 600
PARTS, NOTES_A_SECOND = 14, 50


@dataclass(frozen=True)
class Compared:
    """A track of the studio beside the plain pipeline."""

    ours_s: float
    """Until the file is encoded."""
    plain_s: float
    memory_mb: float
    goal: float

    @property
    def ratio(self) -> float:
        return self.ours_s / self.plain_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["own", "dense", "growth"])
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--reference-minutes", type=float, default=10.0)
    parser.add_argument("--scratch", type=Path, help="folder for the work (default: a temporary one)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        if arguments.what == "own":
            own(Path(folder), arguments.hours, arguments.reference_minutes)
        elif arguments.what == "dense":
            dense(Path(folder), arguments.hours, arguments.reference_minutes)
        else:
            growth(Path(folder))


def own(folder: Path, hours: float, reference_minutes: float) -> Compared:
    """The product's own track with a drone, pads, bowls, instruments and a binaural layer."""
    wall_s, stages, memory_mb, song = _made(folder, hours)
    minutes = min(reference_minutes, hours * 60)
    pcm = folder / "reference.wav"
    subprocess.run(
        ["lame", "--quiet", "--decode", str(song), str(pcm)] if hours * 60 <= minutes else
        ["ffmpeg", "-v", "error", "-i", str(song), "-t", str(minutes * 60), str(pcm)], check=True,
    )  # fmt: skip
    lame_s = _timed(["lame", "--quiet", "-b", str(KBPS), str(pcm), str(folder / "reference.mp3")]) * hours * 60 / minutes
    made_s = wall_s - stages.get("files", 0.0)
    shares = ", ".join(f"{name} {seconds:.0f}" for name, seconds in stages.items())
    print(f"own track, {hours:g} h: {made_s:.0f} s until the file is encoded ({shares})")
    print(f"lame alone on its PCM: {lame_s:.0f} s (measured on {minutes:g} minutes)")
    print(f"ratio {made_s / lame_s:.2f} (goal 0.70); with measuring and proof {wall_s / lame_s:.2f}; memory {memory_mb:.0f} MB")
    return Compared(made_s, lame_s, memory_mb, 0.70)


def _made(folder: Path, hours: float) -> tuple[float, dict[str, float], float, Path]:
    """Wall time, wall time by stage, largest memory, and the MP3 of a new track."""
    home = folder / f"home-{hours:g}"
    script = (
        "import sys, time, json\n"
        "from llm_music_gen.studio.studio import Studio\nfrom llm_music_gen.studio.request import GenerateRequest, LongWords\n"
        "if __name__ == '__main__':\n"
        "    request = GenerateRequest.from_words('ambient, meditation', length=sys.argv[1], frequency='528', seed=5,\n"
        "        long=LongWords(layers='binaural 10-2', upload_kit='no'))\n"
        "    times, began, now = {}, time.time(), time.time()\n    with Studio.open() as studio:\n"
        "        for report in studio.generate(request):\n            later = time.time()\n"
        "            times[report.stage] = times.get(report.stage, 0.0) + later - now\n            now = later\n"
        "            song = report.detail.get('song')\n"
        "    print(json.dumps([time.time() - began, times, str(song.audio_file)]))\n"
    )
    program = folder / "make.py"
    program.write_text(script, encoding="utf-8")
    environment = {**os.environ, "LLM_MUSIC_GEN_HOME": str(home), "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    process = subprocess.Popen(
        [sys.executable, str(program), f"{round(hours * 60)}m"], stdout=subprocess.PIPE, env=environment, text=True
    )
    with _Memory(process.pid) as memory:
        out, _ = process.communicate()
    wall_s, stages, song = json.loads(out.splitlines()[-1])
    return wall_s, stages, memory.largest_mb, Path(song)


def dense(folder: Path, hours: float, reference_minutes: float) -> Compared:
    """14 channels, 50 notes a second, ten minutes again and again."""
    repeats = max(1, round(hours * 3600 / DENSE_S))
    frames = repeats * DENSE_S * SAMPLE_RATE_HZ
    soundfont = find_soundfont(None).path
    began = time.perf_counter()
    with _Memory(os.getpid()) as memory:
        store = SegmentStore(_made_dir(folder / "dense"))
        finish(render_track(partial(dense_track, repeats, soundfont), store, frames, processor_count()))
        gain_db = track_loudness(store.rows()).gain_db(-18.0, -1.5)
        work = encode_track(
            store.finished(frames), gain_db, folder / "dense.mp3", "mp3", KBPS, BAND_QUALITY, store.folder, processor_count()
        )
        finish(work)
        store.close()
    made_s = time.perf_counter() - began
    minutes = min(reference_minutes, DENSE_S / 60)
    midi, wav = folder / "dense.mid", folder / "dense.wav"
    midi.write_bytes(write_midi(dense_arrangement(minutes * 60)))
    plain_s = _timed(["fluidsynth", "-ni", "-q", "-F", str(wav), "-r", "44100", str(soundfont), str(midi)])
    # The same quality of the same encoder on both sides.
    plain_s += _timed(["lame", "--quiet", "-q", str(BAND_QUALITY), "-b", str(KBPS), str(wav), str(folder / "plain.mp3")])
    plain_s *= frames / SAMPLE_RATE_HZ / (minutes * 60)
    print(f"dense MIDI, {repeats * DENSE_S / 3600:g} h: {made_s:.0f} s")
    print(f"fluidsynth and lame: {plain_s:.0f} s (measured on {minutes:g} minutes)")
    print(f"ratio {made_s / plain_s:.2f} (goal 0.25); memory {memory.largest_mb:.0f} MB")
    return Compared(made_s, plain_s, memory.largest_mb, 0.25)


def growth(folder: Path) -> list[tuple[float, float, float]]:
    """Time must grow linearly with length, and memory not at all: hours, seconds, megabytes of each length."""
    rows = []
    for hours in (0.25, 0.5, 1.0):
        wall_s, _, memory_mb, _ = _made(folder, hours)
        print(f"{hours:g} h: {wall_s:.1f} s, {wall_s / hours:.1f} s an hour, {memory_mb:.0f} MB")
        rows.append((hours, wall_s, memory_mb))
    return rows


def dense_track(repeats: int, soundfont: Path) -> Track:
    arrangement = partial(dense_arrangement, DENSE_S)
    length = DENSE_S * SAMPLE_RATE_HZ
    chapters = tuple(
        Chapter(number, number * float(DENSE_S), float(DENSE_S), f"Part {number + 1}", Key.parse("C"), 0.0, 1.0)
        for number in range(repeats)
    )
    pieces = tuple(Piece(number * length, length, arrangement) for number in range(repeats))
    return Track(LongScore(repeats * length, chapters, (), pieces, 0.0, 0.0), soundfont)


def dense_arrangement(length_s: float) -> Arrangement:
    """Random notes of a chord scale on 14 instruments, the same every time."""
    rng = np.random.default_rng(1)
    programs = rng.permutation(96)[:PARTS].tolist()
    parts = []
    for number, program in enumerate(programs):
        count = round(length_s * NOTES_A_SECOND / PARTS)
        onsets = np.sort(rng.uniform(0.0, length_s - 3.0, count))
        pitches = 48 + np.array([0, 2, 4, 7, 9])[rng.integers(5, size=count)] + 12 * rng.integers(0, 3, count)
        lengths = rng.choice([0.25, 0.5, 1.0, 1.5], count)
        velocities = rng.choice([56, 72, 88, 104], count)
        notes = tuple(
            PlayedNote(float(at), float(long), int(pitch), int(loud))
            for at, long, pitch, loud in zip(onsets, lengths, pitches, velocities, strict=True)
        )
        parts.append(Part(f"Part {number + 1}", "melody", int(program), notes, gain_db=-12.0, reverb_send=0.2))
    mix = {"glue": 0.0, "delay_gain_db": -60.0}
    length_frames = round(length_s * SAMPLE_RATE_HZ)
    return Arrangement("Dense", Key.parse("C"), Meter(4, 4), 60.0, tuple(parts), length_frames, mix=mix)


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _made_dir(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _Memory:
    """Largest sum of PSS of a process and its children, looked at three times a second."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.largest_mb = 0.0

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.3):
            self.largest_mb = max(self.largest_mb, sum(_pss_kb(pid) for pid in _family(self._pid)) / 1024)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(other for child in children for other in _family(int(child)))]


def _pss_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


if __name__ == "__main__":
    main()

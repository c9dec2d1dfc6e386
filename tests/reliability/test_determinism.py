"""R22 and R23: the same plan gives the same bytes wherever it is made; what comes out is whole, unclipped and without joints."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.domain.progress import finish
from llm_music_gen.sound.decode import audio_info, measure_file
from llm_music_gen.studio.long import make
from llm_music_gen.studio.request import LongWords
from tests.reliability.figures import Figure
from tests.reliability.scale import scaled
from tests.reliability.track import LENGTH_S, RATE, SEGMENT_S, checksums, fresh, plan_in, resumed, track_in, workshop

ROOT = Path(__file__).parents[2]
PLACES: tuple[tuple[str, dict[str, str]], ...] = (
    ("plain", {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"}),
    ("Würfel & Söhne (x86)!", {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}),
    ("a b", {"PYTHONHASHSEED": "77", "TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8"}),
)


def test_the_same_bytes_in_any_folder_language_zone_and_hash_seed(
    planned: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    places = PLACES[-scaled(3, 1) :]
    same = 0
    for name, variables in places:
        home, elsewhere = tmp_path / name / "home", tmp_path / f"{name} cwd"
        elsewhere.mkdir()
        fresh(home, planned)
        environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-m", "tests.reliability.maker", str(home)], cwd=elsewhere, env=environment, check=True)
        same += checksums(home) == undisturbed
    said = f"{same} of {len(places)} the same"
    what = "another folder, locale, zone and PYTHONHASHSEED"
    Figure("R22", what, f"{len(places)} of {len(places)} the same", said, same == len(places)).record()


def test_any_number_of_renderers_gives_the_same_bytes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Renderers are started anew and know nothing of patches: segments and chunks have their usual length on both sides.
    monkeypatch.undo()
    monkeypatch.setattr(make, "_MOST_ROUNDS", 0)
    found = []
    for workers in (0, *range(1, scaled(4, 2))):
        own = tmp_path / str(workers)
        fresh(own, home)
        finish(make.make_long(track_in(own), replace(workshop(own), workers=workers)))
        found.append(checksums(own))
    same = all(each == found[0] for each in found)
    said = "the same" if same else "another result"
    Figure("R22", f"in this process and by 1 to {len(found) - 1} others", "the same", said, same).record()


WORDS: tuple[tuple[int, LongWords], ...] = (
    (3, LongWords(layers="binaural 10-2")), (4, LongWords(layers="rain, brown")), (5, LongWords(night=True)),
    (6, LongWords(layers="pink, surf", only_layers=True)), (7, LongWords(intonation="just", layers="rain")),
    (8, LongWords(layers="isochronic 6")),
)  # fmt: skip


@pytest.mark.parametrize(("seed", "long"), WORDS[: scaled(6, 1)], ids=lambda value: str(value) if isinstance(value, int) else "")
def test_what_comes_out_is_whole_unclipped_and_without_joints(tmp_path: Path, seed: int, long: LongWords) -> None:
    length_s = scaled(60, LENGTH_S)
    home = plan_in(tmp_path / "home", seed=seed, long=long, length=f"{length_s}s")
    resumed(home)
    [folder] = (home / "data" / "songs").iterdir()
    [lossless], [lossy] = folder.glob("*.flac"), folder.glob("*.mp3")
    frames = {path.suffix: audio_info(path).frames for path in (lossless, lossy)}
    measured = measure_file(lossless)
    samples, _ = soundfile.read(str(lossless), dtype="float32", always_2d=True)
    joints = range(SEGMENT_S * RATE, len(samples), SEGMENT_S * RATE)
    worst = max(_step_over_usual(samples, joint) for joint in joints)
    decoded, _ = soundfile.read(str(lossy), dtype="float32", always_2d=True)
    worst_lossy = max(_step_over_usual(decoded, joint) for joint in range(147 * 1_152, len(decoded), 147 * 1_152))
    said = (
        f"frames {set(frames.values())}, peak {measured.sample_peak_dbfs:.1f} dBFS, "
        f"silence {measured.longest_silence_frames / RATE:.1f} s, "
        f"step at joints {worst:.2f} (MP3 {worst_lossy:.2f}) of the local 99.9 percentile"
    )
    holds = set(frames.values()) == {length_s * RATE} and measured.sample_peak_dbfs < 0.0
    holds = holds and measured.longest_silence_frames <= 2 * RATE and max(worst, worst_lossy) <= 1.5
    required = f"frames {length_s * RATE}, under 0 dBFS, at most 2 s of silence, at most 1.5"
    Figure("R23", f"the finished file, seed {seed}", required, said, holds).record()


def _step_over_usual(samples: np.ndarray, joint: int) -> float:
    """The step between two samples at a joint over the 99.9 percentile of steps in the second around."""
    steps = np.abs(np.diff(samples[max(0, joint - RATE // 2) : joint + RATE // 2], axis=0)).max(axis=1)
    at = min(joint, RATE // 2) - 1
    return float(steps[at] / max(1e-9, np.percentile(steps, 99.9)))

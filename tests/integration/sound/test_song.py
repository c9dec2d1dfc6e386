"""A small song through the real instruments to the finished file, judged as a listener and other programs get it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.sound import mix as mix_module
from llm_music_gen.sound.decode import decoded, measure_file
from llm_music_gen.sound.encode import encode
from llm_music_gen.sound.master import master
from llm_music_gen.sound.mix import RenderedMix, render_mix
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.units import SAMPLE_RATE_HZ

FRAMES = 12 * SAMPLE_RATE_HZ + 777


def song() -> Arrangement:
    """24 quarters of a small band at 120, the last two left to ring."""
    beats = range(22)
    lead = tuple(PlayedNote(beat + 0.01, 0.9, 69 + (0, 3, 7, 12)[beat % 4], 90) for beat in beats)
    chords = tuple(PlayedNote(float(beat), 3.8, 57 + step, 70) for beat in beats if beat % 4 == 0 for step in (0, 3, 7))
    bass = tuple(PlayedNote(float(beat), 0.9, 33, 100) for beat in beats)
    drums = tuple(PlayedNote(beat / 2, 0.2, (36, 42, 38, 46)[beat % 4], 100) for beat in range(44))
    parts = (
        Part("Lead", "melody", 0, lead),
        Part("Pad", "pad", 89, chords, voice="pad", gain_db=-6.0, pan=-0.4),
        Part("Bass", "bass", 33, bass),
        Part("Drums", "drums", 0, drums, is_drums=True),
    )
    mix = {"sidechain_db": 5.0, "reverb_gain_db": -6.0, "bass_highpass_hz": 35.0}
    return Arrangement("Test", Key("A", "minor"), Meter(4, 4), 120.0, parts, FRAMES, mix=mix)


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RenderedMix]:
    folder = tmp_path_factory.mktemp("mix")
    yield finish(render_mix(song(), find_soundfont(None).path, folder / "mix.f32"))


def file_of(mix: RenderedMix, folder: Path, audio_format: str, ceiling_db: float) -> Path:
    made = finish(master(mix, -14.0, ceiling_db))
    return finish(encode(made.blocks(), mix.frames, folder / f"song.{audio_format}", audio_format))


def test_rendering_again_gives_the_same_bytes_whatever_the_number_of_threads(mix: RenderedMix, tmp_path: Path) -> None:
    made = file_of(mix, tmp_path, "flac", -1.0).read_bytes()
    script = (
        "import sys; from pathlib import Path; from tests.integration.sound.test_song import *\n"
        "folder = Path(sys.argv[1]); mix = finish(render_mix(song(), find_soundfont(None).path, folder / 'again.f32'))\n"
        "file_of(mix, folder, 'flac', -1.0)"
    )
    (tmp_path / "again").mkdir()
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "again")], check=True, env=environment, cwd=root)
    assert (tmp_path / "again" / "song.flac").read_bytes() == made


@pytest.mark.parametrize(("audio_format", "ceiling_db"), [("wav", -1.0), ("flac", -1.0), ("mp3", -2.5), ("opus", -3.5)])
def test_the_finished_file_has_its_loudness_length_and_peak(
    audio_format: str, ceiling_db: float, mix: RenderedMix, tmp_path: Path
) -> None:
    measured = measure_file(file_of(mix, tmp_path, audio_format, ceiling_db))
    assert measured.integrated_lufs == pytest.approx(-14.0, abs=0.5)
    assert measured.true_peak_dbtp <= (-1.0 if audio_format in ("wav", "flac") else -1.5)
    assert measured.dc_dbfs < -60.0
    assert measured.longest_silence_frames < SAMPLE_RATE_HZ
    if audio_format != "opus":
        assert measured.frames == FRAMES


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_another_program_measures_the_same_loudness_and_peak(mix: RenderedMix, tmp_path: Path) -> None:
    path = file_of(mix, tmp_path, "wav", -1.0)
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stderr.rsplit("Summary", 1)[1]
    found = re.search(r"I:\s+(-[\d.]+) LUFS", said), re.search(r"Peak:\s+(-[\d.]+) dBFS", said)
    assert found[0] and float(found[0][1]) == pytest.approx(-14.0, abs=0.5)
    assert found[1] and float(found[1][1]) <= -0.95


def largest_step(samples: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(samples, axis=0)).max())


def test_nothing_clicks_where_blocks_meet_and_the_end_is_quiet(mix: RenderedMix, tmp_path: Path) -> None:
    out = np.concatenate(list(decoded(file_of(mix, tmp_path, "flac", -1.0))))
    for joint in range(mix_module.BLOCK_FRAMES, FRAMES, mix_module.BLOCK_FRAMES):
        near = np.abs(np.diff(out[joint - 2_205 : joint + 2_205], axis=0))
        assert largest_step(out[joint - 2 : joint + 2]) <= 1.5 * np.quantile(near, 0.999)
    assert np.abs(out[-1]).max() < 1e-3
    before = np.abs(np.diff(out[-13_230:-4_410], axis=0))
    assert largest_step(out[-4_410:]) <= 1.5 * np.quantile(before, 0.999)

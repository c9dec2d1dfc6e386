"""Every style, played and mastered in a few seconds' length, is as loud as it should be, under its ceiling, and never silent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.theme import SongRequest, plan_theme
from llm_music_gen.domain.progress import finish
from llm_music_gen.sound.loudness import LoudnessMeter
from llm_music_gen.sound.mix import render_mix
from llm_music_gen.sound.soundfonts import find_soundfont
from llm_music_gen.studio.band import played
from llm_music_gen.studio.delivery import Finish, master_for
from llm_music_gen.styles import load_styles
from llm_music_gen.units import SAMPLE_RATE_HZ
from tests.fakes.tunes import lead_sheet

STYLES = load_styles()
FINISH = Finish(("wav",), -14.0, 320)


def check(name: str, seed: int, length_s: int, folder: Path) -> None:
    rng = np.random.default_rng(seed)
    planned = plan_theme(SongRequest((name,), parse_length(f"{length_s}s")), STYLES, rng)
    song = played(planned.theme, lead_sheet(planned.theme, rng), planned.style, np.random.SeedSequence(seed))
    mix = finish(render_mix(song, find_soundfont(None).path, folder / "mix.f32"))
    master = finish(master_for(mix, FINISH, planned.style.spectrum))
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    frames = 0
    low = np.zeros(2)
    for block in master.blocks():
        meter.push(block)
        frames += len(block)
        low += np.square(block.astype(np.float64)).mean(axis=0)
    heard = meter.result()
    assert frames == length_s * SAMPLE_RATE_HZ
    assert abs(heard.integrated_lufs + 14) <= 0.5, f"{heard.integrated_lufs:.2f} LUFS"
    assert heard.true_peak_dbtp <= -1.0, f"{heard.true_peak_dbtp:.2f} dBTP"
    assert heard.longest_silence_frames < 1.5 * SAMPLE_RATE_HZ
    assert abs(10 * np.log10(low[0] / low[1])) < 6, "one channel is much louder"


@pytest.mark.parametrize("name", sorted(STYLES))
def test_a_song_of_ten_seconds(name: str, tmp_path: Path) -> None:
    check(name, 1, 10, tmp_path)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("name", sorted(STYLES))
def test_two_more_songs_of_ten_seconds(name: str, seed: int, tmp_path: Path) -> None:
    check(name, seed, 10, tmp_path)

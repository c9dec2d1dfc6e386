"""Rain, surf and wind, measured."""

from __future__ import annotations

import numpy as np
import pytest

from llm_music_gen.sound.bed.nature import NATURES, Nature, NatureLayer
from llm_music_gen.units import SAMPLE_RATE_HZ


@pytest.mark.parametrize("kind", NATURES)
def test_the_level_is_about_one_and_nothing_is_silent(kind: Nature) -> None:
    block = NatureLayer(kind, seed=11).block(0, 60 * SAMPLE_RATE_HZ)
    rms = np.sqrt(np.mean(block.astype(np.float64) ** 2))
    assert 0.5 < rms < 2.0
    loudness = np.sqrt((block[: 59 * SAMPLE_RATE_HZ, 0].astype(np.float64).reshape(59, -1) ** 2).mean(axis=1))
    assert loudness.min() > 0.05 * rms


@pytest.mark.parametrize("kind", NATURES)
def test_blocks_of_any_size_join_to_the_same_sound(kind: Nature) -> None:
    layer = NatureLayer(kind, seed=11)
    start = 3 * 3600 * SAMPLE_RATE_HZ
    whole = layer.block(start, 60_000)
    pieces = np.concatenate([layer.block(start + at, min(9_999, 60_000 - at)) for at in range(0, 60_000, 9_999)])
    assert np.abs(whole - pieces).max() < 1e-4 * np.abs(whole).max()


@pytest.mark.parametrize("kind", NATURES)
def test_it_never_comes_back(kind: Nature) -> None:
    layer = NatureLayer(kind, seed=11)
    early, late = (layer.block(at * 600 * SAMPLE_RATE_HZ, 5 * SAMPLE_RATE_HZ)[:, 0] for at in (1, 2))
    assert abs(np.corrcoef(early, late)[0, 1]) < 0.06


def test_waves_come_and_go_and_rain_does_not() -> None:
    def swing_db(kind: Nature) -> float:
        block = NatureLayer(kind, seed=11).block(0, 60 * SAMPLE_RATE_HZ)[:, 0].astype(np.float64)
        loudness = 10 * np.log10((block.reshape(120, -1) ** 2).mean(axis=1))
        return float(np.percentile(loudness, 95) - np.percentile(loudness, 5))

    assert swing_db("surf") > 6.0
    assert swing_db("rain") < 5.0

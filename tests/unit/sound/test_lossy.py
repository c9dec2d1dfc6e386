"""Lossy files stay under their ceiling as they are decoded, and only where they must be turned down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import EncodingError
from llm_music_gen.sound import lossy
from llm_music_gen.sound.decode import measure_file
from llm_music_gen.sound.lossy import encode_under
from llm_music_gen.sound.loudness import Loudness, LoudnessMeter
from llm_music_gen.sound.master import Dip, Master, master
from llm_music_gen.sound.mix import RenderedMix
from llm_music_gen.units import SAMPLE_RATE_HZ


def bursts(folder: Path, every_s: float) -> RenderedMix:
    """Steady noise with bursts: what lossy coders overshoot on."""
    draw = np.random.default_rng(8)
    at = np.arange(12 * SAMPLE_RATE_HZ)
    level = 0.06 + 0.5 * np.exp(-(at % int(every_s * SAMPLE_RATE_HZ)) / 300.0)
    samples = (level[:, None] * draw.standard_normal((len(at), 2))).astype(np.float32)
    path = folder / "mix.f32"
    samples.tofile(path)
    return RenderedMix(path, len(samples), measured(samples))


@pytest.mark.parametrize("every_s", [4.0, 0.25])
@pytest.mark.parametrize(("audio_format", "kbps"), [("mp3", 128), ("mp3", 192), ("opus", 192)])
def test_the_decoded_peak_stays_under_the_ceiling_at_full_loudness(
    audio_format: str, kbps: int, every_s: float, tmp_path: Path
) -> None:
    made = finish(master(bursts(tmp_path, every_s), -14.0, -1.6))
    path = tmp_path / f"a.{audio_format}"
    used, loudness = finish(encode_under(made, path, audio_format, kbps, -1.5))
    assert used != made, "without an overshoot this would test nothing"
    assert loudness == measure_file(path)
    assert loudness.true_peak_dbtp <= -1.5
    assert loudness.integrated_lufs == pytest.approx(-14.0, abs=0.5)


def test_progress_never_goes_back(tmp_path: Path) -> None:
    made = finish(master(bursts(tmp_path, 1.0), -14.0, -1.6))
    fractions = [report.fraction for report in encode_under(made, tmp_path / "a.mp3", "mp3", 128, -1.5)]
    assert fractions == sorted(fractions)


def test_a_ceiling_that_cannot_be_kept_is_said_and_no_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lossy, "_MOST_ROUNDS", 1)
    made = finish(master(bursts(tmp_path, 1.0), -14.0, -1.0))
    with pytest.raises(EncodingError, match=r"a\.mp3"):
        finish(encode_under(made, tmp_path / "a.mp3", "mp3", 128, -30.0))
    assert not (tmp_path / "a.mp3").exists()


@pytest.mark.parametrize("frame", [5_000, 262_144, 262_100])
def test_a_dip_turns_down_its_moment_smoothly_and_nothing_else(frame: int, tmp_path: Path) -> None:
    path = tmp_path / "mix.f32"
    np.full((300_000, 2), 0.1, dtype=np.float32).tofile(path)
    np.append(np.fromfile(path, dtype=np.float32), np.full(300_000, 0.1, dtype=np.float32)).tofile(path)
    mix = RenderedMix(path, 300_000, measured(np.zeros((1, 2), dtype=np.float32)))
    made = Master(mix, -14.0, -1.0, 0.0, mix.loudness, (Dip(frame, 0.5),))
    out = np.concatenate(list(made.blocks()))[:, 0] / np.float32(0.1)
    assert out[frame] == pytest.approx(0.5, abs=1e-6)
    assert np.all(out[: frame - 1_200] == 1.0) and np.all(out[frame + 1_200 :] == 1.0)
    assert steps(out) < 0.002


def steps(values: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(values)).max())


def measured(samples: NDArray[np.float32]) -> Loudness:
    meter = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False)
    meter.push(samples)
    return meter.result()

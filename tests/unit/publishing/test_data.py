"""Level and spectrum tables say what the sound is."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from llm_music_gen.domain.progress import finish
from llm_music_gen.publishing import data
from llm_music_gen.publishing.colour import palette

RATE = 44_100


def tone(path: Path, length_s: float, hz: float, gain: float = 0.5) -> Path:
    t = np.arange(round(length_s * RATE)) / RATE
    wave = gain * np.sin(2 * np.pi * hz * t)
    soundfile.write(path, np.stack((wave, wave), axis=1), RATE, subtype="PCM_24")
    return path


def test_a_tone_shows_in_its_band_at_its_level(tmp_path: Path) -> None:
    measured = finish(data.measure(tone(tmp_path / "a.wav", 6.0, 1_000.0)))
    assert measured.bands_db.shape == (60, 31)
    middle = measured.bands_db[20:40]
    # A sine of half the full scale lies at -6.02 dB; windows lose nothing but the leakage out of the band.
    assert middle[:, 17] == pytest.approx(-6.02, abs=0.1)
    assert np.delete(middle, 17, axis=1).max() < -35
    assert measured.peak_dbfs == pytest.approx(-6.02, abs=0.05)
    # BS.1770: a stereo sine of 1 kHz at -6.02 dBFS is 3.01 dB over that of one channel at -9.03: -6.0 LUFS.
    assert measured.momentary_lufs[10:] == pytest.approx(-6.0, abs=0.15)
    assert len(measured.momentary_lufs) == 60


def test_blocks_of_any_size_give_the_same_spectrum() -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(0.0, 0.1, (RATE * 3, 2)).astype(np.float32)
    results = []
    for size in (1_000, 44_100, len(sound)):
        bands = data._Bands(RATE, RATE)
        for start in range(0, len(sound), size):
            bands.push(sound[start : start + size])
        results.append(bands.result())
    assert results[0].shape == (3, 31)
    assert results[1] == pytest.approx(results[0], abs=1e-3) and results[2] == pytest.approx(results[0], abs=1e-3)


def test_silence_and_very_short_files_have_rows(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "s.wav", np.zeros((RATE, 2)), RATE)
    measured = finish(data.measure(tmp_path / "s.wav"))
    assert (measured.bands_db == -120).all() and (measured.peak_dbfs == -120).all()
    soundfile.write(tmp_path / "t.wav", np.zeros((500, 1)), RATE)
    short = finish(data.measure(tmp_path / "t.wav"))
    assert data.level_picture(short, palette("sleep")).size == (1_920, 540)
    assert data.spectrogram_picture(short, palette("sleep")).size == (1_920, 540)


def test_tables_can_be_read_back(tmp_path: Path) -> None:
    measured = finish(data.measure(tone(tmp_path / "a.wav", 2.0, 440.0)))
    data.write_level(measured, tmp_path / "level.csv")
    data.write_spectrum(measured, tmp_path / "spectrum.csv")
    with (tmp_path / "level.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20 and rows[-1]["time_s"] == "2.0" and float(rows[-1]["peak_dbfs"]) == pytest.approx(-6.0, abs=0.1)
    with (tmp_path / "spectrum.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20 and max((k for k in rows[9] if k != "time_s"), key=lambda k: float(rows[9][k])) == "400_hz"


@pytest.mark.parametrize("length_s", [60.0, 1_800.0, 3_600.0, 28_800.0, 43_200.0, 400_000.0])
def test_the_spectrum_table_stays_under_20_mb(length_s: float) -> None:
    bytes_per_row = 10 + 31 * len(",-120.0")
    assert length_s / data.spectrum_step_s(length_s) * bytes_per_row < 20e6

"""How far samples are off pitch, measured on tones whose error is known."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.sound.calibration import Calibration, measure_hold
from llm_music_gen.sound.soundfont_zones import read_zones
from llm_music_gen.units import SAMPLE_RATE_HZ, cents_to_ratio, midi_to_hz

TIMES_S = np.arange(round(2.2 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def stereo(mono: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.stack((mono, mono), axis=1).astype(np.float32)


def tone(hz: float, cents: float = 0.0, decay_s: float = 1e9) -> NDArray[np.float64]:
    cycles = hz * cents_to_ratio(cents) * TIMES_S
    return sum(np.sin(2 * np.pi * number * cycles) / number for number in range(1, 6)) * np.exp(-TIMES_S / decay_s)


@pytest.mark.parametrize("pitch", [28, 48, 69, 96])
@pytest.mark.parametrize("cents", [-18.4, 0.0, 5.72])
def test_the_error_of_a_steady_tone_is_found_to_a_hundredth_of_a_cent(pitch: int, cents: float) -> None:
    hold = measure_hold(stereo(tone(midi_to_hz(pitch), cents)), midi_to_hz(pitch))
    assert hold.error_cents == pytest.approx(cents, abs=0.02)
    assert hold.holds and hold.spread_cents < 0.1


def test_a_tone_that_dies_away_within_seconds_is_measured_too() -> None:
    hold = measure_hold(stereo(tone(220.0, 4.2, decay_s=0.6)), 220.0)
    assert hold.error_cents == pytest.approx(4.2, abs=0.1) and hold.holds


def test_a_pitch_without_fundamental_is_read_from_its_harmonics() -> None:
    cycles = 110.0 * cents_to_ratio(7.0) * TIMES_S
    hold = measure_hold(stereo(np.sin(4 * np.pi * cycles) + 0.7 * np.sin(6 * np.pi * cycles)), 110.0)
    assert hold.error_cents == pytest.approx(7.0, abs=0.05)


def test_vibrato_and_chorus_do_not_hold_a_pitch() -> None:
    vibrato = np.sin(2 * np.pi * (440.0 * TIMES_S + 0.3 * np.sin(2 * np.pi * 5.5 * TIMES_S)))
    chorus = tone(440.0, -6.0) + tone(440.0, 6.0) + tone(440.0, 1.0)
    assert not measure_hold(stereo(vibrato), 440.0).holds
    assert not measure_hold(stereo(chorus), 440.0).holds


def test_noise_silence_and_clicks_hold_nothing_and_are_left_alone() -> None:
    noise = np.random.default_rng(1).standard_normal(len(TIMES_S))
    click = tone(440.0, 9.0, decay_s=0.004)
    for samples in (noise, click, 0 * noise):
        assert not measure_hold(stereo(samples), 440.0).holds
    assert measure_hold(stereo(noise), 440.0).error_cents == 0.0
    assert measure_hold(np.zeros((0, 2), dtype=np.float32), 440.0).error_cents == 0.0


class FakeSynth:
    """Renders tones that are off by a tenth of a cent for each key; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, bank: int, program: int, key: int, velocity: int, length_frames: int) -> NDArray[np.float32]:
        self.asked.append(key)
        return stereo(tone(midi_to_hz(key), key / 10))


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data


def preset(name: bytes, first_zone: int) -> bytes:
    return struct.pack("<20sHHHIII", name, 0, 0, first_zone, 0, 0, 0)


def soundfont(path: Path, splits: tuple[tuple[int, int], ...]) -> Path:
    """A soundfont of one preset with one sample for each range of keys; only its tables make sense."""
    instrument_bags = b"".join(struct.pack("<HH", 2 * number, 0) for number in range(len(splits) + 1))
    generators = b"".join(struct.pack("<HBBHH", 43, *keys, 53, number) for number, keys in enumerate(splits))
    tables = b"pdta" + b"".join(
        (
            chunk(
                b"phdr", struct.pack("<20sHHHIII", b"one", 0, 0, 0, 0, 0, 0) + struct.pack("<20sHHHIII", b"EOP", 0, 0, 1, 0, 0, 0)
            ),
            chunk(b"pbag", struct.pack("<HHHH", 0, 0, 1, 0)),
            chunk(b"pgen", struct.pack("<HHHH", 41, 0, 0, 0)),
            chunk(b"inst", struct.pack("<20sH", b"one", 0) + struct.pack("<20sH", b"EOI", len(splits))),
            chunk(b"ibag", instrument_bags),
            chunk(b"igen", generators + struct.pack("<HH", 0, 0)),
        )
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(tables) + 12) + b"sfbk" + chunk(b"LIST", tables))
    return path


def test_one_measurement_serves_all_keys_of_a_region_whoever_asks_first(tmp_path: Path) -> None:
    path = soundfont(tmp_path / "one.sf2", ((0, 59), (60, 71), (72, 127)))
    holds = []
    for keys in ((40, 55, 61, 70, 90), (90, 70, 61, 55, 40)):
        render = FakeSynth()
        calibration = Calibration(path, render, cache_dir=tmp_path / str(keys[0]))
        holds.append({key: calibration.hold(0, 0, key, 100) for key in keys})
        assert sorted(render.asked) == [59, 64, 72]
    assert holds[0] == holds[1]
    assert holds[0][61].error_cents == pytest.approx(6.4, abs=0.02)


def test_what_was_measured_is_remembered_by_soundfont_and_synth(tmp_path: Path) -> None:
    path = soundfont(tmp_path / "one.sf2", ((0, 127),))
    first = Calibration(path, FakeSynth(), made_by="1", cache_dir=tmp_path)
    measured = first.hold(0, 0, 60, 100)
    first.save()
    again, other = FakeSynth(), FakeSynth()
    assert Calibration(path, again, made_by="1", cache_dir=tmp_path).hold(0, 0, 60, 100) == measured
    Calibration(path, other, made_by="2", cache_dir=tmp_path).hold(0, 0, 60, 100)
    assert (len(again.asked), len(other.asked)) == (0, 1)


@pytest.mark.parametrize("text", ["", "[]", '{"method": 1, "made_by": "", "regions": {"a": [1e400, 0, true]}}', "\x00"])
def test_a_damaged_memory_is_measured_anew(text: str, tmp_path: Path) -> None:
    path = soundfont(tmp_path / "one.sf2", ((0, 127),))
    first = Calibration(path, FakeSynth(), cache_dir=tmp_path)
    measured = first.hold(0, 0, 60, 100)
    first.save()
    (kept,) = (tmp_path / "calibration").iterdir()
    kept.write_text(text, encoding="utf-8")
    assert Calibration(path, FakeSynth(), cache_dir=tmp_path).hold(0, 0, 60, 100) == measured


@pytest.mark.parametrize("bytes_kept", [0, 11, 40, 90, 150])
def test_a_soundfont_that_ends_early_is_measured_key_by_key(bytes_kept: int, tmp_path: Path) -> None:
    whole = soundfont(tmp_path / "one.sf2", ((0, 127),)).read_bytes()
    path = tmp_path / "cut.sf2"
    path.write_bytes(whole[:bytes_kept])
    zones, _ = read_zones(path)
    assert zones is None
    assert Calibration(path, FakeSynth(), cache_dir=tmp_path).hold(0, 0, 50, 100).error_cents == pytest.approx(5.0, abs=0.02)

"""Whether music of hours returns literally, told from its pitch classes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.proof.harmony import PitchClasses, likeness_checks
from llm_music_gen.units import SAMPLE_RATE_HZ, midi_to_hz

SCALE = (0, 2, 4, 7, 9)


def events(seconds: int, seed: int) -> NDArray[np.float32]:
    """A note of a scale every few seconds that dies away, as pitch classes for each second."""
    rng = np.random.default_rng(seed)
    out = np.zeros((seconds, 12), dtype=np.float32)
    at = 0
    while at < seconds:
        tail = np.exp(-np.arange(8) / 3.0)[: seconds - at]
        out[at : at + len(tail), SCALE[int(rng.choice(5, p=(0.35, 0.1, 0.15, 0.3, 0.1)))]] += rng.uniform(0.3, 1.0) * tail
        at += int(rng.integers(1, 5))
    return out + 0.01


def values(seconds: NDArray[np.float32]) -> dict[str, tuple[object, str]]:
    return {check.name: (check.measured, check.verdict) for check in likeness_checks(seconds, promised=True)}


def test_varied_music_of_one_scale_passes() -> None:
    found = values(events(3_000, 1))
    assert {verdict for _, verdict in found.values()} == {"pass"}, found


@pytest.mark.parametrize("loop_s", [61, 64, 600])
def test_a_literal_loop_of_any_length_is_found(loop_s: int) -> None:
    loop = np.tile(events(loop_s, 2), (3_000 // loop_s + 1, 1))[:3_000]
    found = values(loop)
    assert found["twins"][0] == pytest.approx(1.0, abs=0.02) and found["twins"][1] == "fail"
    assert found["likeness to the nearest"][1] == "fail"


def test_one_half_minute_that_returns_is_found() -> None:
    music = events(3_000, 3)
    music[2_401:2_460] = music[301:360]
    found = values(music)
    assert found["twins"][0] and found["twins"][1] == "fail"


def test_music_without_anything_in_common_is_not_one_piece() -> None:
    music = events(3_000, 4)
    strangers = np.concatenate([np.roll(music[start : start + 250], start // 250 * 5, axis=1) for start in range(0, 3_000, 250)])
    assert values(strangers)["likeness as a whole"][1] == "fail"


def test_short_and_silent_music_is_not_compared() -> None:
    assert {verdict for _, verdict in values(events(300, 5)).values()} == {"not measurable"}
    assert likeness_checks(events(300, 5), promised=False) == []
    assert all(
        check.verdict != "not promised" for check in likeness_checks(np.zeros((2_000, 12), dtype=np.float32), promised=True)
    )


def test_pitch_classes_are_those_that_sound_whatever_the_blocks() -> None:
    at_s = np.arange(6 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tones = [np.sin(2 * np.pi * midi_to_hz(pitch, 432.0) * at_s) for pitch in (48, 55, 64)]
    mono = np.sum(tones, axis=0).astype(np.float32)
    made = []
    for size in (len(mono), 5_000):
        classes = PitchClasses(SAMPLE_RATE_HZ, 432.0)
        for start in range(0, len(mono), size):
            classes.push(mono[start : start + size])
        made.append(classes.seconds())
    assert np.allclose(made[0], made[1])
    assert set(np.argsort(made[0].mean(axis=0))[-3:]) == {0, 4, 7}

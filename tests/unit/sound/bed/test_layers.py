"""Layers by name: what sounds, where it begins and ends, and what may be asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.errors import SoundError, StudioError, UsageError
from llm_music_gen.sound.bed.layers import BEATS, COLOURS, KINDS, USUAL_LEVEL_DB, BedLayer
from llm_music_gen.sound.bed.schedule import Schedule
from llm_music_gen.studio.long.layers import bed_layer, check_layers, read_layers
from llm_music_gen.studio.long.record import LayerRecord

RATE = 44_100
GLIDE = Schedule(((0.0, 10.0), (3_600.0, 2.0)))


def read(text: str) -> tuple[LayerRecord, ...]:
    return read_layers(text, tonic_hz=528.0, tempo_bpm=60.0, length_s=8 * 3_600.0)


def measured_hz(samples: NDArray[np.float32], near_hz: float) -> float:
    """Mean frequency by the slope of the phase."""
    turn = np.exp(-2j * np.pi * near_hz * np.arange(len(samples)) / RATE)
    window = RATE // 10
    parts = (samples * turn)[: len(samples) // window * window].reshape(-1, window) @ np.hanning(window)
    phase = np.unwrap(np.angle(parts))
    return near_hz + float(np.polyfit(np.arange(len(phase)) * 0.1, phase, 1)[0]) / (2 * np.pi)


@pytest.mark.parametrize("at_s", [30.0, 1_800.0, 3_500.0, 20_000.0])
def test_both_ears_differ_by_the_beat_of_its_time_within_a_hundredth_of_a_hertz(at_s: float) -> None:
    [record] = read("binaural 10-2")
    layer = bed_layer(record, 1)
    sound = layer.block(round(at_s * RATE), 10 * RATE)
    assert sound is not None
    wanted_hz = float(GLIDE.value(np.array([at_s + 5.0]))[0])
    assert wanted_hz == pytest.approx(max(2.0, 10.0 - 8.0 * (at_s + 5.0) / 3_600.0))
    left, right = (measured_hz(sound[:, side], 264.0) for side in (0, 1))
    assert abs(right - left) == pytest.approx(wanted_hz, abs=0.01)
    assert (left + right) / 2 == pytest.approx(264.0, abs=0.01)


def test_a_layer_fades_in_from_its_start_and_out_to_its_end() -> None:
    layer = BedLayer("tone", -20.0, 0, 200.0, start_s=1.0, end_s=7.0, fade_s=2.0)
    assert layer.block(0, RATE // 2) is None
    assert layer.block(8 * RATE, RATE) is None
    sound = layer.block(0, 8 * RATE)
    assert sound is not None
    tenths = np.abs(sound[:, 0]).reshape(-1, RATE // 10).max(axis=1)
    assert not np.any(sound[:RATE])
    assert not np.any(sound[7 * RATE + 1 :])
    assert np.all(np.diff(tenths[10:30]) > -1e-4)
    assert np.all(np.diff(tenths[50:70]) < 1e-4)
    assert tenths[30:50] == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_any_block_of_any_layer_is_the_slice_of_a_larger_one(kind: str) -> None:
    layer = BedLayer(kind, -30.0, 5, 264.0, GLIDE)
    whole, part = layer.block(3_600 * RATE, 30_000), layer.block(3_600 * RATE + 11_111, 7_777)
    assert whole is not None
    assert part is not None
    assert np.array_equal(part, whole[11_111 : 11_111 + 7_777])
    assert np.any(whole)


@pytest.mark.parametrize("kind", COLOURS)
def test_noise_has_the_level_it_was_given(kind: str) -> None:
    sound = BedLayer(kind, -30.0, 5).block(60 * RATE, 8 * RATE)
    assert sound is not None
    level_db = 10 * np.log10(float(np.mean(sound.astype(np.float64) ** 2)))
    assert level_db == pytest.approx(-30.0, abs=1.5)


def test_a_plain_tone_does_not_beat() -> None:
    sound = BedLayer("tone", -20.0, 0, 300.0).block(100 * RATE, 5 * RATE)
    assert sound is not None
    peaks = np.abs(sound[:, 0]).reshape(-1, RATE // 20).max(axis=1)
    assert peaks == pytest.approx(peaks.mean(), rel=0.005)


def test_a_layer_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SoundError, match="no layer 'purple'"):
        BedLayer("purple", -30.0)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("binaural 10-2, rain", ["binaural", "rain"]), ("Pink Noise", ["pink"]), ("noise", ["pink"]), ("ocean", ["surf"]),
        ("isochronic 7.83hz", ["isochronic"]), ("pulse 7.83 Hz", ["isochronic"]), ("binaural 10–2 30min", ["binaural"]),
        ("grey -6dB, wind +3", ["grey", "wind"]), (" , ,", []), ("", []), ("tone 136.1", ["tone"]),
    ],
)  # fmt: skip
def test_what_can_be_asked_for(text: str, kinds: list[str]) -> None:
    assert [layer.kind for layer in read(text)] == kinds


def test_numbers_are_understood_as_beats_levels_and_minutes() -> None:
    [layer] = read("binaural 12-4 -6dB 30min")
    assert layer.beat_points == ((0.0, 12.0), (1_800.0, 4.0))
    assert layer.level_db == USUAL_LEVEL_DB["binaural"] - 6.0
    assert layer.carrier_hz == 264.0
    [steady] = read("monaural 7.83")
    assert steady.beat_points == ((0.0, 7.83),)
    [tone] = read("tone 136.1")
    assert tone.carrier_hz == 136.1
    assert read("tone")[0].carrier_hz == 528.0


def test_a_locked_beat_goes_with_the_tempo() -> None:
    [layer] = read_layers("isochronic 4.1 locked", tonic_hz=264.0, tempo_bpm=90.0, length_s=60.0)
    assert layer.beat_points == ((0.0, 4.0),)


@pytest.mark.parametrize(
    "text",
    [
        "purple", "binaurol 10", "rain rain", "pink 10", "binaural 0", "binaural 900", "binaural 10-2-1", "binaural -5 -90",
        "rain +90dB", "binaural nan", "binaural inf-2", "tone 1e9", "tone 0", "tone 40000", "../../etc/passwd", "\x00", "🎵",
        "binaural " + "9" * 400, "-" * 500, "rain," * 13, "binaural 10 (rm -rf /)", "binaural ½",
        "tone 5", "tone 0.001",
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_layers(text)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.hint


def test_anything_typed_is_read_or_refused_and_what_is_read_can_sound() -> None:
    rng = np.random.default_rng(7)
    words = [
        "binaural",
        "rain",
        "pink",
        "tone",
        "10-2",
        "7.83",
        "-6dB",
        "+3",
        ",",
        ",",
        "locked",
        "20min",
        "hz",
        "0",
        "1e9",
        "-",
        ".",
        "440",
    ]
    for _ in range(400):
        text = " ".join(words[int(index)] for index in rng.integers(len(words), size=int(rng.integers(1, 7))))
        try:
            records = read(text)
        except UsageError as error:
            assert len(str(error).splitlines()) == 1
            continue
        for record in records:
            sound = bed_layer(record, 3).block(0, 256)
            assert sound is None or np.all(np.isfinite(sound))


def test_a_near_miss_is_answered_with_what_was_meant() -> None:
    with pytest.raises(UsageError, match="Did you mean 'binaural'"):
        read("binaurol 10")


def test_a_schedule_of_another_program_becomes_layers_with_its_times(tmp_path: Path) -> None:
    path = tmp_path / "session.sbg"
    path.write_text("a: 200+10/20 pink/40\nb: 200+4/20\nNOW a ->\n+00:10:00 b\n+00:20:00 off\n", encoding="utf-8")
    layers = read(str(path))
    assert [layer.kind for layer in layers] == ["binaural", "pink", "binaural"]
    first, noise, second = layers
    assert (first.start_s, first.end_s, noise.end_s, second.start_s, second.end_s) == (0.0, 600.0, 600.0, 600.0, 1_200.0)
    assert (first.carrier_hz, first.beat_points, second.beat_points) == (200.0, ((0.0, 10.0), (600.0, 4.0)), ((600.0, 4.0),))
    assert all(kind in (*BEATS, *COLOURS) for kind in (first.kind, noise.kind))
    for layer in layers:
        sound = bed_layer(layer, 1).block(round((layer.start_s + 60.0) * RATE), 4_410)
        assert sound is not None
        assert np.any(sound)


@pytest.mark.parametrize(
    "text", ["", "a: spin:300+4/20\nNOW a\n", "NOW nothing\n", "\x00\x01", "a: 200+10/20\n" * 6_000, "a: 5+1/20\nNOW a\n"]
)
def test_a_schedule_that_cannot_be_read_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "session.sbg"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudioError) as caught:
        check_layers(str(path))
    assert len(str(caught.value).splitlines()) == 1


def test_a_schedule_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="cannot be read"):
        check_layers(str(tmp_path / "missing.sbg"))
    with pytest.raises(StudioError, match="cannot be read"):
        check_layers("a\x00b.sbg")

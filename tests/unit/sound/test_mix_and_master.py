"""The mix of an arrangement and its master."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.score import Arrangement, Part, PlayedNote
from llm_music_gen.errors import SoundError
from llm_music_gen.sound import mix as mix_module
from llm_music_gen.sound.loudness import LoudnessMeter
from llm_music_gen.sound.master import master, refitted
from llm_music_gen.sound.mix import RenderedMix, mix_blocks
from llm_music_gen.sound.notes import NoteCache
from llm_music_gen.units import SAMPLE_RATE_HZ
from tests.fakes.sine_synth import SineSynth

DRY = {"reverb_gain_db": -120.0, "glue": 0.0}


def arrangement(parts: tuple[Part, ...], length_s: float = 3.0, **mix: float) -> Arrangement:
    frames = round(length_s * SAMPLE_RATE_HZ)
    return Arrangement("Test", Key("C"), Meter(4, 4), 120.0, parts, frames, mix={**DRY, **mix})


def part(*notes: PlayedNote, **options: object) -> Part:
    return replace(Part("Lead", "melody", 0, notes), **options)  # type: ignore[arg-type]


def mixed(song: Arrangement, synth: SineSynth | None = None) -> NDArray[np.float32]:
    return np.concatenate([block for _, block in mix_blocks(song, NoteCache(synth or SineSynth(), song.a4_hz, song.quarter_bpm))])


def level_db(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2) + 1e-20))


def test_the_mix_is_exactly_as_long_as_the_arrangement() -> None:
    for frames in (1, 44_099, 65_536, 65_537, 140_000):
        song = replace(arrangement((part(PlayedNote(0.0, 1.0, 69, 100)),)), length_frames=frames)
        assert mixed(song).shape == (frames, 2)


def test_a_note_sounds_at_its_time_and_pitch() -> None:
    out = mixed(arrangement((part(PlayedNote(2.0, 2.0, 69, 127)),)))
    assert level_db(out[: int(0.95 * SAMPLE_RATE_HZ)]) < -80
    sounding = out[int(1.1 * SAMPLE_RATE_HZ) : int(1.9 * SAMPLE_RATE_HZ), 0]
    spectrum = np.abs(np.fft.rfft(sounding * np.hanning(len(sounding)), 1 << 19))
    assert np.argmax(spectrum) * SAMPLE_RATE_HZ / (1 << 19) == pytest.approx(440.0, abs=0.3)


def test_gain_and_pan_move_a_part() -> None:
    loud = mixed(arrangement((part(PlayedNote(0.0, 4.0, 69, 127)),)))
    soft = mixed(arrangement((part(PlayedNote(0.0, 4.0, 69, 127), gain_db=-6.0),)))
    left = mixed(arrangement((part(PlayedNote(0.0, 4.0, 69, 127), pan=-1.0),)))
    assert level_db(loud) - level_db(soft) == pytest.approx(6.0, abs=0.05)
    assert level_db(left[:, 1]) < level_db(left[:, 0]) - 60


def test_equal_notes_are_rendered_once() -> None:
    synth = SineSynth()
    mixed(arrangement((part(*[PlayedNote(beat / 2, 0.25, 60, 100) for beat in range(8)]),)), synth)
    assert len(synth.asked) == 1


def test_parts_duck_under_the_kick_and_come_back() -> None:
    pad = part(PlayedNote(0.0, 6.0, 69, 127), role="pad")
    kick = Part("Drums", "drums", 0, (PlayedNote(2.0, 0.1, 36, 1),), is_drums=True)
    plain, ducked = (mixed(arrangement((pad, kick), sidechain_db=depth, sidechain_release_s=0.1)) for depth in (0.0, 9.0))
    at = SAMPLE_RATE_HZ
    ratio_db = [level_db(ducked[at + n : at + n + 440]) - level_db(plain[at + n : at + n + 440]) for n in (200, 40_000)]
    assert ratio_db[0] == pytest.approx(-9.0, abs=1.2)
    assert ratio_db[1] == pytest.approx(0.0, abs=0.2)


def test_a_closed_hat_ends_an_open_one() -> None:
    class LongHat(SineSynth):
        def note(self, bank: int, program: int, pitch: int, velocity: int, length_frames: int) -> NDArray[np.float32]:
            return super().note(bank, program, pitch, velocity, 2 * SAMPLE_RATE_HZ if pitch == 46 else 64)

    notes = (PlayedNote(0.0, 0.1, 46, 100), PlayedNote(1.0, 0.1, 42, 4))
    out = mixed(arrangement((Part("Drums", "drums", 0, notes, is_drums=True),)), LongHat())
    after = int(0.55 * SAMPLE_RATE_HZ)
    assert level_db(out[after : after + 20_000]) < level_db(out[5_000:20_000]) - 40


def test_the_size_of_the_blocks_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = tuple(PlayedNote(beat / 4, 0.3, 60 + beat, 100) for beat in range(16))
    song = arrangement((part(*notes, reverb_send=0.5),), reverb_gain_db=-6.0, glue=0.5)
    whole = mixed(song)
    monkeypatch.setattr(mix_module, "BLOCK_FRAMES", 5_000)
    assert np.abs(mixed(song) - whole).max() < 1e-4


def test_the_last_sample_is_silent() -> None:
    out = mixed(arrangement((part(PlayedNote(0.0, 9.0, 69, 127)),)))
    assert np.abs(out[-1]).max() < 1e-4
    assert np.abs(np.diff(out[-2500:, 0])).max() < 0.08


def test_notes_out_of_order_are_refused() -> None:
    with pytest.raises(SoundError, match="order"):
        mixed(arrangement((part(PlayedNote(1.0, 1.0, 60, 90), PlayedNote(0.0, 1.0, 60, 90)),)))


# The master


def stored(samples: NDArray[np.float32], path: Path) -> RenderedMix:
    samples.astype(np.float32).tofile(path)
    meter = LoudnessMeter(SAMPLE_RATE_HZ, true_peak=False)
    meter.push(samples)
    return RenderedMix(path, len(samples), meter.result())


def loudness(blocks: list[NDArray[np.float32]]) -> tuple[float, float]:
    meter = LoudnessMeter(SAMPLE_RATE_HZ)
    for block in blocks:
        meter.push(block)
    return meter.result().integrated_lufs, meter.result().true_peak_dbtp


def programme(kind: str) -> NDArray[np.float32]:
    draw = np.random.default_rng(5)
    frames = 8 * SAMPLE_RATE_HZ
    if kind == "noise":
        return (0.05 * draw.standard_normal((frames, 2))).astype(np.float32)
    if kind == "peaky":
        out = 0.003 * draw.standard_normal((frames, 2))
        out[:: SAMPLE_RATE_HZ // 4] = 0.9
        return out.astype(np.float32)
    time_s = np.arange(frames) / SAMPLE_RATE_HZ
    sine = 0.01 * np.sin(2 * np.pi * 11_025 * time_s + np.pi / 4)
    return np.stack((sine, sine), axis=1).astype(np.float32)


@pytest.mark.parametrize("kind", ["noise", "peaky", "sine"])
def test_the_master_reaches_its_loudness_and_keeps_its_ceiling(kind: str, tmp_path: Path) -> None:
    result = finish(master(stored(programme(kind), tmp_path / "mix.f32"), -14.0, -1.0))
    lufs, peak = loudness(list(result.blocks()))
    assert peak <= -1.0
    assert lufs == pytest.approx(-14.0, abs=0.5)


def test_the_limiter_leaves_what_is_under_the_ceiling_untouched(tmp_path: Path) -> None:
    samples = programme("noise")
    result = finish(master(stored(samples, tmp_path / "mix.f32"), -30.0, -1.0))
    out = np.concatenate(list(result.blocks()))
    assert np.allclose(out / samples, out[0, 0] / samples[0, 0], rtol=1e-4)


def test_a_silent_mix_is_refused_and_nothing_stays_behind(tmp_path: Path) -> None:
    mix = stored(np.zeros((SAMPLE_RATE_HZ, 2), dtype=np.float32), tmp_path / "mix.f32")
    with pytest.raises(SoundError, match="silent"):
        finish(master(mix, -14.0, -1.0))
    assert [path.name for path in tmp_path.iterdir()] == ["mix.f32"]


def test_a_lower_ceiling_keeps_the_loudness_and_one_file_holds_everything(tmp_path: Path) -> None:
    first = finish(master(stored(programme("peaky"), tmp_path / "mix.f32"), -14.0, -1.0))
    second = finish(refitted(first, -14.0, -3.0))
    lufs, peak = loudness(list(second.blocks()))
    assert peak <= -3.0
    assert lufs == pytest.approx(-14.0, abs=0.5)
    assert [path.name for path in tmp_path.iterdir()] == ["mix.f32"]

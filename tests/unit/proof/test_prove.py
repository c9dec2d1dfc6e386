"""Proof of finished files: right ones pass, and each wrong one fails by what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.progress import finish
from llm_music_gen.errors import SoundError
from llm_music_gen.proof import BeatPromise, Promises, Proof, prove
from llm_music_gen.sound.bed.drone import DroneLayer
from llm_music_gen.sound.bed.entrainment import Entrainment, EntrainmentLayer
from llm_music_gen.sound.bed.schedule import Schedule
from llm_music_gen.sound.encode import encode
from llm_music_gen.units import SAMPLE_RATE_HZ, cents_to_ratio, midi_to_hz

TONIC_HZ = 132.0
FRAMES = 32 * SAMPLE_RATE_HZ + 321
TIMES_S = np.arange(FRAMES) / SAMPLE_RATE_HZ
BEAT = BeatPromise("binaural", 264.0, Schedule.constant(10.0))
PROMISES = Promises(frames=FRAMES, tonic_hz=528.0, a4_hz=443.993, beat=BEAT)


def struck(pitches: tuple[int, ...], every_s: float, a4_hz: float = 443.993) -> NDArray[np.float64]:
    """Notes that die away, one after the other."""
    out = np.zeros(FRAMES)
    length = round(1.2 * SAMPLE_RATE_HZ)
    at_s = np.arange(length) / SAMPLE_RATE_HZ
    for number in range(int(31.0 / every_s) - 2):
        hz = midi_to_hz(pitches[number % len(pitches)], a4_hz)
        start = round(number * every_s * SAMPLE_RATE_HZ)
        tone = sum(np.sin(2 * np.pi * hz * times * at_s) / times for times in (1, 2, 3))
        out[start : start + length] += tone * np.exp(-at_s / 0.25)
    return out


@lru_cache(maxsize=2)
def band(tonic_hz: float) -> NDArray[np.float32]:
    """A drone, notes over it and noise under it."""
    out = 0.05 * DroneLayer(tonic_hz, seed=1, harmonics=6).block(0, FRAMES)
    out += (0.03 * struck((60, 64, 67, 72, 71, 67), 0.5))[:, None]
    out += 0.003 * np.random.default_rng(1).standard_normal((FRAMES, 2))
    return out.astype(np.float32)


def music(tonic_hz: float = TONIC_HZ, beat_hz: float = 10.0, kind: Entrainment = "binaural") -> NDArray[np.float32]:
    """A band and a beat whose carrier is the drone's own octave."""
    beat = EntrainmentLayer(kind, 264.0, Schedule.constant(beat_hz)).block(0, FRAMES)
    return np.asarray(band(tonic_hz) + np.float32(0.02) * beat, dtype=np.float32)


def written(samples: NDArray[np.float32], path: Path, kbps: int = 128) -> Path:
    return finish(encode(iter([samples]), len(samples), path, path.suffix[1:], kbps))


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(music(), tmp_path_factory.mktemp("right") / "right.flac")


@pytest.fixture(scope="module")
def proof(right: Path) -> Proof:
    return prove(right, PROMISES)


def test_a_right_file_passes_everything_that_was_promised(proof: Proof) -> None:
    assert proof.passes, proof.line()
    assert {check.name for check in proof.checks if check.verdict == "pass"} >= {"tonic", "tonic frequency", "beat", "duration"}
    assert proof.check("tonic").measured == pytest.approx(0.0, abs=0.01)
    assert proof.check("tonic frequency").measured == pytest.approx(528.0, abs=0.005)
    assert proof.check("beat").measured == pytest.approx(10.0, abs=0.002)
    assert proof.line().startswith("Proof passed: tonic ")


def test_mp3_of_128_kbit_moves_neither_tonic_nor_beat(tmp_path: Path) -> None:
    made = prove(written(music(), tmp_path / "right.mp3"), PROMISES)
    assert made.passes, made.line()
    assert made.check("tonic").measured == pytest.approx(0.0, abs=0.02)
    assert made.check("beat").measured == pytest.approx(10.0, abs=0.002)


@pytest.mark.parametrize("cents", [3.0, -3.0, 0.3])
def test_a_detuned_file_fails_by_its_tonic(cents: float, tmp_path: Path) -> None:
    made = prove(written(music(TONIC_HZ * cents_to_ratio(cents)), tmp_path / "off.flac"), PROMISES)
    assert [check.name for check in made.failed] == ["tonic", "tonic frequency"]
    assert made.check("tonic").measured == pytest.approx(cents, abs=0.02)
    assert made.line().startswith("Proof FAILED: tonic")


@pytest.mark.parametrize(
    ("kind", "beat_hz"),
    [
        ("binaural", 10.05), ("binaural", 13.0), ("binaural", 7.83), ("monaural", 10.0), ("monaural", 10.05),
        ("isochronic", 10.0), ("isochronic", 9.95), ("isochronic", 7.83),
    ],
)  # fmt: skip
def test_a_wrong_beat_fails_and_is_said(kind: Entrainment, beat_hz: float, tmp_path: Path) -> None:
    promises = replace(PROMISES, beat=replace(BEAT, kind=kind))
    made = prove(written(music(beat_hz=beat_hz, kind=kind), tmp_path / "beat.flac"), promises)
    assert made.check("beat").measured == pytest.approx(beat_hz, abs=0.004)
    assert made.check("beat").verdict == ("pass" if beat_hz == 10.0 else "fail")
    assert made.check("tonic").verdict == "pass"


def test_a_gliding_beat_is_followed(tmp_path: Path) -> None:
    glide = Schedule(((0.0, 10.0), (32.0, 6.0)))
    samples = 0.05 * EntrainmentLayer("binaural", 200.0, glide).block(0, FRAMES)
    wrong = Schedule(((0.0, 10.0), (32.0, 6.1)))
    path = written(samples.astype(np.float32), tmp_path / "glide.flac")
    assert prove(path, Promises(beat=BeatPromise("binaural", 200.0, glide))).check("beat").verdict == "pass"
    assert prove(path, Promises(beat=BeatPromise("binaural", 200.0, wrong))).check("beat").verdict == "fail"


def test_a_binaural_beat_in_mono_fails(tmp_path: Path) -> None:
    samples = music()
    samples[:, 1] = samples[:, 0]
    check = prove(written(samples, tmp_path / "mono.flac"), PROMISES).check("beat")
    assert check.verdict == "fail" and "both sides" in check.note


def test_a_file_ten_frames_short_fails_by_its_length(right: Path, tmp_path: Path) -> None:
    made = prove(written(music()[:-10], tmp_path / "short.flac"), PROMISES)
    assert [check.name for check in made.failed] == ["duration"]
    assert made.check("duration").measured == FRAMES - 10


def test_levels_and_silence_are_held_to_their_promises(tmp_path: Path) -> None:
    samples = music()
    samples[20 * SAMPLE_RATE_HZ : 24 * SAMPLE_RATE_HZ] = 0.0
    path = written(samples, tmp_path / "gap.flac")
    measured = prove(path, Promises())
    lufs, peak = measured.check("loudness").measured, measured.check("true peak").measured
    assert isinstance(lufs, float) and isinstance(peak, float)
    good = Promises(lufs=lufs + 0.3, true_peak_dbtp=peak + 0.1, longest_silence_s=4.5)
    bad = Promises(lufs=lufs + 1.0, true_peak_dbtp=peak - 0.5, longest_silence_s=2.0)
    assert prove(path, good).passes
    assert {check.name for check in prove(path, bad).failed} == {"loudness", "true peak", "longest silence"}


def test_without_a_promise_the_tonic_is_none_and_the_reference_pitch_is_estimated(tmp_path: Path) -> None:
    tune = np.stack([0.1 * struck((57, 60, 64, 69, 62, 65, 71), 0.5, a4_hz=435.0)] * 2, axis=1).astype(np.float32)
    made = prove(written(tune, tmp_path / "tune.flac"), Promises())
    check = made.check("reference pitch")
    assert check.verdict == "not promised"
    assert check.measured == pytest.approx(435.0, abs=0.5)
    assert "tonic" not in {check.name for check in made.checks}


def test_tempo_and_key_are_found(tmp_path: Path) -> None:
    scale = struck((60, 62, 64, 65, 67, 69, 71, 72, 67, 64, 60, 67, 64, 60), 0.5, a4_hz=440.0)
    path = written(np.stack([0.1 * scale] * 2, axis=1).astype(np.float32), tmp_path / "scale.flac")
    right = prove(path, Promises(tempo_bpm=120.0, key=Key.parse("C")))
    assert right.check("tempo").verdict == right.check("key").verdict == "pass"
    wrong = prove(path, Promises(tempo_bpm=122.5, key=Key.parse("F#")))
    assert wrong.check("tempo").measured == pytest.approx(120.0, abs=0.1)
    assert wrong.check("tempo").verdict == wrong.check("key").verdict == "fail"


def test_what_cannot_be_measured_neither_passes_nor_fails(tmp_path: Path) -> None:
    noise = 0.05 * np.random.default_rng(3).standard_normal((FRAMES, 2)).astype(np.float32)
    made = prove(written(noise, tmp_path / "noise.flac"), replace(PROMISES, tempo_bpm=120.0, key=Key.parse("C")))
    assert made.passes
    for name in ("tonic", "beat", "tempo", "key"):
        assert made.check(name).verdict == "not measurable", made.check(name).line()
    assert "not measurable" in made.line()


def test_notes_of_two_seconds_are_told_to_a_cent(tmp_path: Path) -> None:
    at_s = np.arange(3 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    made = []
    for cents in (0.4, 3.0):
        out = np.zeros(FRAMES)
        for number in range(5):
            note = np.sin(2 * np.pi * 264.0 * cents_to_ratio(cents) * at_s + number) * np.sin(np.pi * at_s / 3.0) ** 0.25
            out[number * 6 * SAMPLE_RATE_HZ :][: len(note)] = note
        samples = np.stack([0.1 * out] * 2, axis=1).astype(np.float32)
        made.append(prove(written(samples, tmp_path / f"{cents}.flac"), Promises(tonic_hz=528.0)).check("tonic"))
    assert [check.verdict for check in made] == ["pass", "fail"]
    assert made[0].measured == pytest.approx(0.4, abs=0.1)
    assert "notes only" in made[0].note


def test_the_proof_is_json_that_can_be_read_again(proof: Proof) -> None:
    data = json.loads(proof.to_json())
    assert data["passes"] is True
    assert {"name", "measured", "target", "uncertainty", "unit", "verdict", "note"} == set(data["checks"][0])
    promises = replace(
        PROMISES, key=Key.parse("F#m"), beat=replace(BEAT, beat_hz=Schedule(((0.0, 10.0), (3600.0, 2.0))), end_s=60.0)
    )
    for one in (PROMISES, promises, Promises()):
        assert Promises.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize("data", [{"frames": 1, "more": 2}, {"key": "H#"}, {"beat": {"kind": "binaural"}}, {"beat": 3}])
def test_promises_that_make_no_sense_are_refused(data: dict[str, object]) -> None:
    with pytest.raises(SoundError, match=r"proof\.json"):
        Promises.from_dict(data)


@pytest.mark.parametrize("frames", [0, 1, 1_000, 60_000])
def test_very_short_and_silent_files_are_measured_as_far_as_possible(frames: int, tmp_path: Path) -> None:
    import soundfile

    path = tmp_path / "short.wav"
    soundfile.write(str(path), np.zeros((frames, 2), dtype=np.float32), SAMPLE_RATE_HZ, subtype="FLOAT")
    made = prove(path, replace(PROMISES, frames=frames, tempo_bpm=120.0, key=Key.parse("C"), varied=True))
    assert {check.name for check in made.failed} <= {"beat"}
    json.loads(made.to_json())


def test_what_is_not_audio_is_said(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(b"not audio")
    with pytest.raises(SoundError):
        prove(path, Promises())

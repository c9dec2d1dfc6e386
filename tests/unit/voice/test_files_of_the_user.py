"""Whisper models and Piper voices of the user's: the real packages with files of random weights, and files that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llm_music_gen.errors import DependencyMissing, SoundError, UsageError
from llm_music_gen.voice.piper import Piper
from llm_music_gen.voice.ports import HEARING_RATE_HZ
from llm_music_gen.voice.whisper import Whisper
from tests.unit.voice.random_whisper import write_whisper

NOISE = (0.1 * np.random.default_rng(1).standard_normal(HEARING_RATE_HZ)).astype(np.float32)
ENGLISH, MANY_LANGUAGES = 51_864, 51_865
SYMBOLS = "_^$ abcdefghijklmnopqrstuvwxyzɡˈˌːəɛɪʊʌɔɑæŋθðʃʒɹɾ.,!?"


@pytest.fixture(scope="module")
def whispers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pywhispercpp")
    folder = tmp_path_factory.mktemp("whispers")
    write_whisper(folder / "ggml-random.en.bin", ENGLISH)
    write_whisper(folder / "ggml-random.bin", MANY_LANGUAGES)
    return folder


def write_voice(folder: Path, name: str, speakers: int = 1) -> None:
    """A voice as Piper takes them: each phoneme is a humming of 256 samples times the length scale."""
    onnx = pytest.importorskip("onnx")
    make, kinds = onnx.helper, onnx.TensorProto
    inputs = [("input", kinds.INT64, [1, "n"]), ("input_lengths", kinds.INT64, [1]), ("scales", kinds.FLOAT, [3])]
    nodes = [
        ("Slice", ["scales", "one", "two"], "scale"), ("Mul", ["scale", "hundred"], "many"),
        ("Concat", ["first", "many"], "shape"),
        ("Floor", ["shape"], "whole"), ("Cast", ["whole"], "times"), ("Cast", ["input"], "ids"), ("Sin", ["ids"], "hum"),
        ("Tile", ["hum", "times"], "long"), ("Unsqueeze", ["long", "one"], "output"),
    ]  # fmt: skip
    more: dict[str, dict[str, int]] = {"times": {"to": kinds.INT64}, "ids": {"to": kinds.FLOAT}, "shape": {"axis": 0}}
    graph = make.make_graph(
        [make.make_node(kind, taken, [given], **more.get(given, {})) for kind, taken, given in nodes],
        "voice",
        [make.make_tensor_value_info(*one) for one in inputs]
        + ([make.make_tensor_value_info("sid", kinds.INT64, [1])] if speakers > 1 else []),
        [make.make_tensor_value_info("output", kinds.FLOAT, [1, 1, "samples"])],
        [
            make.make_tensor("one", kinds.INT64, [1], [1]), make.make_tensor("two", kinds.INT64, [1], [2]),
            make.make_tensor("hundred", kinds.FLOAT, [1], [100.0]), make.make_tensor("first", kinds.FLOAT, [1], [1.0]),
        ],
    )  # fmt: skip
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8), str(folder / f"{name}.onnx"))
    config = {
        "num_symbols": 256, "num_speakers": speakers, "audio": {"sample_rate": 16_000}, "espeak": {"voice": "en-us"},
        "phoneme_id_map": {symbol: [number] for number, symbol in enumerate(SYMBOLS)}, "inference": {"length_scale": 1.2},
    }  # fmt: skip
    (folder / f"{name}.onnx.json").write_text(json.dumps(config), encoding="utf-8")


@pytest.mark.parametrize(("name", "language"), [("ggml-random.en.bin", ""), ("ggml-random.bin", "de")])
def test_whisper_hears_within_the_piece_that_it_was_given(whispers: Path, name: str, language: str) -> None:
    for heard in Whisper(whispers / name, language).hear(NOISE, 10.0):
        assert heard.text
        assert 10.0 <= heard.start_s <= heard.stop_s <= 11.0
        assert 0.0 <= heard.confidence <= 1.0


def test_a_language_that_the_model_does_not_know_is_refused(whispers: Path) -> None:
    with pytest.raises(UsageError, match="knows no language 'xx'"):
        Whisper(whispers / "ggml-random.bin", "xx").hear(NOISE, 0.0)
    with pytest.raises(UsageError, match="English only"):
        Whisper(whispers / "ggml-random.en.bin", "de").hear(NOISE, 0.0)


@pytest.mark.parametrize("content", [b"", b"lmg", b"hello" * 100, b"lmgg", b"lmgg" + bytes(4_000)])
def test_a_file_that_is_no_whisper_model_is_one_sentence(whispers: Path, content: bytes) -> None:
    path = whispers / "ggml-none.bin"
    path.write_bytes(content)
    with pytest.raises(SoundError, match=r"ggml-none\.bin") as caught:
        Whisper(path).hear(NOISE, 0.0)
    assert "\n" not in str(caught.value)


def test_half_a_whisper_model_neither_ends_the_program_nor_chatters(whispers: Path) -> None:
    half = whispers / "ggml-half.bin"
    half.write_bytes((whispers / "ggml-random.en.bin").read_bytes()[:3_000_000])
    program = (
        "import sys, numpy as np; from pathlib import Path; from llm_music_gen.voice.whisper import Whisper\n"
        "from llm_music_gen.errors import SoundError\n"
        "try: Whisper(Path(sys.argv[1])).hear(np.zeros(16_000, np.float32), 0.0)\n"
        "except SoundError as error: print(error)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(half)], capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "ggml-half.bin is damaged or no Whisper model" in ran.stdout


@pytest.mark.parametrize("speakers", [1, 3])
def test_a_piper_voice_speaks_at_the_rate_that_is_asked_for(tmp_path: Path, speakers: int) -> None:
    pytest.importorskip("piper")
    write_voice(tmp_path, "en_US-hum-low", speakers)
    piper = Piper(tmp_path)
    assert [(voice.name, voice.language) for voice in piper.voices()] == [("piper:en_US-hum-low", "en-us")]
    usual, twice = (piper.speak("Good evening, and welcome.", "piper:en_US-hum-low", rate) for rate in (165, 330))
    assert usual.sample_rate_hz == 16_000
    assert usual.samples.dtype == np.float32
    assert usual.samples.ndim == 1
    assert len(usual.samples) / len(twice.samples) == pytest.approx(2.0, abs=0.01)


def test_phonemes_in_a_text_do_not_steer_a_piper_voice(tmp_path: Path) -> None:
    pytest.importorskip("piper")
    write_voice(tmp_path, "en_US-hum-low")
    said = [Piper(tmp_path).speak(text, "piper:en_US-hum-low", 165).samples for text in ("[[a]] b", "a b")]
    assert np.array_equal(said[0], said[1])


@pytest.mark.parametrize(("model", "config"), [(b"no model", None), (None, "{}"), (None, "[1]"), (None, "{")])
def test_a_broken_piper_voice_is_one_sentence(tmp_path: Path, model: bytes | None, config: Any) -> None:
    pytest.importorskip("piper")
    write_voice(tmp_path, "en_US-broken-low")
    if model is not None:
        (tmp_path / "en_US-broken-low.onnx").write_bytes(model)
    if config is not None:
        (tmp_path / "en_US-broken-low.onnx.json").write_text(config, encoding="utf-8")
    with pytest.raises(SoundError, match=r"en_US-broken-low\.onnx cannot speak") as caught:
        Piper(tmp_path).speak("Good evening.", "piper:en_US-broken-low", 165)
    assert "\n" not in str(caught.value)


def test_without_their_packages_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pywhispercpp", None)
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(DependencyMissing, match="pip install pywhispercpp"):
        Whisper(tmp_path / "ggml-x.bin").hear(NOISE, 0.0)
    with pytest.raises(DependencyMissing, match="pip install piper-tts"):
        Piper(tmp_path).speak("Hello", "piper:x", 165)

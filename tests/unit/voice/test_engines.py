"""Engines of speech and hearing: every voice speaks, commands are understood, other sentences are not, pauses cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import resample_poly

from llm_music_gen.errors import UsageError
from llm_music_gen.voice.espeak import Espeak
from llm_music_gen.voice.grammar import PRONUNCIATIONS, commands
from llm_music_gen.voice.pauses import Piece, pieces
from llm_music_gen.voice.ports import HEARING_RATE_HZ
from llm_music_gen.voice.sphinx import Sphinx


def at_hearing_rate(text: str, voice: str = "adam") -> NDArray[np.float32]:
    """Speech with noise 20 dB under it."""
    spoken = Espeak().speak(text, voice, 140)
    samples: NDArray[np.float32] = resample_poly(spoken.samples, HEARING_RATE_HZ, spoken.sample_rate_hz).astype(np.float32)
    noise = np.random.default_rng(5).standard_normal(len(samples)).astype(np.float32)
    noisy: NDArray[np.float32] = samples + np.float32(0.1 * np.sqrt(np.mean(samples**2))) * noise
    return noisy


@pytest.fixture(scope="module")
def listener() -> Sphinx:
    return Sphinx(commands, PRONUNCIATIONS)


@pytest.mark.parametrize("voice", [voice.name for voice in Espeak().voices()])
def test_every_voice_that_is_listed_speaks(voice: str) -> None:
    spoken = Espeak().speak("Good evening, and welcome.", voice, 165)
    assert 0.7 < len(spoken.samples) / spoken.sample_rate_hz < 4.0
    assert np.max(np.abs(spoken.samples)) > 0.1


def test_voices_differ_and_the_rate_changes_the_length() -> None:
    text = "Good evening, and welcome to the studio."
    nora, adam = (Espeak().speak(text, voice, 165).samples for voice in ("nora", "adam"))
    assert len(nora) != len(adam) or not np.allclose(nora, adam)
    assert len(Espeak().speak(text, "adam", 100).samples) > 1.4 * len(Espeak().speak(text, "adam", 200).samples)


def test_an_unknown_voice_is_refused_in_one_sentence() -> None:
    with pytest.raises(UsageError, match="no voice 'nobody'"):
        Espeak().speak("Hello", "nobody", 165)


@pytest.mark.parametrize(
    "text", ["make a calm dubstep song at five hundred twenty eight hertz", "play the last song", "show my songs",
             "make it warmer and louder", "normalize it"],
)  # fmt: skip
def test_a_spoken_command_is_understood_word_for_word(listener: Sphinx, text: str) -> None:
    samples = at_hearing_rate(text)
    heard = listener.hear(samples, 10.0)
    assert [one.text for one in heard] == [text]
    assert 10.0 <= heard[0].start_s < heard[0].stop_s <= 10.0 + len(samples) / HEARING_RATE_HZ
    assert 0.5 < heard[0].confidence <= 1.0


@pytest.mark.parametrize("text", ["my brother bought a new bicycle yesterday", "the weather in london is rainy again today"])
def test_a_sentence_that_is_no_command_is_not_taken_for_one(listener: Sphinx, text: str) -> None:
    assert listener.hear(at_hearing_rate(text), 0.0) == ()


def test_silence_and_noise_are_no_commands(listener: Sphinx) -> None:
    assert listener.hear(np.zeros(HEARING_RATE_HZ, dtype=np.float32), 0.0) == ()
    noise = np.random.default_rng(3).standard_normal(HEARING_RATE_HZ).astype(np.float32)
    assert listener.hear(noise * np.float32(0.1), 0.0) == ()
    assert listener.hear(np.zeros(0, dtype=np.float32), 0.0) == ()


def test_the_grammar_has_one_public_rule_defines_what_it_uses_and_leaves_out_unknown_words() -> None:
    grammar = commands(lambda word: word not in ("dubstep", "violin"))
    assert grammar.count("public <") == 1
    defined = set(re.findall(r"<(\w+)> =", grammar))
    assert set(re.findall(r"<(\w+)>", grammar)) == defined
    assert "dubstep" not in grammar
    assert "violin" not in grammar
    assert "techno" in grammar


def bursts(*places_s: tuple[float, float], length_s: float, noise: float = 1e-3) -> NDArray[np.float32]:
    """Tones at places (start, stop) in soft noise."""
    samples = noise * np.random.default_rng(2).standard_normal(round(length_s * HEARING_RATE_HZ))
    for start_s, stop_s in places_s:
        first, last = round(start_s * HEARING_RATE_HZ), round(stop_s * HEARING_RATE_HZ)
        samples[first:last] += 0.3 * np.sin(2 * np.pi * 300 * np.arange(last - first) / HEARING_RATE_HZ)
    return samples.astype(np.float32)


def blocks(samples: NDArray[np.float32], frames: int) -> Iterator[NDArray[np.float32]]:
    yield from (samples[start : start + frames] for start in range(0, len(samples), frames))


def places(found: list[Piece]) -> list[tuple[float, float]]:
    return [(piece.start_s, piece.start_s + len(piece.samples) / HEARING_RATE_HZ) for piece in found]


@pytest.mark.parametrize("frames", [160, 999, 65_536])
def test_speech_is_cut_at_its_pauses_however_the_stream_is_cut(frames: int) -> None:
    samples = bursts((1.0, 2.0), (3.0, 3.5), (3.7, 4.2), length_s=6.0)
    found = places(list(pieces(blocks(samples, frames))))
    assert len(found) == 2  # a gap of 0.2 s is no pause
    for (start_s, stop_s), (first_s, last_s) in zip(found, [(1.0, 2.0), (3.0, 4.2)], strict=True):
        assert first_s - 0.2 <= start_s <= first_s
        assert last_s <= stop_s <= last_s + 0.25


def test_nothing_is_found_in_silence_and_a_long_breath_is_cut_without_a_gap() -> None:
    assert list(pieces(blocks(np.zeros(HEARING_RATE_HZ * 3, dtype=np.float32), 4_000))) == []
    assert list(pieces(iter(()))) == []
    changing: Any = bursts(*((1.0 + 0.3 * n, 1.25 + 0.3 * n) for n in range(120)), length_s=40.0)
    found = places(list(pieces(blocks(changing, 10_000))))
    assert len(found) == 2
    assert max(stop - start for start, stop in found) <= 25.01
    assert found[0][1] == pytest.approx(found[1][0], abs=0.021)

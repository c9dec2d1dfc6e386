"""Requests: what is typed is checked before any work begins, and every refusal is one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.errors import UsageError
from llm_music_gen.studio.request import GenerateRequest, RenderRequest


def test_what_is_typed_is_understood() -> None:
    request = GenerateRequest.from_words(
        " Chill, Dubstep ", songs="3", length="4-6", key="A minor", tempo="92.5", meter="C", seed="7", formats="MP3, .wav,mp3"
    )
    assert request.styles == ("Chill", "Dubstep")
    assert request.styles_text == "Chill, Dubstep"
    assert (request.songs, request.length, request.key, request.meter) == (3, "4-6", "Am", "4/4")
    assert (request.tempo_bpm, request.seed, request.formats) == (92.5, 7, ("mp3", "wav"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"styles": ""},
        {"styles": " , ;, "},
        {"styles": "🎵"},
        {"styles": "x" * 600},
        {"songs": "0"},
        {"songs": "10000"},
        {"songs": "-1"},
        {"songs": "three"},
        {"length": "0"},
        {"length": "-3"},
        {"length": "abc"},
        {"length": "6-4"},
        {"length": "99:00"},
        {"key": "H sharp"},
        {"key": ""},
        {"key": "E# major"},
        {"meter": "0/4"},
        {"meter": "4/0"},
        {"meter": "4/5"},
        {"meter": "waltz"},
        {"tempo": "0"},
        {"tempo": "fast"},
        {"tempo": "nan"},
        {"tempo": "1e9"},
        {"seed": "-1"},
        {"seed": "1.5"},
        {"seed": str(2**60)},
        {"formats": "ogg"},
        {"formats": ","},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_in_one_sentence(wrong: dict[str, Any]) -> None:
    given = {"styles": "Chill", **wrong}
    with pytest.raises(UsageError) as caught:
        GenerateRequest.from_words(given.pop("styles"), **given)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_request_survives_the_job_queue() -> None:
    request = GenerateRequest.from_words("Chill", songs=2, length="30s", key="Dm", tempo="80", seed="3", formats="wav")
    assert GenerateRequest.from_dict(json.loads(json.dumps(request.to_dict()))) == request
    plain = GenerateRequest.from_words("Chill")
    assert GenerateRequest.from_dict(json.loads(json.dumps(plain.to_dict()))) == plain


@pytest.mark.parametrize("data", [{}, {"styles": ["a"], "colour": "red"}, {"styles": ["a"], "songs": 0}])
def test_a_broken_request_from_the_queue_is_refused(data: dict[str, Any]) -> None:
    if data:
        with pytest.raises(UsageError):
            GenerateRequest.from_dict(data)
    else:
        assert GenerateRequest.from_dict(data).styles == ()


def test_only_abc_and_midi_files_are_rendered() -> None:
    assert RenderRequest.from_words(Path("my tune.ABC"), styles="jazz").styles == ("jazz",)
    with pytest.raises(UsageError, match="neither an ABC nor a MIDI file"):
        RenderRequest.from_words(Path("song.mp3"))

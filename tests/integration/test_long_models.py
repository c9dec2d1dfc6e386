"""Models that fail on a track of hours: it is made in any case, says so, and keeps what was asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_music_gen.domain.progress import finish
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.studio.studio import Studio
from tests.fakes.model_server import scripted_server
from tests.reliability.track import request, short_pieces


def test_a_server_without_music_costs_remarks_and_its_answers_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short_pieces(monkeypatch)
    with scripted_server() as server:
        server.behaviour = lambda handler, _: handler.stream("I'm sorry, ", "I cannot.")
        settings = Settings(server=f"http://127.0.0.1:{server.server_port}/v1", model="server")
        with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), settings) as studio:
            [outcome] = finish(studio.generate(request(formats="flac")))
    song = outcome.song
    assert song is not None, outcome.error
    assert song.model == "composer.built-in.gguf"
    theme, tune = song.hints[-2:]
    assert theme.startswith("the model at 127.0.0.1") and theme.endswith("the word tables decided.")
    assert tune.startswith("tiny at 127.0.0.1") and tune.endswith("the built-in composer wrote the tune.")
    exchanges = [json.loads(line) for line in (song.folder / "prompts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [exchange["purpose"] for exchange in exchanges[:4]] == ["theme", "tune A", "tune A", "tune A"]
    assert {exchange["answer"] for exchange in exchanges[:4]} == {"I'm sorry, I cannot."}
    assert exchanges[4]["model"] == "composer.built-in.gguf"


def test_prompts_of_tracks_are_left_out_where_the_settings_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short_pieces(monkeypatch)
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings(keep_prompts=False)) as studio:
        for report in studio.generate(request(formats="flac")):
            if report.stage == "sound":
                break
        [track] = studio.unfinished()
    assert not track.prompts_path.exists()

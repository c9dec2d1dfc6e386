"""Recipes: read and written without loss, refused in one sentence, with an identity that measuring does not change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_music_gen.errors import StudioError
from llm_music_gen.library.shelf import read_song
from llm_music_gen.studio.recipe import Measured, Recipe, read_recipe

DATA: dict[str, Any] = {
    "schema": 1,
    "created": "2026-01-02T03:04:05Z",
    "seed": 7,
    "theme": {
        "title": "Früher Fluss",
        "styles": ["Chill"],
        "mood": [],
        "key": "Dm",
        "tempo_bpm": 90.0,
        "meter": "4/4",
        "form": [{"label": "A", "role": "verse", "bars": 4, "energy": 0.5}],
        "density": 0.5,
        "length_frames": 573_300,
    },
    "unit": "1/8",
    "sections": [{"label": "A", "bars": 4, "text": '"Dm"D8|D8|D8|D8|'}],
    "style_names": ["chill"],
    "style_sha256": "2" * 64,
    "model": {"name": "composer.built-in.gguf", "sha256": "0" * 64, "temperature": 0.75},
    "soundfont": {"name": "TimGM6mb.sf2", "sha256": "1" * 64},
    "loudness_lufs": -14.0,
    "formats": ["mp3"],
    "mp3_kbps": 192,
    "versions": {"llm-music-gen": "0.1.0"},
}


def test_a_recipe_survives_its_file(tmp_path: Path) -> None:
    recipe = Recipe.model_validate(DATA)
    path = tmp_path / "recipe.json"
    path.write_text(recipe.to_json(), encoding="utf-8")
    assert read_recipe(path) == recipe
    assert read_recipe(tmp_path) == recipe
    assert recipe.theme.theme().key.abc() == "Dm"


def test_the_identity_covers_everything_but_what_was_measured(tmp_path: Path) -> None:
    recipe = Recipe.model_validate(DATA)
    measured = recipe.model_copy(update={"measured": Measured(lufs=-14.0, true_peak_dbtp=-1.5)})
    assert measured.identity == recipe.identity
    other = Recipe.model_validate({**DATA, "seed": 8})
    assert other.identity != recipe.identity
    (tmp_path / "recipe.json").write_text(measured.to_json(), encoding="utf-8")
    assert read_song(tmp_path).id == recipe.identity


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"schema": None},
        {"surprise": 1},
        {"seed": -1},
        {"formats": ["exe"]},
        {"formats": []},
        {"sections": []},
        {"unit": "1/0x"},
        {"theme": {**DATA["theme"], "key": "H"}},
        {"theme": {**DATA["theme"], "meter": "0/4"}},
        {"theme": {**DATA["theme"], "length_frames": 0}},
        {"theme": {**DATA["theme"], "form": []}},
    ],
    ids=str,
)
def test_what_is_no_recipe_is_refused_in_one_sentence(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({**DATA, **change}), encoding="utf-8")
    with pytest.raises(StudioError) as caught:
        read_recipe(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, "\x00"])
def test_broken_files_are_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StudioError) as caught:
        read_recipe(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(StudioError, match="cannot be read"):
        read_recipe(tmp_path / "missing.json")

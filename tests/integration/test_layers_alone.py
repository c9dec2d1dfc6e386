"""Tracks of nothing but layers, and the words of a request that only they have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llm_music_gen.domain.progress import finish
from llm_music_gen.domain.song import Song
from llm_music_gen.errors import UsageError
from llm_music_gen.paths import StudioPaths
from llm_music_gen.settings import Settings
from llm_music_gen.sound.decode import decoded
from llm_music_gen.studio import studio as studio_module
from llm_music_gen.studio.recipe import read_recipe
from llm_music_gen.studio.request import GenerateRequest, LongWords, titled
from llm_music_gen.studio.studio import Studio

RATE = 44_100


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_module, "processor_count", lambda: 0)


def made(home: Path, **changes: str) -> Song:
    long = LongWords(layers=changes.pop("layers"), only_layers=True, fade=changes.pop("fade", ""))
    request = GenerateRequest.from_words("noise", seed=4, formats="flac", long=long, **changes)
    with Studio(StudioPaths(home / "data", home / "models"), Settings()) as studio:
        (outcome,) = finish(studio.generate(request))
    assert outcome.song is not None, outcome.error
    return outcome.song


def samples(song: Song) -> np.ndarray:
    assert song.audio_file is not None
    return np.concatenate(list(decoded(song.audio_file)))


def test_two_beating_tones_and_nothing_else(tmp_path: Path) -> None:
    song = made(tmp_path, layers="binaural 4", length="10s", frequency="200", fade="2s")
    sound = samples(song)
    assert len(sound) == 10 * RATE and song.title == "Binaural beat" and not song.hints
    steady = sound[2 * RATE : 6 * RATE] * np.hanning(4 * RATE)[:, None]
    spectrum = np.abs(np.fft.rfft(steady, axis=0))
    left, right = spectrum.argmax(axis=0) / 4
    assert (left + right) / 2 == pytest.approx(200, abs=0.25) and abs(left - right) == pytest.approx(4, abs=0.25)
    lines = spectrum[:, 0] / spectrum[:, 0].max()
    lines[int(left * 4) - 8 : int(left * 4) + 9] = 0.0
    assert lines.max() < 1e-3, "something else sounds"
    ends = [np.sqrt(np.mean(sound[-RATE // 2 :] ** 2)), np.sqrt(np.mean(sound[7 * RATE : 8 * RATE] ** 2))]
    assert ends[0] < 0.2 * ends[1], "it does not fade out"


def test_noise_alone_has_a_recipe_without_notes_that_makes_it_again(tmp_path: Path) -> None:
    song = made(tmp_path, layers="brown", length="10s")
    recipe = read_recipe(song.folder)
    assert recipe.long is not None and not recipe.long.music and not recipe.sections
    assert song.title == "Brown noise" and "abc" not in song.files
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings()) as studio:
        (again,) = finish(studio.remake(song.folder))
    assert again.song is not None, again.error
    assert np.array_equal(samples(song), samples(again.song))


def test_a_track_without_music_and_layers_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to hear"):
        GenerateRequest.from_words("noise", long=LongWords(only_layers=True))


def test_a_song_bears_the_title_it_was_given(tmp_path: Path) -> None:
    request = replace(
        GenerateRequest.from_words("lullaby", length="10s", seed=1, songs=2, formats="wav"), title="Lullaby for Emma"
    )
    with Studio(StudioPaths(tmp_path / "data", tmp_path / "models"), Settings()) as studio:
        outcomes = finish(studio.generate(request))
    assert [outcome.song.title for outcome in outcomes if outcome.song] == ["Lullaby for Emma", "Lullaby for Emma 2"]


def test_titles_are_one_readable_line() -> None:
    assert titled("  Night\n\train \x07") == "Night rain"
    assert len(titled("x" * 500)) == 120
    with pytest.raises(UsageError, match="readable"):
        titled("\x07\x08")

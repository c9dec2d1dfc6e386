"""What `like` asks for: another song on the same frequency, over the same layers, as calm."""

from __future__ import annotations

import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.long_form import Chapter
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan, Theme
from llm_music_gen.studio.long.layers import layers_text, read_layers
from llm_music_gen.studio.long.record import ChapterRecord, LongRecord
from llm_music_gen.studio.long.wish import wish_like
from llm_music_gen.studio.recipe import Recipe, TuningRecord
from llm_music_gen.studio.request import read_frequencies
from tests.fakes.recipes import recipe_of


def song() -> Recipe:
    form = (SectionPlan("A", "verse", 8, 0.4),)
    return recipe_of(Theme("Song", ("ambient",), (), Key("C"), 60.0, Meter(4, 4), form, length_frames=60 * 44_100), "ambient")


@pytest.mark.parametrize(
    "text",
    ["binaural 10-2, rain -6dB", "isochronic 6, pink +3dB, tone 528", "binaural 10-2 30min, surf", "monaural 9.25", "grey", ""],
)
def test_layers_become_words_that_ask_for_the_same_layers(text: str) -> None:
    layers = read_layers(text, tonic_hz=528.0, tempo_bpm=60.0, length_s=7_200.0)
    assert read_layers(layers_text(layers), tonic_hz=528.0, tempo_bpm=60.0, length_s=7_200.0) == layers


def test_a_song_at_concert_pitch_wishes_for_nothing_special() -> None:
    assert not any(wish_like(song()).values())


@pytest.mark.parametrize(("label", "asked"), [("528 Hz", "528 Hz"), ("om (136.102 Hz)", "om"), ("A4 = 432 Hz", "A4 = 432 Hz")])
def test_a_frequency_is_asked_for_in_words_that_are_understood(label: str, asked: str) -> None:
    wish = wish_like(song().model_copy(update={"tuning": TuningRecord(frequency=label, tonic_hz=None, system="just")}))
    assert wish == {"frequency": asked, "intonation": "just"}
    assert read_frequencies(asked)[0].label == label


def test_a_track_of_the_night_is_followed_by_one_of_the_night() -> None:
    form = song()
    chapter = ChapterRecord.of(Chapter(0, 0.0, 60.0, "One", Key("C"), 0.3, 0.5), "1/8", form.sections, None)
    layers = read_layers("rain -6dB", tonic_hz=528.0, tempo_bpm=60.0, length_s=60.0)
    long = LongRecord(
        calm="night", intonation="equal", frequency="174 Hz, 285 Hz", chapters=(chapter, chapter), layers=layers, music=False
    )
    assert wish_like(form.model_copy(update={"long": long})) == {
        "frequency": "174 Hz, 285 Hz", "each": "60s", "night": True, "layers": "rain -6dB", "only_layers": True,
    }  # fmt: skip

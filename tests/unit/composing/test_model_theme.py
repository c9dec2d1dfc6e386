"""Themes by a model: what it says shows in the plan, and no answer whatever costs the song."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.composing.model_theme import ModelThemeWriter, theme_messages, theme_shape
from llm_music_gen.composing.theme import PlannedSong, SongRequest, plan_theme
from llm_music_gen.domain.key import Key
from llm_music_gen.errors import ModelError
from llm_music_gen.llm.chat import LocalChat
from llm_music_gen.llm.formats import Message
from llm_music_gen.llm.json_constraint import Shape
from llm_music_gen.styles import load_styles
from tests.fakes.scripted_model import ScriptedModel

STYLES = load_styles()
GOOD: dict[str, Any] = {
    "title": "Harbour Lights",
    "mood": ["dreamy"],
    "key": "Eb minor",
    "tempo_bpm": 74,
    "meter": "4/4",
    "form": [
        {"role": "intro", "label": "A", "bars": 4, "energy": 10, "character": "sparse"},
        {"role": "verse", "label": "B", "bars": 8, "energy": 40, "character": "warm"},
        {"role": "chorus", "label": "C", "bars": 8, "energy": 90, "character": "wide"},
        {"role": "outro", "label": "A", "bars": 4, "energy": 5, "character": "fading"},
    ],
    "instruments": ["flute", "harp"],
}


@dataclass
class Answers:
    """Somebody who always answers the same."""

    text: str | ModelError
    asked: list[Sequence[Message]] = field(default_factory=list)
    name: str = "scripted"

    def answering(self, messages: Sequence[Message], shape: Shape, *, seed: int) -> Generator[str, None, None]:
        self.asked.append(messages)
        if isinstance(self.text, ModelError):
            raise self.text
        yield self.text


def request(*words: str, length: str = "1", **wishes: Any) -> SongRequest:
    return SongRequest(words or ("Chill",), parse_length(length), **wishes)


def plan(answer: Any, wish: SongRequest | None = None) -> PlannedSong:
    text = answer if isinstance(answer, str | ModelError) else json.dumps(answer)
    return ModelThemeWriter(Answers(text)).plan(wish or request(), STYLES, np.random.default_rng(1))


def test_what_the_model_says_shows_in_the_theme() -> None:
    planned = plan(GOOD, request(length="1m20s"))
    theme = planned.theme
    assert theme.title == "Harbour Lights"
    assert theme.mood == planned.moods == ("dreamy",)
    assert theme.key == Key("Eb", "minor")
    assert theme.instruments == ("flute", "harp")
    assert theme.form[0].role == "intro" and {"sparse", "warm", "wide"} <= {part.character for part in theme.form}
    assert theme.length_frames == 80 * 44_100
    assert planned.exchanges[0].answer == json.dumps(GOOD)


def test_the_users_wishes_stand_above_the_models() -> None:
    wish = request("Chill", "sad", key=Key.parse("Am"), tempo_bpm=81.0, instruments=("cello",), without=("harp",))
    theme = plan(GOOD, wish).theme
    assert (theme.key.abc(), theme.tempo_bpm, theme.instruments, theme.mood) == ("Am", 81.0, ("cello",), ("sad",))


def test_instruments_that_must_not_sound_are_left_out() -> None:
    assert plan(GOOD, request(without=("harp",))).theme.instruments == ("flute",)


NONSENSE = {
    "empty": "",
    "rambling": "Well, let me think about music. " * 500,
    "refusal": "I'm sorry, but as an AI language model I cannot write music.",
    "cut off": '{"title": "Harb',
    "list": "[1, 2, 3]",
    "deep": '{"a":' + "[" * 50_000,
    "no known key": '{"colour": "blue"}',
    "wrong types": '{"title": 7, "mood": {}, "key": [], "tempo_bpm": "fast", "meter": 3, "form": "AABA", "instruments": 1}',
    "nulls": '{"title": null, "mood": null, "key": null, "tempo_bpm": null, "meter": null, "form": null, "instruments": null}',
    "nan": '{"tempo_bpm": true, "form": [{"bars": NaN}]}',
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_falls_back_to_the_word_tables_with_a_remark(name: str) -> None:
    planned, plain = plan(NONSENSE[name]), plan_theme(request(), STYLES, np.random.default_rng(1))
    assert planned.theme.title == plain.theme.title and planned.theme.form == plain.theme.form
    assert "word tables decided" in planned.theme.hints[-1]
    assert planned.exchanges[0].answer == NONSENSE[name]


def test_a_model_that_fails_costs_a_remark() -> None:
    planned = plan(ModelError("It broke off."))
    assert "It broke off; " not in planned.theme.hints[-1]
    assert "(It broke off); the word tables decided." in planned.theme.hints[-1]


def test_what_is_out_of_bounds_is_put_right() -> None:
    section = {"role": "verse", "label": "A", "bars": 9000, "energy": 1e9, "character": "x" * 500}
    wild = {**GOOD, "tempo_bpm": 900, "meter": "17/4", "key": "H major", "form": [section] * 40, "instruments": ["zorp", "flute"]}
    planned = plan({**wild, "title": "Long " * 25})
    theme = planned.theme
    assert planned.style.tempo_min_bpm <= theme.tempo_bpm <= planned.style.tempo_max_bpm
    assert str(theme.meter) in planned.style.meters and theme.length_frames == 60 * 44_100
    assert all(part.bars <= 16 and part.energy <= 1 and len(part.character) <= 40 for part in theme.form)
    assert theme.instruments == ("flute",) and len(theme.title) <= 48
    for word in ("tempo", "metre", "key", "form", "instruments"):
        assert word in theme.hints[-1]


def test_a_refusal_is_no_title() -> None:
    assert "sorry" not in plan({**GOOD, "title": "I'm sorry, as an AI"}).theme.title.lower()


def test_json_in_thoughts_is_not_the_answer() -> None:
    thought = json.dumps({**GOOD, "title": "A First Idea"})
    assert plan(f"<think>{thought}</think>\n{json.dumps(GOOD)}").theme.title == "Harbour Lights"


def test_json_inside_prose_is_found() -> None:
    assert plan(f"Sure! ```json\n{json.dumps(GOOD)}\n``` Enjoy.").theme.title == "Harbour Lights"


@pytest.mark.parametrize("seed", range(6))
def test_a_model_that_knows_nothing_still_gives_a_usable_theme(seed: int) -> None:
    """Random tokens under the mask: always JSON, always a plan of the length asked for."""
    writer = ModelThemeWriter(LocalChat(ScriptedModel(context_tokens=20_000), "chatml"))
    planned = writer.plan(request("Jazz", length="2"), STYLES, np.random.default_rng(seed))
    assert not any("word tables decided" in hint for hint in planned.theme.hints)
    assert json.loads(planned.exchanges[0].answer)["title"]
    assert planned.theme.length_frames == 120 * 44_100


def test_a_context_too_small_costs_a_remark() -> None:
    writer = ModelThemeWriter(LocalChat(ScriptedModel(context_tokens=40), "chatml"))
    assert "word tables decided" in writer.plan(request(), STYLES, np.random.default_rng(0)).theme.hints[-1]


def test_every_style_has_a_shape_and_a_question() -> None:
    for name in STYLES:
        base = plan_theme(request(name), STYLES, np.random.default_rng(0))
        assert theme_shape(base) and "JSON" in theme_messages(request(name), base)[1].text

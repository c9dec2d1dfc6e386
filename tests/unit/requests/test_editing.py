"""Sentences about a song and the operations they mean."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.requests.editing import EditPlan, plan_edit
from llm_music_gen.requests.editing_parts import Band
from llm_music_gen.requests.words import vocabulary
from tests.fakes.tunes import theme_for

# intro A 1-4, verse A 5-12, chorus B 13-20, break C 21-24, chorus B 25-32, outro A 33-36
THEME = theme_for(Key("D", "minor"), Meter(4, 4), 90)
PARTS = (("melody", "Violin"), ("chords", "Piano"), ("bass", "Finger bass"), ("drums", "Drums"), ("pad", "Strings"))
BAND = Band(PARTS)


def planned(request: str) -> EditPlan:
    return plan_edit(request, THEME, BAND)


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        ("make the second part calmer, and end in major", ["energy -0.25 in bars 5-12", "major in bars 33-36"]),
        ("to E minor", ["transpose +2 semitones, to Em"]),
        ("up a tone", ["transpose +2 semitones, to Em"]),
        ("down two semitones", ["transpose -2 semitones, to Cm"]),
        ("A minor", ["transpose -5 semitones, to Am"]),
        ("in A major", ["transpose -5 semitones, to Am", "major"]),
        ("the last chorus up a tone", ["transpose +2 semitones, to Em in bars 25-32"]),
        ("at 120 bpm", ["tempo 120 BPM"]),
        ("a bit faster", ["tempo 94 BPM"]),
        ("20 percent slower", ["tempo 72 BPM"]),
        ("half as fast", ["tempo 45 BPM"]),
        ("make it a waltz", ["metre 3/4"]),
        ("drums out", ["no drums"]),
        ("bass and drums out", ["no bass", "no drums"]),
        ("no bass in the intro", ["no bass in bars 1-4"]),
        ("mute bass and drums in the second part", ["no bass in bars 5-12", "no drums in bars 5-12"]),
        ("remove the piano", ["no chords"]),
        ("swap the piano for a guitar", ["chords on nylon guitar"]),
        ("flute instead of violin", ["melody on flute"]),
        ("let the flute play the melody in the break", ["melody on flute in bars 21-24"]),
        ("add strings", ["add strings as pad"]),
        ("bring back the drums", ["add drums"]),
        ("swing 60%", ["swing 60 %"]),
        ("more swing", ["swing 62 %"]),
        ("make the intro softer", ["all -3 dB in bars 1-4"]),
        ("piano 4 dB louder", ["chords +4 dB"]),
        ("repeat the last chorus", ["repeat in bars 25-32, 1 more time"]),
        ("make the last chorus twice as long", ["repeat in bars 25-32, 1 more time"]),
        ("shorter intro", ["leave out in bars 2-3"]),
        ("remove the break", ["leave out in bars 21-24"]),
        ("without the outro", ["leave out in bars 33-35"]),
        ("make the second part jazzy", ["style jazz in bars 5-12"]),
        ('call it "Rainy Day" and make it slower', ['title "Rainy Day"', "tempo 81 BPM"]),
        ("a livelier tune in the second part", ["a new tune, livelier in bars 5-12"]),
        ("more energetic from 1:00 to 1:30", ["energy +0.25 in bars 23-34"]),
        ("bars 9-16 calmer", ["energy -0.25 in bars 9-16"]),
        ("part C much calmer", ["energy -0.50 in bars 21-24"]),
        ("make the break bigger and add strings", ["energy +0.25 in bars 21-24", "add strings as pad in bars 21-24"]),
        ("make the intro calmer and slower", ["energy -0.25 in bars 1-4", "tempo 81 BPM"]),
        ("happier", ["major"]),
        ("in the intro no drums and softer bass, then end in major",
         ["no drums in bars 1-4", "bass -3 dB in bars 1-4", "major in bars 33-36"]),
    ],
)  # fmt: skip
def test_a_sentence_means_exactly_these_operations(request_: str, wanted: list[str]) -> None:
    plan = planned(request_)
    assert [str(operation) for operation in plan.operations] == wanted
    assert plan.remarks == ()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("in 6/8", "like SONG --meter 6/8"),
        ("slow down at the end", "one tempo"),
        ("make the bridge of the sun louder than the ninth part", "6 parts"),
        ("rewrite the solo", "no solo"),
        ("bars 90-100 calmer", "36 bars"),
        ("more reverb", "process FILE"),
        ("make it 3 minutes", "like SONG --length"),
        ("add vocals", "melody on choir"),
        ("remove the flute", "Nobody plays flute"),
        ("sadder", "minor already"),
        ("louder", "same loudness"),
        ("9000 bpm", "no tempo"),
        ("undo", "--undo"),
        ("asdf qwer", "not understood"),
        ("", "Say what"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_with_what_can(request_: str, said: str) -> None:
    plan = planned(request_)
    assert plan.operations == ()
    assert any(said in remark for remark in plan.remarks), plan.remarks


def test_the_part_of_a_request_that_is_understood_stands_beside_what_is_not() -> None:
    plan = planned("slower, and then frobnicate the wug")
    assert [str(operation) for operation in plan.operations] == ["tempo 81 BPM"]
    assert "frobnicate" in plan.remarks[0]


def odd_requests() -> list[str]:
    """300 sentences put together by chance from the words that mean something here, and some that do not."""
    rng = random.Random(6)
    words = vocabulary("editing_words")
    pool = [
        *words["energy"], *words["verbs"]["remove"], *words["verbs"]["add"], *words["verbs"]["swap"],
        *(name for names in words["sections"].values() for name in names),
        *(name for names in words["roles"].values() for name in names),
        "the", "and", ",", "in", "to", "up", "a tone", "D minor", "bars 3-9", "bar 99", "1:00", "from 9:99 to 0:01", "last",
        "second part", "-40 dB", "999%", "flute", "strings", "jazz", "(", "[", "\\", "*", "¿", "\x00", "👍", '"', "3/4", "7/0",
        "B", "twice", "half", "not", "0 bpm", "{}", "%s", "end", "major", "99999999999999999999", "to H minor", "in Cb lydian",
    ]  # fmt: skip
    return [" ".join(rng.choices(pool, k=rng.randint(1, 9))) for _ in range(300)]


def test_three_hundred_odd_requests_never_crash_and_stay_within_the_song() -> None:
    answered = 0
    for request in odd_requests():
        plan = planned(request)
        answered += bool(plan.operations or plan.remarks)
        for operation in plan.operations:
            bars = getattr(operation, "bars", None)
            assert bars is None or 0 <= bars[0] < bars[1] <= THEME.bars, (request, operation)
    assert answered == 300


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_a_plan(text: str) -> None:
    plan = planned(text)
    assert plan.operations or plan.remarks

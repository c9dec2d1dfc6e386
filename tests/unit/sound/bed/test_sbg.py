"""SBaGen schedules."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_music_gen.errors import NotationError
from llm_music_gen.sound.bed.sbg import SbgTone, read_sbg

SESSION = """
-SE
# from alpha to theta
alpha: pink/40 200+10/20
theta: pink/40 200+5.5/20 300@4/5
alloff: -
NOW alpha ->
+00:10:00 theta
+01:00:00 alloff
"""


def test_a_session_is_read() -> None:
    first, second, last = read_sbg(SESSION)
    assert (first.at_s, first.slide) == (0.0, True)
    assert first.tones == (SbgTone("pink", 0.0, 0.0, 0.4), SbgTone("binaural", 200.0, 10.0, 0.2))
    assert second.at_s == 600.0
    assert second.tones[2] == SbgTone("isochronic", 300.0, 4.0, 0.05)
    assert (last.at_s, last.tones) == (3600.0, ())


def test_clock_times_may_pass_midnight() -> None:
    steps = read_sbg("a: 100+3/10\n23:30 a\n00:15 a\n06:00 off")
    assert [step.at_s for step in steps] == [0.0, 45 * 60.0, 6.5 * 3600]


@pytest.mark.parametrize(
    "text",
    ["", "a: spin:100/20\nNOW a", "NOW nowhere", "a: 100/200\nNOW a", "what is this", "a: 1/1\n+00:10 a\n+00:05 a", "x\n" * 6000],
)
def test_what_is_not_understood_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(NotationError) as caught:
        read_sbg(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(NotationError):
        read_sbg(text)


def test_a_session_that_begins_later_is_counted_from_its_beginning() -> None:
    steps = read_sbg("a: 100+3/10\nNOW+00:10 a\n+01:00 off")
    assert [step.at_s for step in steps] == [0.0, 50 * 60.0]

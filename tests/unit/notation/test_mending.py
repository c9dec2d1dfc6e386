"""Whatever a model answers, either a section comes out that keeps every promise, or one sentence."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.composing.harmony import key_chords
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.mending import mended
from llm_music_gen.notation.spec import SectionSpec
from llm_music_gen.notation.text import parse_section
from tests.unit.notation.test_automaton import check

KEY = Key("A", "minor")
SPEC = SectionSpec(KEY, Meter(4, 4), 4, chords=True, chord_symbols=key_chords(KEY), closes=True, final_chord="Am")
GOOD = '"Am"A2c2e2c2|"Dm"d2f2d2A2|"E7"e2^g2b2g2|"Am"a4A4|'


def test_what_fits_stays_as_it_is() -> None:
    done = mended(GOOD, SPEC)
    assert (done.text, done.kept) == (GOOD, 1.0)
    assert mended(GOOD.replace("|", " |\n"), SPEC).text == GOOD


def test_a_tune_is_found_among_prose_heads_and_fences() -> None:
    answer = (
        "Sure! Here is a melancholic tune in A minor:\n\n```abc\nX:1\nT:Autumn Rain\nM:4/4\nL:1/8\nK:Am\n"
        + GOOD.replace("|", " | ")
        + "]\n```\n\nI hope that you like it. Feel free to ask for changes!"
    )
    done = mended(answer, SPEC)
    assert done.text == GOOD and done.kept == 1.0


def test_a_stray_quote_swallows_no_music() -> None:
    assert mended('"' + GOOD, SPEC).text == GOOD


def test_another_unit_length_is_converted() -> None:
    quarters = 'L:1/4\n"Am"Aced|"Dm"dfdA|"E7"e^gbg|"Am"a2A2|'
    assert mended(quarters, SPEC).text == '"Am"A2c2e2d2|"Dm"d2f2d2A2|"E7"e2^g2b2g2|"Am"a4A4|'


def test_another_key_is_transposed_with_its_chords() -> None:
    done = mended('K:Dm\n"Dm"D2F2A2F2|"Gm"G2B2G2D2|"A7"A2^c2e2^c2|"Dm"d4D4|', SPEC)
    sheet = parse_section(done.text, label="A", key=KEY, meter=SPEC.meter, unit=SPEC.unit, bars=4)
    assert [chord.root_pc for chord in sheet.chords] == [9, 2, 4, 9]
    assert done.kept > 0.9


def test_bars_that_are_too_long_or_too_short_are_made_exact() -> None:
    done = mended('"Am"A2c2e2c2e2|"Dm"d2f2|"E7"e2^g2b2g2b2|"Am"a4A2|', SPEC)
    check(done.text, SPEC)
    first, second, _, _, _ = done.text.split("|")
    assert first == '"Am"A2c2e2c2' and second.startswith('"Dm"d2f2')


def test_broken_rhythm_repeats_ornaments_and_second_voices_are_read() -> None:
    answer = 'V:1\n|: "Am"~A>c e2 {g}c2 (3efe | "Dm"!trill!d2f2 d2A2 :|\n"E7"e2^g2 b2g2 | "Am"[Ace]4 A4 |]\nV:2\nA,8|A,8|A,8|A,8|'
    done = mended(answer, SPEC)
    check(done.text, SPEC)
    assert '"E7"e2^g2b2g2' in done.text


def test_the_wrong_ending_becomes_the_tonic() -> None:
    done = mended(GOOD.replace("a4A4", "g4G4"), SPEC)
    check(done.text, SPEC)
    assert done.kept > 0.7


def test_too_few_bars_are_gone_through_again_and_too_many_are_left_out() -> None:
    check(mended('"Am"A2c2e2c2|"Dm"d2f2d2A2|', SPEC).text, SPEC)
    check(mended(GOOD * 4, SPEC).text, SPEC)


def test_an_opening_is_gone_on_from() -> None:
    spec = SectionSpec(KEY, Meter(4, 4), 4, chords=True, chord_symbols=key_chords(KEY), closes=True, opening='"Am"A2c2e2c2|')
    rest = '"Dm"d2f2d2A2|"E7"e2^g2b2g2|"Am"a4A4|'
    assert mended(rest, spec).text == rest
    assert mended("Here:\n" + GOOD, spec).text == rest


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I'm sorry, but as an AI language model I cannot write music.",
        "Well, let me think about music. " * 900,
        "X:1\nT:Nothing\nM:4/4\nK:Am\n",
        "z8|z8|z8|z8|",
        '{"title": "Rain"}',
        "|||||||||",
        "<html><body>Bad Gateway</body></html>",
        "A" * 60_000,
        "M:1/0\nL:0/0\nK:?\n[[[[[",
        "A9999999999/0|" * 20,
    ],
)
def test_where_there_is_no_tune_it_is_said_in_a_sentence(answer: str) -> None:
    with pytest.raises(NotationError) as caught:
        mended(answer, SPEC)
    assert "\n" not in str(caught.value)


METERS = ("4/4", "3/4", "6/8", "2/4", "5/4", "7/8", "12/8")


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from(METERS), st.sampled_from(("C", "F#m", "Bb", "Ddor")), st.integers(1, 8))
def test_scribbles_in_the_letters_of_abc_become_exact_bars(seed: int, meter: str, key: str, bars: int) -> None:
    draw = random.Random(seed)
    pieces = [
        "A",
        "c",
        "^f",
        "_B",
        "g'",
        "D,",
        "z",
        "2",
        "3",
        "/",
        "3/2",
        "|",
        "|",
        "-",
        "(3",
        '"Am"',
        '"G7"',
        '"x"',
        ">",
        "[CEG]",
        " ",
    ]
    answer = "".join(draw.choice(pieces) for _ in range(bars * 40))
    home = Key.parse(key)
    spec = SectionSpec(
        home,
        Meter.parse(meter),
        bars,
        chords=bool(seed % 2),
        chord_symbols=key_chords(home) if seed % 2 else (),
        closes=seed % 3 == 0,
    )
    try:
        done = mended(answer, spec)
    except NotationError as error:
        assert "tune in the answer" in str(error) or "Line" in str(error)
    else:
        check(done.text, spec)

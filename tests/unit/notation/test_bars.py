from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.errors import NotationError
from llm_music_gen.notation.bars import BarReport, check_bars
from llm_music_gen.notation.reader import read_abc

HEAD = "X:1\nT:Test\nM:4/4\nL:1/8\nK:D\n"
FULL = "A2B2c2d2|"


def report(music: str, head: str = HEAD) -> BarReport:
    return check_bars(head + music)


@pytest.mark.parametrize(
    "music",
    [
        FULL * 4,
        "A2|" + FULL * 3 + "d6|]",  # pickup and short end
        "|:A2|" + FULL * 3 + "d6:|" + "|:B2|" + FULL + "c6:|",  # repeats with pickups
        "|:" + FULL * 3 + "|1A2B2c4:|2A2B2d4||",  # endings
        "|:c2|" + FULL + "[1 d6:|[2 d6|]",
        FULL + "d6||A2|" + FULL,  # a double bar in the middle of a bar
        "A>Bc<d e2f2|A>>B c2d2e2|{ag}A2~B2!trill!c2.d2|",
        "(3ABc (3:2:3ABc (3A2B2c2|",
        "[Ace]2[A2c2]z4|A4-A4-|(A4 B4)|",
        '"Dm"A2"_text"B2"A7"c2d2|',
        "A2B2c2d2|\n|: A2B2c2d2 :|\n",
        "Z4|" + FULL,
        "A8 & d4f4|" + FULL,
        "A2B2 % a comment | |\nc2d2|",
        "[L:1/4]A4|[M:3/4]A3|",
        "A//B//c/d/ e3/4f/4g z3|",
    ],
)  # fmt: skip
def test_bars_that_musicians_accept_are_exact(music: str) -> None:
    assert report(music).problems == ()
    assert report(music).exact


@pytest.mark.parametrize(
    ("music", "bar"),
    [
        (FULL + "A2B2c2|" + FULL, 2),
        (FULL + "A2B2c2d2e2|" + FULL, 2),
        ("A2B2c2d2e2|" + FULL, 1),  # too long even for a beginning
        (FULL * 2 + "(3AB c2d2e2|" + FULL, 3),
    ],
)
def test_wrong_bars_are_named(music: str, bar: int) -> None:
    found = report(music)
    assert not found.exact
    assert [problem.bar for problem in found.problems] == [bar]
    assert found.problems[0].line == 6
    assert "instead of 4/4" in found.problems[0].message
    assert found.exact_bars == found.bars - 1


def test_text_that_is_no_abc_is_named_with_its_place() -> None:
    problem = report("A2B2;c2d2|").problems[0]
    assert (problem.line, problem.column, problem.message) == (6, 5, "';' is no ABC")


def test_voices_are_checked_apart() -> None:
    found = report(f"V:1\n{FULL}{FULL}\nV:2\nA8|A7|A8|\n")
    assert (found.bars, found.exact_bars) == (5, 4)
    assert found.problems[0].voice == "2"


def test_free_metre_has_no_wrong_bars() -> None:
    assert report("A3|B5|c|", "X:1\nM:none\nL:1/8\nK:C\n").exact


def test_nothing_is_not_exact() -> None:
    assert not check_bars("").exact


HOSTILE = [
    "A" * 99_000,
    "A2|" * 33_000,
    "AAAAAAAAAAAAAAAAA|" * 4_900,
    "|:" * 49_000,
    ":" * 99_000,
    "[" * 99_000,
    '"' * 99_001,
    "(3" * 49_000,
    "(9:9:9(9:9:9" * 8_000,
    "{" * 99_000,
    "!" * 99_000,
    "A>" * 49_000,
    "A>>>B<<<" * 12_000,
    "Z999999999|",
    "Z999999999999999|",
    "A999999999999999|",
    "A/0|",
    "A////////|",
    "".join(f"A/{number}" for number in range(1, 9_000)),
    "|:A8" * 20_000 + ":|",
    "|:A8|" * 1_500 + "[1A8:|[2A8:|" * 1_500,
    "[1-9999999999A8:|",
    "[K:" * 33_000,
    "\0\x1b\u202e𝄞" * 1_000,
    "".join(f"V:{number}\n" for number in range(10_000)),
    "".join(f"V:{number}\nA8|\n" for number in range(1_000)),
    "%%include /etc/passwd\nI:abc-include x\n%%ps (quit)\nA8|",
    "A-" * 49_000,
    "A,,,,,,,,,,,,,|",
    "^^^^^^A____|",
    "\\" * 99_000,
    "w:" + "la " * 33_000,
    "A8|\n" * 24_000,
]


@pytest.mark.parametrize("music", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_music_gives_a_report_or_a_sentence(music: str) -> None:
    for reader in (check_bars, read_abc):
        try:
            reader(HEAD + music)
        except NotationError as error:
            assert 10 < len(str(error)) < 400


@pytest.mark.parametrize("field", ["M:0/4", "L:1/0", "L:0/8", "M:4/0", "M:99999/4", "L:9999/1", "M:4/3", "L:x"])
def test_fields_that_make_no_sense_are_refused(field: str) -> None:
    with pytest.raises(NotationError):
        check_bars(f"X:1\n{field}\nK:C\nA8|")


@pytest.mark.parametrize("field", ["Q:1e9", "Q:99999999999", "Q:1/0=3", "K:", "K:HP", "K:XYZ", "T:", "P:" + "A" * 9999, "Q:-4"])
def test_odd_fields_are_borne(field: str) -> None:
    assert 20 <= read_abc(f"X:1\nL:1/8\n{field}\nK:C\nA8|").tempo_bpm <= 400


def test_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(NotationError, match="longer than"):
        check_bars(HEAD + "A" * 1_000_000)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet='ABc2/|:[]()"!{}<>-^_=zZ1 \nKMLV:&%', max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    for reader in (check_bars, read_abc):
        try:
            reader(text)
        except NotationError as error:
            assert str(error)

"""The text of a narration: marks, pauses, what has no mark, and texts that nobody wrote to be spoken."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_music_gen.errors import StorageError, StudioError, UsageError
from llm_music_gen.voice.script import (
    END_S,
    FIRST_S,
    MOST_CHARACTERS,
    SENTENCE_PAUSE_S,
    USUAL_PAUSE_S,
    Part,
    check_fits,
    checked_pause,
    checked_rate,
    needed_s,
    placed,
    read_script,
    read_script_file,
)


def test_an_empty_line_ends_a_paragraph_and_lines_of_one_are_joined() -> None:
    assert read_script("\ufeffGood evening.\r\nLean back.\r\n\r\n \r\nBreathe.".lstrip("\ufeff")) == (
        Part("Good evening. Lean back.", 1), Part("Breathe.", 5),
    )  # fmt: skip


def test_a_time_at_the_start_of_a_line_says_when_a_paragraph_begins() -> None:
    text = "Hello.\n[10:00] Ten minutes.\n[1:05:00]\nAn hour\nand five."
    assert read_script(text) == (Part("Hello.", 1), Part("Ten minutes.", 2, 600.0), Part("An hour and five.", 3, 3_900.0))


def test_a_pause_may_stand_alone_or_within_a_line_and_several_add_up() -> None:
    text = "In. [pause 4] And out.\n[pause 20]\n[Pause 2.5 s]\nAgain."
    assert read_script(text) == (Part("In.", 1), Part("And out.", 1, None, 4.0), Part("Again.", 4, None, 22.5))


def test_other_brackets_are_words() -> None:
    assert read_script("Smile [a little].") == (Part("Smile [a little].", 1),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no words"), (" \n\n\t", "no words"), ("... --- !!!", "no words"), ("[pause 20]", "no words"),
        ("a\x00b", "no plain text"), ("[10:75] Late.", "no time"), ("[1:2:3] Odd.", "no time"), ("[99999999999] Odd.", "no time"),
        ("[pause x] Odd.", "no pause"), ("[pause] Odd.", "no pause"), ("[pause 0] Odd.", "no pause"),
        ("[pause 99999] Odd.", "no pause"), ("[5:00] One.\n[4:00] Two.", "Line 2 of the narration begins at 4:00"),
        ("word " * 100_000, "characters"), ("a\n\n" * 4_001, "paragraphs"),
    ],
)  # fmt: skip
def test_what_cannot_be_spoken_gets_one_sentence(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        read_script(text)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("data", [
    b"", b"\xff\xfe\x00a\x00b", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b"x" * 1_000_000, b"fLaC\x00\x00\x00\x22", None,
])  # fmt: skip
def test_a_file_that_is_no_narration_gets_one_sentence(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "text.txt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(StudioError) as caught:
        read_script_file(path)
    assert len(str(caught.value).splitlines()) == 1
    assert isinstance(caught.value, (StorageError, UsageError))


def test_a_folder_or_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, Path("a\x00b")):
        with pytest.raises(StorageError, match="cannot be read"):
            read_script_file(path)


def test_the_longest_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("\ufeff" + "é" * MOST_CHARACTERS, encoding="utf-8")
    assert len(read_script_file(path)) == MOST_CHARACTERS


def test_without_marks_paragraphs_follow_with_calm_pauses() -> None:
    places = placed(read_script("One. Two.\n\nThree."), [[("One.", 1.0), ("Two.", 2.03)], [("Three.", 1.5)]])
    starts = [place.start_s for place in places]
    assert starts == [FIRST_S, FIRST_S + 1.0 + SENTENCE_PAUSE_S, pytest.approx(FIRST_S + 3.1 + SENTENCE_PAUSE_S + USUAL_PAUSE_S)]
    assert [place.length_s for place in places] == [1.0, 2.1, 1.5]
    assert needed_s(places) == pytest.approx(39.0)  # 33.4 s and the music's 5, in whole seconds
    assert needed_s(places) >= places[-1].start_s + places[-1].length_s + END_S


def test_marks_and_pauses_are_kept_exactly() -> None:
    parts = read_script("[0:02] One.\n[pause 3]\nTwo.\n[0:20] Three.")
    places = placed(parts, [[("One.", 1.0)], [("Two.", 1.0)], [("Three.", 1.0)]], pause_s=30.0)
    assert [place.start_s for place in places] == [2.0, 6.0, 20.0]


def test_what_is_not_over_when_the_next_has_to_begin_is_refused() -> None:
    parts = read_script("[0:02] One.\n[0:05] Two.")
    with pytest.raises(UsageError, match=r"before line 2 of the narration takes until 0:06, but the line begins at 0:05"):
        placed(parts, [[("One.", 3.05)], [("Two.", 1.0)]])


def test_a_narration_longer_than_its_track_says_how_long_it_is_and_what_to_do() -> None:
    places = placed(read_script("[10:00] One."), [[("One.", 3.0)]])
    check_fits(places, 608.0)
    with pytest.raises(UsageError, match=r"takes 10:08 with its pauses, but the track is 10:00 long.*--length 11"):
        check_fits(places, 600.0)


@pytest.mark.parametrize("text", ["", "fast", "79", "401", "1e2", "-110", "9" * 5_000])
def test_other_rates_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no rate"):
        checked_rate(text)
    assert checked_rate("80") == 80


@pytest.mark.parametrize("text", ["", "x", "-1", "601", "nan", "inf"])
def test_other_pauses_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no pause"):
        checked_pause(text)
    assert checked_pause("0") == 0.0

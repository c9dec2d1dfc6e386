"""Lengths as people write them."""

from __future__ import annotations

import pytest

from llm_music_gen.composing.lengths import parse_length
from llm_music_gen.errors import UsageError


@pytest.mark.parametrize(
    ("text", "low_s", "high_s"),
    [
        ("5", 300, 300),
        (" 4-6 ", 240, 360),
        ("4 - 6", 240, 360),
        ("4–6", 240, 360),
        ("8:00", 8 * 3600, 8 * 3600),
        ("0:30", 1800, 1800),
        ("01:30", 5400, 5400),
        ("24:00", 86400, 86400),
        ("30s", 30, 30),
        ("10s", 10, 10),
        ("3m20s", 200, 200),
        ("3M 20S", 200, 200),
        ("1h", 3600, 3600),
        ("1h30m", 5400, 5400),
        ("2.5", 150, 150),
        ("5 minutes", 300, 300),
        ("30s-1m", 30, 60),
        ("10-15s", 10, 15),
        ("20-30 sec", 20, 30),
        ("1-90s", 60, 90),
        ("1440", 86400, 86400),
    ],
)
def test_what_people_write_is_understood(text: str, low_s: int, high_s: int) -> None:
    length = parse_length(text)
    assert (float(length.min_s), float(length.max_s)) == (low_s, high_s)
    assert (length.min_frames, length.max_frames) == (low_s * 44_100, high_s * 44_100)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-3",
        "abc",
        "6-4",
        "99:00",
        "24:01",
        "0:61",
        "9s",
        "1-2-3",
        "5:5",
        "1441",
        "s",
        "1e3",
        "٣",
        "5m-",
        "-",
        "3:00:00",
        "0:00",
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_length(text)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("5", "5 minutes"),
        ("4-6", "4-6 minutes"),
        ("8:00", "8:00 hours"),
        ("30s", "30 seconds"),
        ("30s-1", "30 seconds to 1 minute"),
    ],
)
def test_a_length_is_shown_as_on_the_main_menu(text: str, shown: str) -> None:
    assert str(parse_length(text)) == shown

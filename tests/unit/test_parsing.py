"""TOML and JSON of others: whatever is wrong is a ValueError of one line."""

from __future__ import annotations

import pytest

from llm_music_gen.parsing import parse_json, parse_toml


def test_what_is_right_is_read() -> None:
    assert parse_toml("a = [1]") == {"a": [1]}
    assert parse_json(b'{"a": [1]}') == {"a": [1]}


@pytest.mark.parametrize("text", ["a =", "a = " + "[" * 100_000, "a = " + "9" * 5_000, "a = 2024-13-01", "a = 1\na = 2", "\0"])
def test_toml_that_is_wrong_or_absurd_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_toml(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 1_000_000, "9" * 400, "9" * 5_000, "\0"])
def test_json_that_is_wrong_or_absurd_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)

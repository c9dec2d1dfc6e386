"""What the user sees of an error: one line of a bearable length, whatever it quotes."""

from __future__ import annotations

from llm_music_gen.errors import MOST_CHARACTERS, NotationError


def test_a_message_stays_one_line_without_controls() -> None:
    assert str(NotationError("It says 'a\r\nb\x1b[2Jc'.", hint="Mend it.")) == "It says 'a b [2Jc'. Mend it."


def test_a_message_that_quotes_pages_keeps_its_ends() -> None:
    message = str(NotationError("Line 1: " + "x" * 100_000 + " is no note.", hint="Mend it."))
    assert message.startswith("Line 1: x") and message.endswith("x is no note. Mend it.")
    assert len(message) < MOST_CHARACTERS + 50

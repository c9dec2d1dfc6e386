from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_music_gen.llm.answer import AnswerText


def read(pieces: list[bytes], stop: list[str]) -> list[str]:
    answer = AnswerText(stop)
    return [*(answer.feed(piece) for piece in pieces), answer.finish()]


def test_characters_come_out_whole() -> None:
    assert read([b"\xc3", b"\xa9", b"A"], []) == ["", "é", "A", ""]


def test_broken_bytes_become_replacement_characters() -> None:
    assert "".join(read([b"a\xff", b"b", b"\xc3"], [])) == "a\ufffdb\ufffd"


def test_a_stop_text_cuts_even_across_pieces() -> None:
    assert read([b"one </", b"s> two", b"three"], ["</s>"]) == ["one ", "", "", ""]


def test_what_only_looked_like_a_stop_text_is_given_out() -> None:
    assert read([b"a <", b"b>"], ["</s>"]) == ["a ", "<b>", ""]
    assert read([b"a <"], ["</s>"]) == ["a ", "<"]


def test_the_earliest_of_several_stop_texts_counts() -> None:
    assert "".join(read([b"xyz 12 zyx"], ["zyx", "12", ""])) == "xyz "


@given(st.text("ab</s>", max_size=40), st.lists(st.integers(1, 5), max_size=40), st.text("ab</s>", min_size=1, max_size=4))
def test_any_cutting_gives_the_text_up_to_the_stop(text: str, sizes: list[int], stop: str) -> None:
    pieces, rest = [], text.encode()
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    assert "".join(read([*pieces, rest], [stop])) == text.partition(stop)[0]

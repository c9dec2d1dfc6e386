"""Folk tunes in ABC become exact sections."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.abc_reader import Unreadable, read_abc, read_collection
from training.score import body_text, header_text

HEAD = "X:1\nT:A Tune\nM:{meter}\nL:1/8\nK:{key}\n"


def body(music: str, meter: str = "4/4", key: str = "C") -> str:
    return body_text(read_abc(HEAD.format(meter=meter, key=key) + music), chords=True)


def test_spaces_slurs_ornaments_and_annotations_are_dropped() -> None:
    assert body('(AB) ~cd {g}e2 "^slow".f!trill!g | A8 |]') == "P:A2\nABcde2fg|A8|\n"


def test_broken_rhythm_is_spelled_out() -> None:
    assert body("A>B c<d e>>f g2|A8|]") == "P:A2\nA3/2B/c/d3/2e7/4f/4g2|A8|\n"


def test_a_repeat_is_written_once_with_its_last_ending() -> None:
    assert body("|:A8|B8|1 c8:|2 d8||e8|f8|]") == "P:A3\nA8|B8|d8|\nP:B2\ne8|f8|\n"


def test_a_pickup_completes_the_last_bar_of_the_section_before_it() -> None:
    assert body("e2|A8|B6:|f2|c8|d6|]") == "P:A2\nA8|B6f2|\nP:B2\nc8|d8|\n"


def test_of_a_double_stop_the_upper_note_stays() -> None:
    assert body("[Ac]4[EG,]4|A8|]") == "P:A2\nc4E4|A8|\n"


def test_an_accidental_holds_to_the_bar_line_and_is_written_where_programs_differ() -> None:
    assert body("^F2F2f4|F8|]") == "P:A2\n^F2F2^f4|F8|\n"


def test_a_tied_note_keeps_its_accidental_over_the_bar_line() -> None:
    assert body("^F8-|F8|]") == "P:A2\n^F8-|^F8|\n"


def test_a_tie_to_another_pitch_is_dropped() -> None:
    assert body("A8-|B8|]") == "P:A2\nA8|B8|\n"


def test_lengths_that_no_notehead_has_are_tied() -> None:
    assert body("A5B3|A8|]") == "P:A2\nA4-AB3|A8|\n"


def test_triplets_stay_and_other_tuplets_lose_their_section() -> None:
    assert body("(3ABc d2 e4|A8||c8|(5ABcde f3/2|]") == "P:A2\n(3ABcd2e4|A8|\n"


def test_a_section_with_a_bar_of_the_wrong_length_is_left_out() -> None:
    assert body("A8|B8||c8|d7|e8||f8|g8|]") == "P:A2\nA8|B8|\nP:B2\nf8|g8|\n"


def test_a_long_strain_is_cut_into_phrases() -> None:
    heads = [
        line for line in body("|".join(f"{note}8" for note in "ABcdefgABcdefgABcdefgabc") + "|]").splitlines() if line[:2] == "P:"
    ]
    assert heads == ["P:A8", "P:B8", "P:C8"]


def test_a_section_that_comes_again_is_left_out() -> None:
    assert body("A8|B8||c8|d8||A8|B8|]") == "P:A2\nA8|B8|\nP:B2\nc8|d8|\n"


@pytest.mark.parametrize(("field", "abc"), [("D", "D"), ("Am", "Am"), ("A Dorian", "Ador"), ("EMin", "Em"), ("Hp", "Amix")])
def test_keys_are_read_as_transcribers_write_them(field: str, abc: str) -> None:
    tune = read_abc(f"X:1\nM:C|\nL:1/8\nK:{field}\nA8|A8|]")
    assert header_text(tune, chords=False) == f"M:2/2\nL:1/8\nK:{abc}\n%plain\n"


@pytest.mark.parametrize("music", ["A8|[M:3/4]A6|]", "A8|[K:D]A8|]", "V:1\nA8|\nV:2\nB8|]", "A7|]"])
def test_what_cannot_be_made_exact_is_refused(music: str) -> None:
    with pytest.raises(Unreadable):
        body(music)


def test_a_collection_gives_every_tune_or_the_reason_against_it(tmp_path: Path) -> None:
    text = HEAD.format(meter="4/4", key="C") + "A8|B8|]\n\n" + HEAD.format(meter="4/4", key="C") + "A7|]\n"
    (tmp_path / "book.abc").write_text(text.replace("\n", "\r\n"), encoding="utf-8", newline="")
    found = list(read_collection(tmp_path))
    assert [tune is not None for tune, _ in found] == [True, False]
    assert found[1][1] == "no exact section"

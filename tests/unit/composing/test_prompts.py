"""What models are asked, to the letter."""

from __future__ import annotations

from fractions import Fraction

from llm_music_gen.composing.prompts import musician_instruction, section_prompt
from llm_music_gen.composing.written import WrittenSection
from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.theme import SectionPlan, Theme

EIGHTH = Fraction(1, 8)
WRITTEN = WrittenSection("A", 4, '"Am"A2BcdBcA|e2dcB4|A8|A8|')


def theme(labels: str) -> Theme:
    form = tuple(SectionPlan(label, "verse", 4, 0.5) for label in labels)
    return Theme("T", ("folk",), (), Key.parse("Am"), 90.0, Meter(4, 4), form)


def test_the_first_material_is_asked_for_by_form() -> None:
    assert musician_instruction(theme("ABA"), [], unit=EIGHTH) == (
        "Produce music in compliance with the outlined musical setup in language.\n'Binary'"
    )
    assert musician_instruction(theme("ABC"), [], unit=EIGHTH) == (
        "Produce music in compliance with the outlined musical setup in language.\n'Binary', 'Sectional: Verse/Chorus'"
    )


def test_later_materials_are_asked_for_by_motif_and_form() -> None:
    assert musician_instruction(theme("ABCA"), [WRITTEN], unit=EIGHTH) == (
        "Create music by following the alphabetic representation of the assigned musical structure and the given motif.\n"
        "'ABCA';X:1\nL:1/8\nM:4/4\nK:Am\n['A2BcdBcA', 'e2dcB4']"
    )


def test_chatmusicians_whole_prompt_is_its_makers_with_the_head_of_the_answer_written() -> None:
    song = theme("AB")
    prompt = section_prompt(song, "chatmusician", song.form[1], [WRITTEN], "", unit=EIGHTH)
    question, answer = prompt.text.split(" </s> Assistant: ")
    assert question == "Human: " + musician_instruction(song, [WRITTEN], unit=EIGHTH)
    assert answer == f"X:1\nL:1/8\nM:4/4\nK:Am\nP:A\n{WRITTEN.text}\nP:B\n"
    assert prompt.special and not prompt.add_bos

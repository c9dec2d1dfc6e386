from __future__ import annotations

import copy
from fractions import Fraction

import numpy as np
import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.text_model import TokenConstraint
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.constraint import AbcConstraint, AbcVocabulary
from llm_music_gen.notation.spec import SectionSpec
from tests.unit.notation.test_automaton import check
from tests.unit.notation.vocabularies import character_vocabulary, sentencepiece_vocabulary

SPEC = SectionSpec(Key("D", "minor"), Meter(4, 4), 8)
CHARACTERS = AbcVocabulary(character_vocabulary(), [0])


def write(constraint: AbcConstraint, seed: int) -> str:
    """Sample evenly among the permitted tokens until the section is finished."""
    rng = np.random.default_rng(seed)
    while not constraint.finished:
        constraint.accept(int(rng.choice(np.flatnonzero(constraint.allowed()))))
    return constraint.text


def test_it_is_a_token_constraint() -> None:
    constraint: TokenConstraint = AbcConstraint(SPEC, CHARACTERS)
    assert constraint.allowed().shape == (CHARACTERS.size,)


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "5/4", "7/8", "12/8", "2/4", "3/2"])
def test_evenly_sampled_characters_make_a_sound_section(meter: str) -> None:
    for seed, unit in enumerate((Fraction(1, 4), Fraction(1, 8), Fraction(1, 16))):
        spec = SectionSpec(Key("G"), Meter.parse(meter), 4 + 4 * seed, unit=unit, chords=seed == 1, closes=seed == 2)
        check(write(AbcConstraint(spec, CHARACTERS), seed), spec)


def test_pieces_of_several_characters_are_used() -> None:
    pieces = [*character_vocabulary(), b"A2", b"Bc", b"|d2", b" ef", b"g|", b"\xc3\xa9", b"XY"]
    vocabulary = AbcVocabulary(pieces, [0])
    spec = SectionSpec(Key("C"), Meter(4, 4), 8, allow_spaces=True)
    mask = AbcConstraint(spec, vocabulary).allowed()
    assert [bool(mask[len(pieces) - back]) for back in range(7, 0, -1)] == [True, True, False, True, False, False, False]
    check(write(AbcConstraint(spec, vocabulary), 5), spec)


def test_every_permitted_token_is_accepted_and_every_other_refused() -> None:
    vocabulary = AbcVocabulary(sentencepiece_vocabulary(2_000), [2])
    spec = SectionSpec(Key("Bb"), Meter(3, 4), 4, chords=True, closes=True, allow_spaces=True)
    rng = np.random.default_rng(3)
    constraint = AbcConstraint(spec, vocabulary)
    while not constraint.finished:
        mask = constraint.allowed()
        for token in rng.choice(np.flatnonzero(mask), size=10):
            copy.copy(constraint).accept(int(token))
        constraint.accept(int(rng.choice(np.flatnonzero(mask))))


def test_refused_tokens_raise_and_change_nothing() -> None:
    constraint = AbcConstraint(SPEC, CHARACTERS)
    state = constraint.state
    for token in (0, 1 + ord("|") - 32, 1 + ord("H") - 32, 10**6):
        with pytest.raises(NotationError):
            constraint.accept(token)
    assert constraint.state == state


def test_a_finished_section_permits_only_end_tokens() -> None:
    constraint = AbcConstraint(SPEC, CHARACTERS)
    write(constraint, 1)
    assert list(np.flatnonzero(constraint.allowed())) == [0]
    constraint.accept(0)
    assert constraint.finished


def test_masks_are_remembered_between_sections() -> None:
    vocabulary = AbcVocabulary(character_vocabulary(), [0])
    write(AbcConstraint(SPEC, vocabulary), 1)
    worked_out = len(vocabulary.masks)
    write(AbcConstraint(SPEC, vocabulary), 1)
    assert len(vocabulary.masks) == worked_out


def test_the_same_seed_writes_the_same_text() -> None:
    assert write(AbcConstraint(SPEC, CHARACTERS), 9) == write(AbcConstraint(SPEC, AbcVocabulary(character_vocabulary(), [0])), 9)


def test_an_opening_is_continued_not_repeated() -> None:
    spec = SectionSpec(Key("D", "minor"), Meter(4, 4), 4, opening="A2ABc2Bc|d2dcBAG2|")
    text = write(AbcConstraint(spec, CHARACTERS), 4)
    check(spec.opening + text, spec)
    assert text.count("|") == 2


def test_a_vocabulary_that_cannot_write_abc_is_named() -> None:
    pieces = [piece for piece in character_vocabulary() if piece not in (b"|", b"G")]
    with pytest.raises(NotationError, match=r"no token for G \|"):
        AbcVocabulary(pieces)


def test_a_vocabulary_without_octave_marks_stays_in_the_written_octaves() -> None:
    pieces = [piece for piece in character_vocabulary() if piece not in (b",", b"'")]
    text = write(AbcConstraint(SPEC, AbcVocabulary(pieces, [0])), 2)
    check(text, SPEC)
    assert not set("',") & set(text)


def test_chords_need_characters_for_them() -> None:
    vocabulary = AbcVocabulary([piece for piece in character_vocabulary() if piece != b'"'], [0])
    with pytest.raises(NotationError, match="chord"):
        AbcConstraint(SectionSpec(Key("C"), Meter(4, 4), 8, chords=True), vocabulary)

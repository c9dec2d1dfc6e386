from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.automaton import SectionAutomaton
from llm_music_gen.notation.gbnf import section_grammar
from llm_music_gen.notation.guide import BarwiseGuide
from llm_music_gen.notation.spec import SectionSpec
from tests.unit.notation.grammars import random_sentence
from tests.unit.notation.test_automaton import check, specs

SPEC = SectionSpec(Key("D", "minor"), Meter(4, 4), 8, chords=True, closes=True, final_chord="Dm")
seeds = st.integers(0, 2**32)


@settings(deadline=None, max_examples=60)
@given(specs, seeds)
def test_bars_generated_one_by_one_keep_every_promise(spec: SectionSpec, seed: int) -> None:
    guide, rng = BarwiseGuide(spec), random.Random(seed)
    while not guide.finished:
        guide.accept(random_sentence(guide.next_grammar(), rng))
    check(guide.text, spec)


@settings(deadline=None, max_examples=60)
@given(specs, seeds)
def test_a_section_generated_at_once_keeps_every_promise(spec: SectionSpec, seed: int) -> None:
    automaton = SectionAutomaton(spec)
    check(random_sentence(section_grammar(automaton, automaton.start()), random.Random(seed)), spec)


def test_grammars_are_small() -> None:
    automaton = SectionAutomaton(SPEC)
    assert len(section_grammar(automaton, automaton.start())) < 60_000
    assert len(BarwiseGuide(SPEC).next_grammar()) < 20_000


def test_llama_cpp_reads_the_grammar() -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    automaton = SectionAutomaton(SPEC)
    llama_cpp.LlamaGrammar.from_string(section_grammar(automaton, automaton.start()), verbose=False)


def test_text_that_does_not_fit_leaves_the_guide_where_it_was() -> None:
    guide = BarwiseGuide(SPEC)
    with pytest.raises(NotationError, match="character 1"):
        guide.accept("A8|")
    guide.accept('"Dm"A2ABc2Bc|')
    assert guide.text == '"Dm"A2ABc2Bc|'


def test_a_grammar_begins_at_a_bar_line() -> None:
    guide = BarwiseGuide(SPEC)
    guide.accept('"Dm"A2AB')
    with pytest.raises(NotationError, match="bar line"):
        guide.next_grammar()

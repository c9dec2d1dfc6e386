from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.automaton import SectionAutomaton, State
from llm_music_gen.notation.gbnf import section_grammar
from llm_music_gen.notation.spec import SectionSpec
from tests.unit.notation.grammars import random_sentence
from tests.unit.notation.test_automaton import check, specs

SPEC = SectionSpec(Key("D", "minor"), Meter(4, 4), 8, chords=True, closes=True, final_chord="Dm")
seeds = st.integers(0, 2**32)


@settings(deadline=None, max_examples=60)
@given(specs, seeds)
def test_a_section_generated_at_once_keeps_every_promise(spec: SectionSpec, seed: int) -> None:
    automaton = SectionAutomaton(spec)
    check(random_sentence(section_grammar(automaton, automaton.start()), random.Random(seed)), spec)


def test_grammars_are_small() -> None:
    automaton = SectionAutomaton(SPEC)
    assert len(section_grammar(automaton, automaton.start())) < 60_000


def test_llama_cpp_reads_the_grammar() -> None:
    llama_cpp = pytest.importorskip("llama_cpp")
    automaton = SectionAutomaton(SPEC)
    llama_cpp.LlamaGrammar.from_string(section_grammar(automaton, automaton.start()), verbose=False)


def after(text: str) -> tuple[SectionAutomaton, State]:
    automaton = SectionAutomaton(SPEC)
    state: State | None = automaton.start()
    for character in text:
        state = automaton.step(state, character) if state is not None else None
    assert state is not None
    return automaton, state


def test_a_grammar_begins_at_a_bar_line() -> None:
    with pytest.raises(NotationError, match="bar line"):
        section_grammar(*after('"Dm"A2AB'))


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_what_is_written_goes_on_as_promised(seed: int) -> None:
    begun = '"Dm"A2ABc2Bc|'
    automaton, state = after(begun)
    check(begun + random_sentence(section_grammar(automaton, state), random.Random(seed)), SPEC)

from __future__ import annotations

import itertools
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.errors import NotationError
from llm_music_gen.notation.automaton import CHARACTERS, SectionAutomaton, State
from llm_music_gen.notation.chords import chord_text
from llm_music_gen.notation.rhythm import Mode
from llm_music_gen.notation.spec import SectionSpec
from llm_music_gen.notation.text import parse_section
from tests.unit.notation.strategies import UNITS, keys

METERS = ("4/4", "3/4", "2/4", "6/8", "9/8", "12/8", "5/4", "7/8", "3/2", "2/2", "5/16", "3/8")
ORDER = sorted(CHARACTERS)

specs = st.builds(
    SectionSpec,
    key=keys,
    meter=st.sampled_from(METERS).map(Meter.parse),
    bars=st.integers(1, 32),
    unit=st.sampled_from(UNITS),
    chords=st.booleans(),
    closes=st.booleans(),
    allow_spaces=st.booleans(),
    low_pitch=st.integers(40, 60),
    high_pitch=st.integers(72, 90),
    max_leap=st.integers(12, 24),
    chromatic=st.booleans(),
    previous_pitch=st.none() | st.integers(30, 100),
)


def choices(automaton: SectionAutomaton, state: State) -> list[tuple[str, State]]:
    following = ((character, automaton.step(state, character)) for character in ORDER if character in automaton.alphabet)
    return [(character, after) for character, after in following if after is not None]


def walk(automaton: SectionAutomaton, rng: random.Random, favourites: str = "") -> str:
    """A random path to the end; `favourites` are taken most of the time where they may stand."""
    state, text = automaton.start(), ""
    while not automaton.finished(state):
        open_ = choices(automaton, state)
        assert open_, f"no way on after {text!r} in {automaton.spec}"
        liked = [choice for choice in open_ if choice[0] in favourites]
        character, state = rng.choice(liked if liked and rng.random() < 0.9 else open_)
        text += character
        assert len(text) < 40 * automaton.rhythm.bar * automaton.spec.bars + 100
    return text


def largest_leap(pitches: list[int]) -> int:
    return max((abs(one - other) for one, other in itertools.pairwise(pitches)), default=0)


def check(text: str, spec: SectionSpec) -> None:
    section = parse_section(text, label=spec.label, key=spec.key, meter=spec.meter, unit=spec.unit, bars=spec.bars)
    pitches = [note.pitch for note in section.notes]
    assert len(pitches) >= spec.onsets
    assert len(set(pitches)) >= spec.pitches
    assert len(set(text.replace(" ", "").replace("\n", "").split("|")[:-1])) >= spec.distinct_bars
    assert spec.low_pitch <= min(pitches) and max(pitches) <= spec.high_pitch
    assert largest_leap(pitches) <= spec.max_leap
    assert {pitch % 12 for pitch in pitches} <= spec.pitch_classes
    sounding_ql = sum((note.duration_ql for note in section.notes), Fraction(0))
    assert sounding_ql >= (1 - spec.max_rest_share) * spec.bars * spec.meter.bar_ql
    assert bool(section.chords) == spec.chords
    if spec.closes:
        last = section.notes[-1]
        assert last.pitch % 12 == spec.key.tonic_pc
        assert last.onset_ql + last.duration_ql == spec.bars * spec.meter.bar_ql


@settings(deadline=None, max_examples=60)
@given(
    specs,
    st.integers(0, 2**32).map(random.Random),
    st.sampled_from(["", "|", "c248-|", "z8|", "cc4|", "/4z-", "(3c|", "16842|", "^_c", '"']),
)
def test_every_walk_ends_and_keeps_every_promise(spec: SectionSpec, rng: random.Random, favourites: str) -> None:
    check(walk(SectionAutomaton(spec), rng, favourites), spec)


@settings(deadline=None, max_examples=30)
@given(
    specs,
    st.integers(0, 2**32).map(random.Random),
    st.sets(st.sampled_from(sorted(CHARACTERS - set('|ABCDEFGabcdefg248/"m'))), max_size=12),
)
def test_vocabularies_without_some_characters_still_end(spec: SectionSpec, rng: random.Random, missing: set[str]) -> None:
    try:
        automaton = SectionAutomaton(spec, CHARACTERS - missing)
    except NotationError:
        return
    check(walk(automaton, rng), spec)


def spec_for(**changes: object) -> SectionSpec:
    usual: dict[str, object] = {"key": Key("D", "minor"), "meter": Meter(4, 4), "bars": 8}
    return SectionSpec(**{**usual, **changes})  # type: ignore[arg-type]


def accepts(text: str, **changes: object) -> bool:
    automaton = SectionAutomaton(spec_for(**changes))
    state: State | None = automaton.start()
    for character in text:
        state = automaton.step(state, character) if state is not None else None
    return state is not None and automaton.finished(state)


def test_ordinary_music_is_accepted() -> None:
    assert accepts(
        "A2AB c2Bc|d2dc BAG2|(3ABc d2 c3/2B/A2|F4-F2z2|A,3=B,^C2D2|e2dc d4|a2gf e2d2|D8|".replace(" ", ""), closes=True
    )
    assert accepts('"Dm"A2AB"Gm"c2Bc|"Gm"d2dc"A7"BAG2|' + "A2c2d2f2|" * 5 + '"Dm"D8|', chords=True)


@pytest.mark.parametrize(
    "text",
    [
        "D8|" * 8,  # too few notes, pitches and different bars
        "ABcdABcd|" * 8,  # one bar eight times
        "A2A2B2B2|" * 4 + "A2B2A2B2|" * 4,  # two pitches, two different bars
        "z4ABcd|" * 8,  # rests half of the time
        "A2ABc2Bc|" * 7 + "A2c2d2f|",  # a short last bar
        "D4a'4|" + "A2ABc2Bc|" * 7,  # out of range
        "D4a4|" + "A2ABc2Bc|" * 7,  # a leap of more than a tenth
        "A2ABc2Bc-|d2dcBAG2|" * 4,  # a tie to another pitch
    ],
)
def test_music_that_breaks_a_promise_is_not(text: str) -> None:
    assert not accepts(text)


def test_the_last_bar_carries_the_final_chord_alone() -> None:
    spec = spec_for(chords=True, final_chord="Dm", closes=True)
    for seed in range(20):
        text = walk(SectionAutomaton(spec), random.Random(seed), '"')
        assert text.split("|")[-2].startswith('"Dm"')
        assert text.split("|")[-2].count('"') == 2


def test_only_the_chords_of_a_palette_are_written() -> None:
    spec = spec_for(chords=True, chord_symbols=("Dm", "Gm", "A7"))
    for seed in range(20):
        text = walk(SectionAutomaton(spec), random.Random(seed), '"')
        section = parse_section(text, label="A", key=spec.key, meter=spec.meter, unit=spec.unit)
        assert {chord_text(chord, spec.key) for chord in section.chords} <= {"Dm", "Gm", "A7"}


def test_a_section_without_chromatic_notes_has_only_the_key_s_own() -> None:
    assert not accepts("A2AB c2Bc|".replace(" ", "") + "^c2A2^G2A2|" * 7, chromatic=False)
    assert spec_for(chromatic=False).pitch_classes == {2, 4, 5, 7, 9, 10, 0, 11, 1}


def test_an_opening_is_continued() -> None:
    spec = spec_for(opening="A2ABc2Bc|d2d2")
    automaton = SectionAutomaton(spec)
    state = automaton.start()
    assert state.rhythm.left == 24  # the last note may still become longer
    assert state.rhythm.bars_left == 7
    assert state.rhythm.mode == Mode.LENGTH


def test_an_opening_that_does_not_fit_is_refused() -> None:
    with pytest.raises(NotationError, match="opening of section 'A' does not fit at character 3"):
        SectionAutomaton(spec_for(opening="A8c8|")).start()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bars": 0}, "0 bars"),
        ({"unit": Fraction(1, 3)}, "unit length"),
        ({"meter": Meter(1, 32), "unit": Fraction(1, 4)}, "cannot be written"),
        ({"low_pitch": 60, "high_pitch": 65}, "octave"),
        ({"max_leap": 3}, "leap"),
    ],
)
def test_impossible_sections_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(NotationError, match=words):
        spec_for(**changes)


@pytest.mark.parametrize(
    "changes", [{"min_onsets": 500}, {"min_pitches": 50}, {"bars": 1, "min_pitches": 20}, {"min_pitches": 18}]
)
def test_promises_that_cannot_be_kept_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(NotationError, match="too many to promise"):
        SectionAutomaton(spec_for(**changes))


def test_a_vocabulary_without_bar_lines_is_refused() -> None:
    with pytest.raises(NotationError, match="no bar can be written"):
        SectionAutomaton(spec_for(), CHARACTERS - {"|"})

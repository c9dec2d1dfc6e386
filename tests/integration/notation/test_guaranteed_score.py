"""Whatever the vocabulary and however badly the model chooses: every bar exact, by our own check and by music21."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.score import LeadSheet
from llm_music_gen.notation.abc_file import write_abc
from llm_music_gen.notation.bars import check_bars
from llm_music_gen.notation.constraint import AbcConstraint, AbcVocabulary
from llm_music_gen.notation.music21_port import read_abc_with_music21
from llm_music_gen.notation.reader import read_abc
from llm_music_gen.notation.spec import SectionSpec
from llm_music_gen.notation.text import parse_section
from llm_music_gen.notation.writer import composer_text
from tests.unit.notation.test_automaton import check
from tests.unit.notation.vocabularies import bpe_vocabulary, character_vocabulary, sentencepiece_vocabulary

METERS = ("4/4", "3/4", "6/8", "2/4", "5/4", "7/8", "9/8", "12/8", "3/2", "2/2")
VOCABULARIES = [(character_vocabulary, 0), (sentencepiece_vocabulary, 2), (bpe_vocabulary, 129_999)]


def sampled(constraint: AbcConstraint, rng: np.random.Generator) -> str:
    """The text that an even choice among the permitted tokens writes."""
    while not constraint.finished:
        constraint.accept(int(rng.choice(np.flatnonzero(constraint.allowed()))))
    return constraint.text


@pytest.mark.parametrize(("pieces", "end_token"), VOCABULARIES, ids=["characters", "sentencepiece", "bpe"])
def test_evenly_sampled_tunes_are_exact(pieces: Callable[[], list[bytes]], end_token: int) -> None:
    vocabulary, rng = AbcVocabulary(pieces(), [end_token]), np.random.default_rng(7)
    for number, meter_text in enumerate(METERS):
        key, meter = Key.from_pc(int(rng.integers(12)), ("major", "minor", "dorian")[number % 3]), Meter.parse(meter_text)
        sections = []
        for label, bars in (("A", 8), ("B", 4)):
            spec = SectionSpec(
                key, meter, bars, label=label, chords=number % 2 == 0, closes=label == "B", allow_spaces=end_token > 0
            )  # fmt: skip
            text = sampled(AbcConstraint(spec, vocabulary), rng)
            check(text, spec)
            sections.append(parse_section(text, label=label, key=key, meter=meter, unit=spec.unit, bars=bars))
        sheet = LeadSheet("Sampled", key, meter, 100, tuple(sections), ("A", "B", "A"))
        abc = write_abc(sheet)
        assert check_bars(abc).exact
        assert check_bars(abc).bars == 12
        assert read_abc(abc).sections == sheet.sections
        assert check_bars("X:1\n" + composer_text(sheet, spec.unit)).exact
        assert read_abc_with_music21(abc).bar_lengths_ql == ((meter.bar_ql,) * 12,)

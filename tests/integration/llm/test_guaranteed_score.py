"""Whatever model writes, and through whichever binding: every bar is exact and music21 reads the whole."""

from __future__ import annotations

from fractions import Fraction

import pytest

from llm_music_gen.domain.key import Key
from llm_music_gen.domain.meter import Meter
from llm_music_gen.domain.text_model import Sampling
from llm_music_gen.notation.constraint import AbcConstraint, AbcVocabulary
from llm_music_gen.notation.spec import SectionSpec
from tests.integration.llm.conftest import Load


def bar_lengths(text: str, spec: SectionSpec) -> list[Fraction]:
    """Lengths of the bars in quarters as music21 reads them."""
    from music21 import converter, harmony

    header = f"X:1\nM:{spec.meter}\nL:{spec.unit}\nK:{spec.key.abc}\n"
    bars = converter.parse(header + text + "\n", format="abc").parts[0].getElementsByClass("Measure")
    heard = ([sound for sound in bar.notesAndRests if not isinstance(sound, harmony.ChordSymbol)] for bar in bars)
    return [sum((Fraction(sound.quarterLength) for sound in bar), Fraction(0)) for bar in heard]


@pytest.mark.parametrize("vocabulary", ["characters", "bpe", "sentencepiece"])
def test_random_weights_write_exact_bars(load: Load, vocabulary: str) -> None:
    model = load(vocabulary, context_tokens=2048)
    abc = AbcVocabulary(model.pieces(), model.end_tokens())
    for seed, (meter, key) in enumerate([("4/4", "Dm"), ("6/8", "G"), ("3/4", "F# dorian"), ("5/4", "Bb")]):
        spec = SectionSpec(Key.parse(key), Meter.parse(meter), bars=8, chords=seed % 2 == 0, closes=seed > 1)
        constraint = AbcConstraint(spec, abc)
        sampling = Sampling(temperature=1.0, min_p=0.0, seed=seed, max_tokens=1800)
        text = "".join(model.generate(model.tokenize(f"M:{meter}\nK:{key}\n"), sampling, constraint=constraint))
        assert text == constraint.text
        assert text.count("|") == 8
        assert bar_lengths(text, spec) == [spec.meter.bar_ql] * 8
